public import Dosimetry
import DICOM
import Foundation

/// How the energy of decays is followed, for callers that import this module alone.
public typealias DoseMethod = AbsorbedDose.Method

/// The offline command: activity maps to a folder of doses.
public struct OfflineDose {
    private let request: DoseRun.Request
    private let input: OfflineInput

    /// - Parameters:
    ///   - administeredAt: `YYYYMMDDHHMMSS`.
    ///   - perVoxel: every voxel gets a curve of its own.
    ///   - spectFile: a quantitative SPECT of the same administration.
    ///   - anatomyFolder: with CT and, if there are any, contours and PET.
    /// - Throws: ``OfflineProblem``.
    public init(
        activityFiles: [String], anatomyFolder: String?, earlierFiles: [String], administeredMegabecquerel: Double,
        administeredAt: String, radionuclide: String?, method: DoseMethod, perVoxel: Bool = false,
        spectFile: String? = nil, outputFolder: String
    ) throws(OfflineProblem) {
        guard let start = LocalTimestamp(dateTime: administeredAt) else {
            throw OfflineProblem(
                .needsInput(code: "administration-time-invalid", fields: ["administered-at"]),
                found: ["--administered-at \(administeredAt): must be as 20240325100000"])
        }
        guard let anatomyFolder else {
            throw OfflineProblem(.needsInput(code: DosimetryError.massMissing.reasonCode, fields: ["anatomy"]))
        }
        for path in activityFiles where !FileManager.default.isReadableFile(atPath: path) {
            throw OfflineProblem(
                .needsInput(code: "activity-missing", fields: ["activity"]),
                found: [PathFault.line("--activity", path)])
        }
        input = try OfflineInput("--anatomy", anatomyFolder)
        let anatomy = input.paths
        var request = DoseRun.Request(
            activityPaths: activityFiles, anatomyPaths: anatomy, earlierPaths: earlierFiles,
            administeredMegabecquerel: administeredMegabecquerel, administeredAt: start, radionuclide: radionuclide,
            method: method, outputFolder: outputFolder, namespace: "offline dose \(UUID().uuidString)",
            createdAt: LocalTimestamp.now)
        (request.perVoxel, request.spectPath) = (perVoxel, spectFile)
        self.request = request
    }

    /// Whether a text is a time as the command takes it.
    public static func isTime(_ text: String) -> Bool { LocalTimestamp(dateTime: text) != nil }

    /// - Throws: ``OfflineProblem``.
    public func perform(progress: (Double, String) -> Void) throws(OfflineProblem) -> DoseSummary {
        try OfflineProblem.requireOutput(request.outputFolder)
        do throws(StudyProblem) { return try DoseRun(request).perform(progress: progress) } catch {
            let earlier = error.code == "earlier-cycle-unreadable" ? request.earlierPaths : []
            guard earlier.isEmpty else {
                throw OfflineProblem(error, found: earlier.map { PathFault.line("--earlier", $0) })
            }
            throw OfflineInput.explained(error, planar: nil, anatomy: input, outputFolder: request.outputFolder)
        }
    }
}

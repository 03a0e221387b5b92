public import Dosimetry
import DICOM
import Foundation

/// How the energy of decays is followed, for callers that import this module alone.
public typealias DoseMethod = AbsorbedDose.Method

/// The offline command: activity maps to a folder of doses.
public struct OfflineDose {
    private let request: DoseRun.Request

    /// - Parameters:
    ///   - administeredAt: `YYYYMMDDHHMMSS`.
    ///   - perVoxel: every voxel gets a curve of its own.
    ///   - spectFile: a quantitative SPECT of the same administration.
    ///   - anatomyFolder: with CT and, if there are any, contours and PET.
    /// - Throws: ``StudyProblem``.
    public init(
        activityFiles: [String], anatomyFolder: String?, earlierFiles: [String], administeredMegabecquerel: Double,
        administeredAt: String, radionuclide: String?, method: DoseMethod, perVoxel: Bool = false,
        spectFile: String? = nil, outputFolder: String
    ) throws(StudyProblem) {
        guard let start = LocalTimestamp(dateTime: administeredAt) else {
            throw .needsInput(code: "administration-missing", fields: ["administered-at"])
        }
        guard let anatomyFolder else {
            throw .needsInput(code: DosimetryError.massMissing.reasonCode, fields: ["anatomy"])
        }
        let anatomy = try FolderContents.paths(below: anatomyFolder)
        var request = DoseRun.Request(
            activityPaths: activityFiles, anatomyPaths: anatomy, earlierPaths: earlierFiles,
            administeredMegabecquerel: administeredMegabecquerel, administeredAt: start, radionuclide: radionuclide,
            method: method, outputFolder: outputFolder, namespace: "offline dose \(UUID().uuidString)",
            createdAt: LocalTimestamp.now)
        (request.perVoxel, request.spectPath) = (perVoxel, spectFile)
        self.request = request
    }

    /// - Throws: ``StudyProblem``.
    public func perform(progress: (Double, String) -> Void) throws(StudyProblem) -> DoseSummary {
        try DoseRun(request).perform(progress: progress)
    }
}

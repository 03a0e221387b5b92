import DICOM
import Foundation

/// The offline command: folders of DICOM to a folder of results.
public struct OfflineReconstruction {
    private let planarFolder, anatomyFolder, outputFolder: String
    private let method: ReconstructionMethod
    private let modelFile, siteFile: String?
    private let seed: UInt64

    /// - Parameter modelFile: of the patient or the population; without one networks are the population's that came with
    ///   the program.
    public init(
        planarFolder: String, anatomyFolder: String, outputFolder: String, method: ReconstructionMethod,
        modelFile: String? = nil, seed: UInt64 = 1, siteFile: String?
    ) {
        (self.planarFolder, self.anatomyFolder) = (planarFolder, anatomyFolder)
        (self.outputFolder, self.method, self.siteFile) = (outputFolder, method, siteFile)
        (self.modelFile, self.seed) = (modelFile, seed)
    }

    /// A network that is not there is missed before anything is computed.
    private func requireModel() throws(OfflineProblem) {
        guard let kind = method.network else { return }
        guard let path = modelFile ?? ModelFile.populationPath else {
            throw OfflineProblem(
                .needsInput(code: "model-missing", fields: ["model"]),
                found: [
                    "--method \(method.rawValue) needs the folder scintivol_DoseService.resources beside this program, or --model FILE"
                ])
        }
        let file: ModelFile
        do { file = try ModelFile(path: path) } catch {
            throw OfflineProblem(error, found: [PathFault.line("--model", path)])
        }
        guard file[kind] != nil else {
            throw OfflineProblem(
                .needsInput(code: "model-part-missing", fields: [kind.rawValue]),
                found: ["--model \(path) holds no \(kind.rawValue)"])
        }
    }

    /// - Throws: ``OfflineProblem``.
    public func perform(progress: (Double, String) -> Void) throws(OfflineProblem) -> ResultSummary {
        let site = try siteFile.map { path throws(OfflineProblem) in try SiteFile.contents(path) }
        let planar = try OfflineInput("--planar", planarFolder)
        let anatomy = try OfflineInput("--anatomy", anatomyFolder)
        try planar.require([.nuclearMedicine], or: anatomy, [.computedTomography, .positronEmission])
        try OfflineProblem.requireOutput(outputFolder)
        try requireModel()
        var request = ReconstructionRun.Request(
            planarPaths: planar.paths, anatomyPaths: anatomy.paths, sites: site.map { [$0.site] } ?? [],
            outputFolder: outputFolder, method: method, namespace: "offline \(UUID().uuidString)",
            createdAt: LocalTimestamp.now)
        request.siteFileDigest = site?.digest
        (request.modelPath, request.seed) = (modelFile, seed)
        if modelFile == nil { request.populationModelPath = ModelFile.populationPath }
        do throws(StudyProblem) { return try ReconstructionRun(request).perform(progress: progress) } catch {
            throw OfflineInput.explained(error, planar: planar, anatomy: anatomy, outputFolder: outputFolder)
        }
    }
}

extension LocalTimestamp {
    /// The clock on the wall.
    static var now: LocalTimestamp { LocalTimestamp(Date()) }

    init(_ date: Date) {
        let parts = Calendar.current.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        let seconds = (parts.hour ?? 0) * 3600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0)
        self.init(
            year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1, secondsOfDay: Double(seconds))
    }
}

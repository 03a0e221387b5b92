import ArgumentParser
import DoseService

struct Reconstruct: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reconstruct a planar scan offline: DICOM in, RT Dose and summary.json out.")

    @Option(help: "Folder with the planar NM images.") var planar: String
    @Option(help: "Folder with CT, PT and, if there are any, contours.") var anatomy: String
    @Option(help: "Folder to write to.") var out: String
    @Option(help: "stage0.") var method = "stage0"
    @Option(help: "Description of the camera as JSON; without it the result is relative.") var site: String?
    @Flag(help: "Print the summary as JSON.") var json = false

    func validate() throws {
        guard ReconstructionRun.methods.contains(method) else {
            throw ValidationError("--method is one of \(ReconstructionRun.methods.joined(separator: ", "))")
        }
    }

    func run() throws {
        let summary = try OfflineReconstruction(
            planarFolder: planar, anatomyFolder: anatomy, outputFolder: out, method: method, siteFile: site
        ).perform(progress: Terminal.progress)
        print(json ? try OfflineReport.json(summary) : OfflineReport.table(summary))
    }
}

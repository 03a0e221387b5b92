public import ArgumentParser
public import DoseService

extension ReconstructionMethod: ExpressibleByArgument {}

struct Reconstruct: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reconstruct a planar scan offline: DICOM in, RT Dose and summary.json out.")

    @Option(help: "Folder with the planar NM images, or the file that holds both views.") var planar: String
    @Option(help: "Folder with CT, PT and, if there are any, contours.") var anatomy: String
    @Option(help: "Folder to write to.") var out: String
    @Option(help: "stage0, or a network that starts from it: unet, diffusion.") var method: ReconstructionMethod =
        .stage0
    @Option(help: "Model file of this patient, for networks; without it the population's.") var model: String?
    @Option(help: "Seed of the diffusion model's samples.") var seed: UInt64 = 1
    @Option(help: "Description of the camera as JSON; without it the result is relative.") var site: String?
    @Flag(help: "Print the summary as JSON.") var json = false

    func validate() throws {
        guard model == nil || method != .stage0 else {
            throw ValidationError("--model is of a network: add --method unet or --method diffusion")
        }
    }

    func run() throws {
        let summary = try OfflineReconstruction(
            planarFolder: planar, anatomyFolder: anatomy, outputFolder: out, method: method, modelFile: model,
            seed: seed, siteFile: site
        ).perform(progress: Terminal.progress)
        print(json ? try OfflineReport.json(summary) : OfflineReport.table(summary))
    }
}

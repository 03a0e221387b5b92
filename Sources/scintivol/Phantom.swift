import ArgumentParser
import DoseService

struct Phantom: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a synthetic patient as DICOM (nm, ct, pt, rtstruct) with the truth beside it.")

    @Option(help: "Folder to write to.") var out: String
    @Option(help: "Which patient; the same seed is the same patient.") var seed: UInt64 = 1
    @Option(help: "Hours from the administration to the planar scan.") var hours = 24.0
    @Flag(help: "Print the truth as JSON.") var json = false

    func validate() throws {
        guard (1...400).contains(hours) else { throw ValidationError("--hours is from 1 to 400") }
    }

    func run() throws {
        Terminal.progress(0, "patient \(seed)")
        let phantom = try PhantomFiles(seed: seed, hours: hours)
        Terminal.progress(0.7, "files")
        try phantom.write(to: out)
        Terminal.progress(1, "done")
        print(json ? try OfflineReport.json(phantom.facts) : "wrote \(out): nm ct pt rtstruct truth.json truth.nii.gz")
    }
}

public import ArgumentParser
public import DoseService

struct Phantom: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a synthetic patient as DICOM (nm, ct, pt, contours) with the truth beside it.")

    @Option(help: "Folder to write to.") var out: String
    @Option(help: "Which patient; the same seed is the same patient.") var seed: UInt64 = 1
    @Flag(help: "Replace another synthetic patient in the folder.") var force = false
    @Option(help: "Hours from the administration to the planar scan.") var hours = 24.0
    @Option(help: "Whom the seed is drawn from: standard adults, or varied builds, kidneys and arms.")
    var people = PhantomOrder.People.standard
    @Option(help: "How far the patient is from what a reconstruction assumes.")
    var difficulty = PhantomOrder.Difficulty.usual
    @Option(help: "The camera of the planar scan.") var camera = PhantomOrder.Camera.siemens
    @Option(parsing: .unconditional, help: "One bed position around this z of the CT in mm, instead of the whole body.")
    var bedCentre: Double?
    @Flag(help: "Store the photopeak at 113 keV beside the one at 208 keV.") var secondPhotopeak = false
    @Option(help: "How the contours are written.") var contours = PhantomFiles.Contours.rtstruct
    @Flag(help: "Print the truth as JSON.") var json = false

    func validate() throws {
        guard (1...400).contains(hours) else { throw ValidationError("--hours is from 1 to 400") }
    }

    func run() throws {
        let folder = PhantomFolder(out)
        try folder.prepare(seed: seed, replaces: force)
        Terminal.progress(0, "patient \(seed)")
        var order = PhantomOrder(seed: seed)
        (order.people, order.difficulty, order.camera) = (people, difficulty, camera)
        order.bedCentreMillimetres = bedCentre
        order.secondPhotopeak = secondPhotopeak
        var recipe = order.recipe
        recipe.hours = hours
        let phantom = try PhantomFiles(recipe)
        let truth = phantom.facts
        if !force { try folder.require(truth) }
        Terminal.progress(0.7, "files")
        do { try phantom.write(to: out, contours: contours) } catch { throw OfflineProblem(error, outputFolder: out) }
        Terminal.progress(1, "done")
        print(json ? try OfflineReport.json(truth) : account(truth))
    }

    private func account(_ truth: PhantomFiles.Truth) -> String {
        let parts = contours == .none ? "" : contours.rawValue + " "
        return """
            wrote \(out): nm ct pt \(parts)site.json truth.json truth.nii.gz
            administered: \(Int(truth.administeredMegabecquerel)) MBq at \(truth.administeredAt)
            """
    }
}

extension PhantomOrder.People: ExpressibleByArgument {}
extension PhantomOrder.Camera: ExpressibleByArgument {}
extension PhantomOrder.Difficulty: ExpressibleByArgument {}
extension PhantomFiles.Contours: ExpressibleByArgument {}

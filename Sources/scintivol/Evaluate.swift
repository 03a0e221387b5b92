import Anatomy
import ArgumentParser
import DoseService
import Foundation
import Reconstruction

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score methods on synthetic patients whose truth is known.",
        discussion: """
            Suites: usual, narrow, matched, hard, mismatched. Methods: conjugate-view, mlem, template, organ-scales, stage0, and \
            stage0-without-X for X of shifts, rotation, texture, modes, nuisances, foci, heterogeneity, adaptation; true-levels is what nobody \
            gets to know: every structure at its true place with its true mean; true-levels-and-counts adds what two views say of \
            the unevenness within; true-places is Stage 0 with PET/CT and contours of the time of the scan. Networks are unet, \
            diffusion, paper-unet and paper-diffusion, as the model has them; with -personal at the end each is \
            trained on every patient first, with -reinforced also rewarded. With --out the tables are written as JSON and CSV, and index.html shows them \
            with pictures of the first cases.
            """)

    @Option(help: "Kind of world.") var suite = "matched"
    @Option(help: "Number of patients.") var cases = 4
    @Option(help: "Seed of the first patient.") var seed = EvaluationRun.testSeed
    @Option(
        help: "Names, separated by commas; `all` stands for those up to stage0, `ablations` for the stage0-without-X.")
    var methods = "all"
    @Option(help: "Model file of the population, for networks; the one that comes with the program if not given.")
    var model: String?
    @Option(help: "Steps of training on each patient, for networks that end in -personal.") var personalSteps =
        NetworkPolicy().steps
    @Option(help: "Highest learning rate of that training.") var personalRate = TrainingRequest.rates.goingOn
    @Option(help: "Its steps after which a new possible map comes in.") var personalStepsPerCase =
        CasePool.Size().stepsPerCase
    @Option(help: "Folder for tables, page and pictures, and for the patients' models.") var out: String?
    @Option(
        help:
            "Distance between the reconstructions' voxels in millimetres; scores are on \(PatientAnatomy.usualSpacing)."
    ) var spacing =
        PatientAnatomy.usualSpacing
    @Flag(help: "Keep the contours from the reconstructions.") var withoutContours = false
    @Flag(help: "Print the scores as JSON.") var json = false

    private var modelPath: String? { model ?? ModelFile.populationPath }

    func validate() throws {
        guard SyntheticPatient.Difficulty(rawValue: suite) != nil else {
            throw ValidationError(
                "--suite is one of \(SyntheticPatient.Difficulty.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard (2...20).contains(spacing) else { throw ValidationError("--spacing is from 2 to 20 mm") }
        guard (1...10_000).contains(cases) else { throw ValidationError("--cases is between 1 and 10000") }
        guard personalSteps > 1, personalRate > 0, personalStepsPerCase > 0 else {
            throw ValidationError("--personal-steps, --personal-rate and --personal-steps-per-case are positive")
        }
        let chosen = try chosen()
        guard !chosen.methods.isEmpty || !chosen.networks.isEmpty else { throw ValidationError("--methods names none") }
        guard chosen.networks.isEmpty || modelPath != nil else {
            throw ValidationError(
                "\(chosen.networks[0].name) needs --model FILE: the folder scintivol_DoseService.resources does not lie beside this program"
            )
        }
        guard out != nil || !chosen.networks.contains(where: { $0.trainedOn != .population }) else {
            throw ValidationError("networks that are trained on each patient need --out to keep the models in")
        }
    }

    private func chosen() throws -> (methods: [EvaluationMethod], networks: [NetworkMethod]) {
        var chosen: (methods: [EvaluationMethod], networks: [NetworkMethod]) = ([], [])
        for name in methods.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            switch name {
            case "all": chosen.methods += EvaluationMethod.all
            case "ablations": chosen.methods += EvaluationMethod.ablations
            default:
                if let network = NetworkMethod(name: name) {
                    chosen.networks.append(network)
                } else if let method = EvaluationMethod(name: name) {
                    chosen.methods.append(method)
                } else {
                    throw ValidationError("--methods does not know '\(name)': --help lists them")
                }
            }
        }
        return chosen
    }

    func run() throws {
        guard let suite = SyntheticPatient.Difficulty(rawValue: suite) else { return }
        let chosen = try chosen()
        var run = EvaluationRun(
            suite: suite, caseCount: cases, seed: seed, methods: chosen.methods, withContours: !withoutContours,
            outputFolder: out)
        run.spacing = spacing
        if let modelPath, !chosen.networks.isEmpty {
            var plan = ModelTraining.Plan()
            (plan.stepCount, plan.learningRate) = (personalSteps, personalRate)
            plan.pool.stepsPerCase = personalStepsPerCase
            run.networks = EvaluatedNetworks(
                methods: chosen.networks, model: try ModelFile.population(at: modelPath), plan: plan,
                folder: "\(out ?? ".")/models")
        }
        let report = try run.perform(progress: Terminal.progress)
        print(json ? try report.json() : report.table())
    }
}

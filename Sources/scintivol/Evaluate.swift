import ArgumentParser
import DoseService
import Reconstruction

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score methods on synthetic patients whose truth is known.",
        discussion: """
            Suites: usual, narrow, matched, hard, mismatched. Methods: conjugate-view, mlem, template, organ-scales, stage0, and \
            stage0-without-X for X of shifts, rotation, texture, modes, nuisances, foci, heterogeneity. With --out the tables \
            are written as JSON and CSV, and index.html shows them with pictures of the first cases.
            """)

    @Option(help: "Kind of world.") var suite = "matched"
    @Option(help: "Number of patients.") var cases = 4
    @Option(help: "Seed of the first patient.") var seed = EvaluationRun.testSeed
    @Option(help: "Names, separated by commas; `all` and `ablations` stand for groups.") var methods = "all"
    @Option(help: "Folder for tables, page and pictures.") var out: String?
    @Flag(help: "Keep the contours from the reconstructions.") var withoutContours = false
    @Flag(help: "Print the scores as JSON.") var json = false

    func validate() throws {
        guard SyntheticPatient.Difficulty(rawValue: suite) != nil else {
            throw ValidationError(
                "--suite is one of \(SyntheticPatient.Difficulty.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard (1...10_000).contains(cases) else { throw ValidationError("--cases is between 1 and 10000") }
        _ = try chosen()
    }

    private func chosen() throws -> [EvaluationMethod] {
        try methods.split(separator: ",").flatMap { name -> [EvaluationMethod] in
            switch name {
            case "all": return EvaluationMethod.all
            case "ablations": return EvaluationMethod.ablations
            default:
                guard let method = EvaluationMethod(name: String(name)) else {
                    throw ValidationError("--methods does not know \(name)")
                }
                return [method]
            }
        }
    }

    func run() throws {
        guard let suite = SyntheticPatient.Difficulty(rawValue: suite) else { return }
        let report = try EvaluationRun(
            suite: suite, caseCount: cases, seed: seed, methods: try chosen(), withContours: !withoutContours,
            outputFolder: out
        ).perform(progress: Terminal.progress)
        print(json ? try report.json() : report.table())
    }
}

import Anatomy
import Foundation
import Learning
public import Reconstruction

/// Methods against cases whose truth is known.
public struct EvaluationRun: Sendable {
    public var suite: SyntheticPatient.Difficulty
    public var caseCount: Int
    public var seed: UInt64
    public var methods: [EvaluationMethod]
    public var withContours: Bool
    /// Wanted distance between the reconstructions' voxels, in millimetres; scores are on voxels of the usual size.
    public var spacing = PatientAnatomy.usualSpacing
    /// Networks that take part.
    public var networks: EvaluatedNetworks?
    /// Where tables, page and pictures are written; nil writes none.
    public var outputFolder: String?

    /// Cases from here on were never used to choose anything.
    public static let testSeed: UInt64 = 5001
    /// Cases that are shown as pictures.
    private static let picturedCases = 3

    public init(
        suite: SyntheticPatient.Difficulty, caseCount: Int, seed: UInt64 = testSeed, methods: [EvaluationMethod],
        withContours: Bool = true, outputFolder: String? = nil
    ) {
        (self.suite, self.caseCount, self.seed) = (suite, caseCount, seed)
        (self.methods, self.withContours, self.outputFolder) = (methods, withContours, outputFolder)
    }

    /// - Parameter progress: told how far it is, 0 to 1, and what is being done.
    /// - Throws: ``StudyProblem`` or ``OfflineProblem``.
    public func perform(progress: (Double, String) -> Void = { _, _ in }) throws -> EvaluationReport {
        if let outputFolder { try OfflineProblem.requireOutput(outputFolder) }
        if let networks {
            try networks.require()
            try Device.configure(threadCount: ProcessInfo.processInfo.activeProcessorCount)
        }
        let names = methods.map(\.name) + (networks?.methods.map(\.name) ?? [])
        var scores = names.map { (name: $0, cases: [EvaluationCase.Score]()) }
        var pictures: [EvaluationPage.Picture] = []
        for number in 0..<caseCount {
            let recipe = SyntheticPatient.Recipe.evaluated(seed: seed + UInt64(number), suite: suite)
            let title = "case \(number + 1) of \(caseCount)"
            let share = { (done: Int) in Double(number * names.count + done) / Double(caseCount * names.count) }
            progress(share(0), "\(title), patient")
            let evaluated: EvaluationCase
            do { evaluated = try EvaluationCase(recipe, spacing: spacing, withContours: withContours) } catch {
                throw StudyProblem(error)
            }
            let outcomes = try outcomes(of: evaluated) { progress(share($0), "\(title), \($1)") }
            for (place, outcome) in outcomes.enumerated() {
                scores[place].cases.append(outcome.score)
                guard outputFolder != nil, number < Self.picturedCases else { continue }
                pictures.append(EvaluationPage.Picture(method: names[place], evaluated: evaluated, outcome: outcome))
            }
        }
        let report = EvaluationReport(
            suite: suite, seed: seed, withContours: withContours, spacing: spacing, scores: scores)
        if let outputFolder {
            do { try write(report, pictures, to: outputFolder) } catch {
                throw OfflineProblem(error, outputFolder: outputFolder)
            }
        }
        progress(1, "done")
        return report
    }

    /// What every method made of a case, in the order of the methods.
    private func outcomes(
        of evaluated: EvaluationCase, progress: (Int, String) -> Void
    ) throws -> [EvaluationCase.Outcome] {
        var outcomes: [EvaluationCase.Outcome] = []
        do {
            for method in methods {
                progress(outcomes.count, method.name)
                outcomes.append(try evaluated.outcome(of: method, elapsed: Self.seconds))
            }
            guard let networks, !networks.methods.isEmpty else { return outcomes }
            let known = methods.firstIndex(of: .stageZero).flatMap { outcomes[$0].estimate }
            let study = try evaluated.networkStudy(known)
            for method in networks.methods {
                progress(outcomes.count, method.name)
                let model = try networks.trained(method, for: evaluated) { step in
                    progress(outcomes.count, "\(method.name), step \(step.step) of \(step.stepCount)")
                }
                outcomes.append(try evaluated.outcome(of: model, study, elapsed: Self.seconds))
            }
        } catch let error as ReconstructionError { throw StudyProblem(error) }
        return outcomes
    }

    private static func seconds(_ work: () throws -> Void) throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try work()
        return start.duration(to: clock.now) / .seconds(1)
    }

    private func write(
        _ report: EvaluationReport, _ pictures: [EvaluationPage.Picture], to folder: String
    ) throws(StudyProblem) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try DurableFile.write(Array(report.json().utf8), to: "\(folder)/evaluation.json")
            try DurableFile.write(Array(report.csv().utf8), to: "\(folder)/evaluation.csv")
            for picture in pictures { try DurableFile.write(picture.png, to: "\(folder)/\(picture.fileName)") }
            let page = EvaluationPage(report: report, pictures: pictures)
            try DurableFile.write(Array(page.html().utf8), to: "\(folder)/index.html")
        } catch { throw .failed(code: "output-not-written") }
    }
}

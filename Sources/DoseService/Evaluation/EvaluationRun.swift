import Foundation
public import Reconstruction

/// Methods against cases whose truth is known.
public struct EvaluationRun: Sendable {
    public var suite: SyntheticPatient.Difficulty
    public var caseCount: Int
    public var seed: UInt64
    public var methods: [EvaluationMethod]
    public var withContours: Bool
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
        var scores = methods.map { (name: $0.name, cases: [EvaluationCase.Score]()) }
        var pictures: [EvaluationPage.Picture] = []
        let total = Double(max(caseCount * methods.count, 1))
        for number in 0..<caseCount {
            let seed = self.seed + UInt64(number)
            let title = "case \(number + 1) of \(caseCount)"
            progress(Double(number * methods.count) / total, "\(title), patient")
            let evaluated: EvaluationCase
            do {
                evaluated = try EvaluationCase(.evaluated(seed: seed, suite: suite), withContours: withContours)
            } catch { throw StudyProblem(error) }
            for (place, method) in methods.enumerated() {
                progress(Double(number * methods.count + place) / total, "\(title), \(method.name)")
                let outcome: EvaluationCase.Outcome
                do {
                    outcome = try evaluated.outcome(of: method) { work in
                        let clock = ContinuousClock()
                        let start = clock.now
                        try work()
                        return start.duration(to: clock.now) / .seconds(1)
                    }
                } catch let error as ReconstructionError { throw StudyProblem(error) }
                scores[place].cases.append(outcome.score)
                if outputFolder != nil, number < Self.picturedCases {
                    pictures.append(EvaluationPage.Picture(method: method.name, evaluated: evaluated, outcome: outcome))
                }
            }
        }
        let report = EvaluationReport(suite: suite, seed: seed, withContours: withContours, scores: scores)
        if let outputFolder {
            do { try write(report, pictures, to: outputFolder) } catch {
                throw OfflineProblem(error, outputFolder: outputFolder)
            }
        }
        progress(1, "done")
        return report
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

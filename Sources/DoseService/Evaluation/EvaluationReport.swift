import Anatomy
import Foundation
public import Reconstruction

/// The pooled scores of an evaluation: what `evaluate --json` prints.
public struct EvaluationReport: Codable, Sendable {
    /// One method over all cases.
    public struct Method: Codable, Sendable {
        public let name: String
        public let relativeMAE: Double
        public let similarity: MapScores.Similarities
        /// Median of the absolute error over the cases, organ by organ.
        public let organErrorPercent: [String: Double]
        /// Median over liver, spleen and kidneys of all cases.
        public let organErrorMedianPercent: Double?
        public let lesionRecovery, unseenLesionRecovery: Double?
        /// Of lesions that nothing had shown, the part that stands out, and spots a patient that are no lesion.
        public let unseenFound: Double?
        public let falseSpots: Double
        public let coverage68, coverage95: Double?
        public let deviance: Double?
        public let dice, hausdorff95Millimetres: Double
        public let seconds: Double
        /// Against `stage0` on the same cases, where both were run.
        public let relativeMAEAgainstStage0: PairedComparison?
        public let perCase: [EvaluationCase.Score]

        enum CodingKeys: String, CodingKey {
            case name, coverage68, coverage95, deviance, dice, seconds
            case relativeMAE = "relative_mae"
            case similarity = "ssim"
            case organErrorPercent = "organ_error_percent"
            case organErrorMedianPercent = "organ_error_median_percent"
            case lesionRecovery = "lesion_recovery"
            case unseenLesionRecovery = "unseen_lesion_recovery"
            case unseenFound = "unseen_lesions_found"
            case falseSpots = "false_spots_per_patient"
            case hausdorff95Millimetres = "hausdorff95_mm"
            case relativeMAEAgainstStage0 = "relative_mae_against_stage0"
            case perCase = "per_case"
        }
    }

    public let suite: SyntheticPatient.Difficulty
    public let cases: Int
    public let seed: UInt64
    /// False when the reconstructions had no contours.
    public let withContours: Bool
    /// Wanted distance between the reconstructions' voxels, in millimetres.
    public let spacing: Double
    public let version, commit: String
    public let methods: [Method]

    enum CodingKeys: String, CodingKey {
        case suite, cases, seed, version, commit, methods
        case withContours = "with_contours"
        case spacing = "spacing_mm"
    }

    package init(
        suite: SyntheticPatient.Difficulty, seed: UInt64, withContours: Bool, spacing: Double,
        scores: [(name: String, cases: [EvaluationCase.Score])]
    ) {
        self.suite = suite
        self.seed = seed
        (self.withContours, self.spacing) = (withContours, spacing)
        cases = scores.first?.cases.count ?? 0
        (version, commit) = (Version.number, Version.commit)
        let reference = scores.first { $0.name == "stage0" }?.cases
        methods = scores.map { Method(name: $0.name, cases: $0.cases, reference: reference) }
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// A table for a terminal.
    public func table() -> String {
        let head = [
            "method", "rel.MAE", "SSIM body", "SSIM organs", "organ err %", "lesions", "unseen", "found", "false",
            "68 %", "95 %", "s",
        ]
        let rows = methods.map { method in
            [
                method.name, Self.fixed(method.relativeMAE, 3), Self.fixed(method.similarity.body.max, 3),
                Self.fixed(method.similarity.organs.max, 3), Self.fixed(method.organErrorMedianPercent, 1),
                Self.fixed(method.lesionRecovery, 2), Self.fixed(method.unseenLesionRecovery, 2),
                Self.fixed(method.unseenFound, 2), Self.fixed(method.falseSpots, 1),
                Self.fixed(method.coverage68.map { 100 * $0 }, 0), Self.fixed(method.coverage95.map { 100 * $0 }, 0),
                Self.fixed(method.seconds, 1),
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([head] + rows).map { row in
            row.enumerated().map { column, text in
                let pad = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + pad : pad + text
            }.joined(separator: "  ")
        }
        return (["suite \(suite.rawValue)\(circumstances), \(cases) cases from seed \(seed)"] + lines).joined(
            separator: "\n")
    }

    /// What was not as usual.
    var circumstances: String {
        let contours = withContours ? "" : ", without contours"
        let voxels = spacing == PatientAnatomy.usualSpacing ? "" : ", voxels of \(spacing) mm"
        return contours + voxels
    }

    /// A line for each case and method.
    public func csv() -> String {
        let organs = EvaluationCase.scoredOrgans
        var lines = [
            ([
                "suite", "method", "seed", "relative_mae", "ssim_whole_max", "ssim_whole_p999", "ssim_whole_p99",
                "ssim_body_max", "ssim_body_p999", "ssim_body_p99", "ssim_organs_max", "ssim_organs_p999",
                "ssim_organs_p99", "dice", "hausdorff95_mm", "lesion_recovery", "unseen_lesion_recovery",
                "unseen_lesions", "unseen_lesions_found", "false_spots", "deviance", "seconds",
            ] + organs.map { "\($0)_error_percent" }).joined(separator: ",")
        ]
        for method in methods {
            for score in method.perCase {
                let similarity = score.map.similarity
                let nine = [similarity.whole, similarity.body, similarity.organs].flatMap { [$0.max, $0.p999, $0.p99] }
                let numbers: [Double?] =
                    [score.map.relativeMAE] + nine + [score.map.dice, score.map.hausdorff95Millimetres]
                    + [score.lesionRecovery, score.unseenLesionRecovery]
                    + [score.detection.lesions, score.detection.found, score.detection.falseSpots].map(Double.init)
                    + [score.deviance, score.seconds]
                    + organs.map { score.organErrorPercent[$0] }
                let fields = numbers.map { $0.map { "\($0)" } ?? "" }
                lines.append(([suite.rawValue, method.name, "\(score.seed)"] + fields).joined(separator: ","))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func fixed(_ value: Double?, _ digits: Int) -> String {
        value.map { String(format: "%.\(digits)f", $0) } ?? "-"
    }
}

extension EvaluationReport.Method {
    init(name: String, cases: [EvaluationCase.Score], reference: [EvaluationCase.Score]?) {
        self.name = name
        perCase = cases
        func mean(_ value: (EvaluationCase.Score) -> Double?) -> Double? {
            let values = cases.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        func similarity(_ place: (MapScores.Similarities) -> MapScores.Similarity) -> MapScores.Similarity {
            MapScores.Similarity(
                max: mean { place($0.map.similarity).max } ?? .nan,
                p999: mean { place($0.map.similarity).p999 } ?? .nan, p99: mean { place($0.map.similarity).p99 } ?? .nan
            )
        }
        relativeMAE = mean { $0.map.relativeMAE } ?? .nan
        self.similarity = MapScores.Similarities(
            whole: similarity(\.whole), body: similarity(\.body), organs: similarity(\.organs))
        var medians: [String: Double] = [:]
        var pooled: [Double] = []
        for organ in Set(cases.flatMap(\.organErrorPercent.keys)) {
            let errors = cases.compactMap { $0.organErrorPercent[organ].map(abs) }
            medians[organ] = Self.median(errors)
            if EvaluationCase.scoredOrgans.contains(organ) { pooled += errors }
        }
        organErrorPercent = medians
        organErrorMedianPercent = Self.median(pooled)
        lesionRecovery = mean(\.lesionRecovery)
        unseenLesionRecovery = mean(\.unseenLesionRecovery)
        let sought = cases.reduce(0) { $0 + $1.detection.lesions }
        unseenFound = sought > 0 ? Double(cases.reduce(0) { $0 + $1.detection.found }) / Double(sought) : nil
        falseSpots = mean { Double($0.detection.falseSpots) } ?? .nan
        coverage68 = Self.share(cases.flatMap(\.within68.values))
        coverage95 = Self.share(cases.flatMap(\.within95.values))
        deviance = mean(\.deviance)
        dice = mean { $0.map.dice } ?? .nan
        hausdorff95Millimetres = mean { $0.map.hausdorff95Millimetres } ?? .nan
        seconds = mean(\.seconds) ?? .nan
        relativeMAEAgainstStage0 = reference.flatMap { reference in
            guard name != "stage0", reference.map(\.seed) == cases.map(\.seed), !cases.isEmpty else { return nil }
            return PairedComparison(cases.map(\.map.relativeMAE), reference.map(\.map.relativeMAE))
        }
    }

    private static func median(_ values: [Double]) -> Double? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        return sorted.count % 2 == 1
            ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
    }

    private static func share(_ values: [Bool]) -> Double? {
        values.isEmpty ? nil : Double(values.filter { $0 }.count) / Double(values.count)
    }
}

import Foundation
import Imaging
import Reconstruction

/// An evaluation as one page: the table, what each method gains on Stage 0, and pictures of the first cases.
struct EvaluationPage {
    /// The slices of one method beside the truth on one grey scale, and its views beside the measured ones.
    struct Picture {
        let method: String
        let seed: UInt64
        let png: [UInt8]

        init(method: String, evaluated: EvaluationCase, outcome: EvaluationCase.Outcome) {
            self.method = method
            seed = outcome.score.seed
            png = ComparisonPicture(
                map: outcome.map, truth: evaluated.truth, views: outcome.estimate?.views ?? []
            ).png()
        }

        var fileName: String { "\(method)-\(seed).png" }
    }

    let report: EvaluationReport
    let pictures: [Picture]

    func html() -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Evaluation, suite \(report.suite.rawValue)</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1500px; padding: 0 1rem; color: #222 }
        table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
        th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
        th:first-child, td:first-child { text-align: left }
        thead th { border-bottom: 2px solid #555 } img { max-width: 100%; border: 1px solid #ddd }
        .note { color: #666 } .best { font-weight: 600 }
        </style></head><body>
        <h1>Suite <em>\(report.suite.rawValue)</em>: \(report.cases) synthetic patients\(report.circumstances)</h1>
        <p class="note">Seeds from \(report.seed). Version \(report.version), commit \(report.commit.prefix(12)).
        Research, not for clinical use.</p>
        \(scoreTable())
        \(similarityTable())
        <h2>Pictures</h2>
        <p class="note">Slices of the estimate beside the truth, one grey scale for both; views measured, reprojected
        and their difference in standard deviations. R and L are the patient's sides.</p>
        \(pictures.map { picture in
                "<h3>\(picture.method), seed \(picture.seed)</h3><img src=\"\(picture.fileName)\" "
                    + "alt=\"\(picture.method), seed \(picture.seed): slices beside the truth\">"
            }.joined(separator: "\n"))
        </body></html>
        """
    }

    private func scoreTable() -> String {
        let best = report.methods.map(\.relativeMAE).min()
        let rows = report.methods.map { method in
            let against = method.relativeMAEAgainstStage0.map { comparison in
                String(
                    format: "%+.3f (%+.3f to %+.3f)%@", comparison.meanDifference, comparison.lower95,
                    comparison.upper95, comparison.wilcoxonP.map { String(format: ", p = %.2g", $0) } ?? "")
            }
            let cells = [
                EvaluationReport.fixed(method.relativeMAE, 3), against ?? "-",
                EvaluationReport.fixed(method.organErrorMedianPercent, 1),
                EvaluationReport.fixed(method.lesionRecovery, 2),
                EvaluationReport.fixed(method.unseenLesionRecovery, 2),
                EvaluationReport.fixed(method.unseenFound, 2), EvaluationReport.fixed(method.falseSpots, 1),
                EvaluationReport.fixed(method.coverage68.map { 100 * $0 }, 0),
                EvaluationReport.fixed(method.coverage95.map { 100 * $0 }, 0),
                EvaluationReport.fixed(method.deviance, 2), EvaluationReport.fixed(method.dice, 2),
                EvaluationReport.fixed(method.hausdorff95Millimetres, 1), EvaluationReport.fixed(method.seconds, 1),
            ]
            return Self.row(method.name, cells, isBest: method.relativeMAE == best)
        }
        return Self.table(
            [
                "method", "relative MAE", "minus Stage 0 (95 % interval)", "organ error, median %", "lesion recovery",
                "of unseen ones", "unseen ones found", "false spots", "in 68 % interval, %", "in 95 % interval, %",
                "deviance per pixel", "Dice", "Hausdorff 95 %, mm (at most 60)", "seconds",
            ], rows)
    }

    private func similarityTable() -> String {
        let rows = report.methods.map { method in
            let places = [method.similarity.whole, method.similarity.body, method.similarity.organs]
            return Self.row(
                method.name, places.flatMap { [$0.max, $0.p999, $0.p99] }.map { EvaluationReport.fixed($0, 3) },
                isBest: false)
        }
        let places = ["whole grid", "body", "organs"].flatMap { place in
            ["max", "99.9 %", "99 %"].map { "\(place), \($0)" }
        }
        return
            "<h2>Structural similarity</h2><p class=\"note\">7 x 7 x 7 voxels, uniform; mean over the place named, data "
            + "range the truth's maximum or percentile, clipped.</p>" + Self.table(["method"] + places, rows)
    }

    private static func row(_ name: String, _ cells: [String], isBest: Bool) -> String {
        "<tr\(isBest ? " class=\"best\"" : "")><td>\(name)</td>"
            + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }

    private static func table(_ head: [String], _ rows: [String]) -> String {
        "<table><thead><tr>" + head.map { "<th>\($0)</th>" }.joined() + "</tr></thead><tbody>"
            + rows.joined(separator: "\n") + "</tbody></table>"
    }
}

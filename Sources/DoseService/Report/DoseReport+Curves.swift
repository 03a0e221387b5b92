import Dosimetry
import Foundation

extension DoseReport {
    private static let rowLimit = 60

    /// Which model was chosen for every region, against which others, and what was known before.
    func curvePage() -> ReportPage {
        var page = ReportPage()
        Self.heading(&page, "Curves: models and what they were chosen by", 50)
        let note =
            "AICc: Akaike's criterion for small samples, the smaller the better; it cannot be stated with fewer than two "
            + "images more than a model has parameters. k = 1 is that of the fitted integral. A prior is used with fewer than "
            + "three images, or where the activity does not fall."
        var y = page.paragraph(note, 40, 66, width: 515, size: 7, leading: 9, colour: .note) + 8
        let heads: [(String, String, Double)] = [
            ("T eff", "h", 228), ("Integral", "k = 1, %", 272), ("mono", "AICc", 310), ("uptake", "AICc", 345),
            ("bi", "AICc", 378),
        ]
        page.text("Region", 43, y, size: 7.5, bold: true)
        page.text("Model", 120, y, size: 7.5, bold: true)
        page.text("Expected before", 392, y, size: 7.5, bold: true)
        for (head, unit, right) in heads {
            page.text(head, right, y, size: 7.5, bold: true, anchor: .end)
            page.text(unit, right, y + 9, size: 6.5, colour: .note, anchor: .end)
        }
        y += 22
        for (index, row) in summary.regions.prefix(Self.rowLimit).enumerated() {
            if index % 2 == 0 { page.box(ReportPage.margin, y - 8.5, 515, 11.5, fill: .shade) }
            putCurve(&page, row, y, rights: heads.map(\.2))
            y += 11.5
        }
        return page
    }

    private func putCurve(_ page: inout ReportPage, _ row: DoseSummary.Region, _ y: Double, rights: [Double]) {
        page.text(Self.shown(row.name), 43, y, size: 7.5)
        guard let curve = row.curve else {
            page.text("no activity", 120, y, size: 7.5)
            return
        }
        page.text(curve.model.rawValue, 120, y, size: 7.5)
        func criterion(_ model: TimeActivityCurve.Model) -> String {
            curve.candidates?.first { $0.model == model }.map { String(format: "%.1f", $0.criterion) } ?? "-"
        }
        let cells = [
            curve.foundHalfLifeHours.map(Self.digits) ?? "-",
            String(format: "%.1f", 100 * curve.integralDeviation / curve.integral),
            criterion(.monoExponential), criterion(.uptakeAndClearance), criterion(.biExponential),
        ]
        for (cell, right) in zip(cells, rights) { page.text(cell, right, y, size: 7.5, anchor: .end) }
        guard let prior = row.prior else { return }
        // A factor of one standard deviation to either side.
        let text = "\(Self.digits(prior.medianHours)) h x/ \(Self.digits(exp(prior.deviation))); \(prior.source)"
        page.text(text, 392, y, size: 6, colour: .note)
    }
}

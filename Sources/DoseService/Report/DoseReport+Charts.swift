import Dosimetry
import Foundation

extension DoseReport {
    private static let curveLimit = 20

    /// Histograms and curves.
    func chartPages() -> [ReportPage] {
        var page = ReportPage()
        Self.heading(&page, "Dose-volume histograms", 50)
        let rows = summary.regions.filter { $0.kind != "background" }.sorted { $0.gray > $1.gray }
            .prefix(Self.curveLimit)
        let histogram = Chart(
            title: "Volume that receives at least a dose", xLabel: "absorbed dose, Gy", yLabel: "volume, %",
            curves: rows.compactMap { row in histogramCurve(row.name) })
        histogram.draw(on: &page, x: 40, y: 64, width: 515, height: 260)
        let used = histogram.drawLegend(on: &page, x: 45, y: 336, width: 510, columns: 5)
        var y = 336 + used + 24
        Self.heading(&page, "Activity in time", y)
        y += 14
        let last = (summary.hours.max() ?? 24) * 1.6
        var pages: [ReportPage] = []
        let groups: [(String, [DoseSummary.Region])] = [
            ("Organs", rows.filter { $0.kind == "organ" }), ("Lesions", rows.filter { $0.kind == "lesion" }),
        ]
        for (title, members) in groups where !members.isEmpty {
            let chart = Chart(
                title: "\(title): measured with k = 1 bars, and fitted", xLabel: "hours after the administration",
                yLabel: "activity, MBq", curves: members.compactMap { timeCurve($0, until: last) }, isLogarithmic: true)
            let legend = Double((chart.curves.count + 4) / 5) * 11
            if y + 175 + legend > ReportPage.height - 50 {
                pages.append(page)
                page = ReportPage()
                Self.heading(&page, "Activity in time", 50)
                y = 64
            }
            chart.draw(on: &page, x: 40, y: y, width: 515, height: 170)
            chart.drawLegend(on: &page, x: 45, y: y + 178, width: 510, columns: 5)
            y += 190 + legend
        }
        return pages + [page]
    }

    private func histogramCurve(_ name: String) -> Chart.Curve? {
        guard let region = dosimetry.regions.first(where: { $0.name == name }),
            // A region in the table has a volume.
            let histogram = try? dosimetry.histogram(region)
        else { return nil }
        let bins = histogram.cumulative(binCount: 100)
        return Chart.Curve(
            name: Self.shown(name),
            // Above the highest dose there is nothing.
            points: bins.millilitres.enumerated().map {
                SIMD2(Double($0) * bins.width, 100 * $1 / histogram.millilitres)
            } + [SIMD2(histogram.maximum, 0)])
    }

    private func timeCurve(_ row: DoseSummary.Region, until last: Double) -> Chart.Curve? {
        guard let curve = row.curve else { return nil }
        return Chart.Curve(
            name: Self.shown(row.name),
            points: (0...80).map { step in
                let hours = last * Double(step) / 80
                return SIMD2(hours, curve.activity(at: hours))
            }, marks: curve.samples.map { (SIMD2($0.hours, $0.value), $0.deviation) })
    }
}

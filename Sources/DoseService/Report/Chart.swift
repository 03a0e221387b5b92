import Foundation

/// Curves and points over two axes that start at nothing, or over a logarithmic vertical one.
struct Chart {
    struct Curve {
        let name: String
        let points: [SIMD2<Double>]
        /// Measured values with their deviations, drawn as marks with bars.
        var marks: [(place: SIMD2<Double>, deviation: Double)] = []
    }

    let title, xLabel, yLabel: String
    let curves: [Curve]
    var isLogarithmic = false

    func draw(on page: inout ReportPage, x: Double, y: Double, width: Double, height: Double) {
        let (left, bottom) = (x + 38, y + height - 30)
        let (plotWidth, plotHeight) = (width - 46, height - 48)
        let xTop = Self.ceiling(curves.flatMap(\.points).map(\.x).max() ?? 1)
        let (low, high) = verticalRange()
        func place(_ point: SIMD2<Double>) -> SIMD2<Double> {
            let part =
                isLogarithmic
                ? (log10(max(point.y, low)) - log10(low)) / (log10(high) - log10(low)) : (point.y - low) / (high - low)
            return SIMD2(left + point.x / xTop.value * plotWidth, bottom - min(max(part, 0), 1) * plotHeight)
        }
        page.text(title, x, y + 10, size: 9, bold: true)
        for tick in stride(from: 0, through: xTop.value * 1.0001, by: xTop.step) {
            let at = place(SIMD2(tick, low))
            page.line([at, SIMD2(at.x, bottom - plotHeight)], width: 0.3, colour: .shade)
            page.text(Self.short(tick), at.x, bottom + 10, size: 7, anchor: .middle)
        }
        for tick in verticalTicks(low, high) {
            let at = place(SIMD2(0, tick))
            page.line([at, SIMD2(left + plotWidth, at.y)], width: 0.3, colour: .shade)
            page.text(Self.short(tick), left - 4, at.y + 2.5, size: 7, anchor: .end)
        }
        page.line(
            [SIMD2(left, bottom - plotHeight), SIMD2(left, bottom), SIMD2(left + plotWidth, bottom)], width: 0.8)
        page.text(xLabel, left + plotWidth / 2, bottom + 21, size: 7.5, anchor: .middle)
        page.text(yLabel, left + 3, y + 22, size: 7.5, colour: .note)
        for (index, curve) in curves.enumerated() {
            let colour = Canvas.Colour.series[index % Canvas.Colour.series.count]
            let isDashed = index >= Canvas.Colour.series.count
            page.line(curve.points.map(place), width: 1, colour: colour, dashed: isDashed)
            for mark in curve.marks { draw(mark, place, colour, &page) }
        }
    }

    /// Names beside their colours, in columns below a chart.
    ///
    /// - Returns: the height it took.
    @discardableResult
    func drawLegend(on page: inout ReportPage, x: Double, y: Double, width: Double, columns: Int) -> Double {
        for (index, curve) in curves.enumerated() {
            let at = SIMD2(x + Double(index % columns) * width / Double(columns), y + Double(index / columns) * 11)
            let colour = Canvas.Colour.series[index % Canvas.Colour.series.count]
            page.line(
                [at, at + SIMD2(14, 0)], width: 1.6, colour: colour, dashed: index >= Canvas.Colour.series.count)
            page.text(curve.name, at.x + 18, at.y + 2.5, size: 7)
        }
        return Double((curves.count + columns - 1) / columns) * 11
    }

    private func draw(
        _ mark: (place: SIMD2<Double>, deviation: Double), _ place: (SIMD2<Double>) -> SIMD2<Double>,
        _ colour: Canvas.Colour, _ page: inout ReportPage
    ) {
        let centre = place(mark.place)
        let (top, foot) = (
            place(mark.place + SIMD2(0, mark.deviation)), place(mark.place - SIMD2(0, mark.deviation))
        )
        page.line([top, foot], width: 0.8, colour: colour)
        page.box(centre.x - 1.8, centre.y - 1.8, 3.6, 3.6, fill: colour)
    }

    private func verticalRange() -> (Double, Double) {
        let values = curves.flatMap { $0.points.map(\.y) + $0.marks.map { $0.place.y + $0.deviation } }
        guard isLogarithmic else { return (0, Self.ceiling(values.max() ?? 1).value) }
        let positive = values.filter { $0 > 0 }
        let top = pow(10, log10(positive.max() ?? 1).rounded(.up))
        let least = pow(10, log10(positive.min() ?? 0.1).rounded(.down))
        return (max(least, top * 1e-6), top)
    }

    private func verticalTicks(_ low: Double, _ high: Double) -> [Double] {
        guard isLogarithmic else {
            return Array(stride(from: 0, through: high * 1.0001, by: Self.ceiling(high).step))
        }
        return (0...Int((log10(high) - log10(low)).rounded())).map { low * pow(10, Double($0)) }
    }

    /// A round number not below a value, and a step that divides it.
    static func ceiling(_ value: Double) -> (value: Double, step: Double) {
        guard value > 0, value.isFinite else { return (1, 0.5) }
        let power = pow(10, log10(value / 4).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 * 6 >= value } ?? 10 * power
        return ((value / step - 1e-9).rounded(.up) * step, step)
    }

    static func short(_ value: Double) -> String { String(format: value >= 1000 ? "%.0f" : "%.3g", value) }
}

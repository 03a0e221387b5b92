import Foundation

/// One image in a picture: rows from the feet up in memory, from the head down on the page, with letters for the
/// patient's sides.
package struct Panel {
    enum Scale {
        /// White is nothing, black is the peak.
        case grey(Float, String)
        /// Blue is below, red above zero.
        case signed(Float, String)
    }

    let title: String
    /// - Shape: `[z, x]`, x fastest.
    let values: [Float]
    let columns: Int
    /// Height of a pixel in widths of it.
    let aspect: Double
    let mirrored: Bool
    let scale: Scale
    /// Width of a pixel; nil draws no bar of 100 mm.
    var pixelMillimetres: Double?

    func size(_ magnification: Int) -> (width: Int, height: Int) {
        let rows = values.count / columns
        return (columns * magnification, Int(Double(rows * magnification) * aspect))
    }

    func draw(on canvas: inout Canvas, left: Int, top: Int, scale magnification: Int, caption: Int) {
        canvas.write(title, x: left, y: top, scale: 2)
        canvas.write(legend, x: left, y: top + 20, scale: 2, colour: .faint)
        drawRamp(on: &canvas, left: left, top: top + 40)
        let rows = values.count / columns
        let (width, height) = size(magnification)
        for y in 0..<height {
            let row = rows - 1 - min(Int(Double(y) / Double(magnification) / aspect), rows - 1)
            for x in 0..<width {
                let column = x / magnification
                let value = values[row * columns + (mirrored ? columns - 1 - column : column)]
                canvas.set(left + x, top + caption + y, colour(value))
            }
        }
        for x in -1...width {
            canvas.set(left + x, top + caption - 1, .faint)
            canvas.set(left + x, top + caption + height, .faint)
        }
        for y in -1...height {
            canvas.set(left - 1, top + caption + y, .faint)
            canvas.set(left + width, top + caption + y, .faint)
        }
        drawBar(on: &canvas, left: left, bottom: top + caption + height, width: width, magnification)
        canvas.write(mirrored ? "L" : "R", x: left + 6, y: top + caption + 6, scale: 3, colour: .faint)
        canvas.write(mirrored ? "R" : "L", x: left + width - 22, y: top + caption + 6, scale: 3, colour: .faint)
    }

    /// Where the scale ends, for values beyond it.
    private var clipping: String? {
        guard case .grey(let peak, _) = scale else { return nil }
        return Self.clipping(of: values, above: peak)
    }

    /// - Returns: nil when nothing is cut off.
    package static func clipping(of values: [Float], above peak: Float) -> String? {
        values.contains { $0 > peak } ? "clipped above \(short(peak))" : nil
    }

    private var legend: String {
        switch scale {
        case .grey(let peak, let unit): "0 to \(Self.short(peak)) \(unit)"
        case .signed(let peak, let unit): "-\(Self.short(peak)) to +\(Self.short(peak)) \(unit)"
        }
    }

    /// The colours of the scale from its lowest to its highest value, and whether values lie beyond it.
    private func drawRamp(on canvas: inout Canvas, left: Int, top: Int) {
        let (width, height) = (clipping == nil ? 120 : 30, 12)
        for x in 0..<width {
            let part = Float(x) / Float(width - 1)
            let value =
                switch scale {
                case .grey(let peak, _): part * peak
                case .signed(let peak, _): (2 * part - 1) * peak
                }
            for y in 0..<height {
                let isEdge = x == 0 || y == 0 || x == width - 1 || y == height - 1
                canvas.set(left + x, top + y, isEdge ? .faint : colour(value))
            }
        }
        if let clipping { canvas.write(clipping, x: left + width + 6, y: top, scale: 2, colour: .faint) }
    }

    /// 100 mm along the patient's x.
    private func drawBar(on canvas: inout Canvas, left: Int, bottom: Int, width: Int, _ magnification: Int) {
        guard let pixelMillimetres else { return }
        let length = Int((100 / pixelMillimetres * Double(magnification)).rounded())
        guard length + 12 < width else { return }
        for x in 0..<length { for y in 8..<11 { canvas.set(left + 6 + x, bottom - y, .faint) } }
        canvas.write("100 mm", x: left + 6, y: bottom - 28, scale: 2, colour: .faint)
    }

    private func colour(_ value: Float) -> Canvas.Colour {
        switch scale {
        case .grey(let peak, _):
            let part = peak > 0 ? min(max(value / peak, 0), 1) : 0
            // A square root brings the faint parts out; black stays the peak.
            let level = UInt8(255 * (1 - part.squareRoot()))
            return Canvas.Colour(red: level, green: level, blue: level)
        case .signed(let peak, _):
            let part = min(max(value / peak, -1), 1)
            let rest = UInt8(255 * (1 - abs(part)))
            return part < 0
                ? Canvas.Colour(red: rest, green: rest, blue: 255) : Canvas.Colour(red: 255, green: rest, blue: rest)
        }
    }

    /// Three significant digits.
    package static func short(_ value: Float) -> String {
        guard value > 0, value.isFinite else { return "0" }
        guard value >= 999.5 else { return String(format: "%.3g", value) }
        let unit = pow(10, (log10(Double(value)) - 2).rounded(.down))
        return String(format: "%.0f", (Double(value) / unit).rounded() * unit)
    }

    /// A value that the given share of all values does not pass.
    static func percentile(_ values: [Float], _ share: Double) -> Float {
        guard !values.isEmpty else { return 1 }
        let sorted = values.sorted()
        return sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }
}

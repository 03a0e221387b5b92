/// One image in a picture: rows from the feet up in memory, from the head down on the page, with letters for the
/// patient's sides.
struct Panel {
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

    func size(_ magnification: Int) -> (width: Int, height: Int) {
        let rows = values.count / columns
        return (columns * magnification, Int(Double(rows * magnification) * aspect))
    }

    func draw(on canvas: inout Canvas, left: Int, top: Int, scale magnification: Int, caption: Int) {
        canvas.write(title, x: left, y: top, scale: 2)
        canvas.write(legend, x: left, y: top + 20, scale: 2, colour: .faint)
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
        canvas.write(mirrored ? "L" : "R", x: left + 6, y: top + caption + 6, scale: 3, colour: .faint)
        canvas.write(mirrored ? "R" : "L", x: left + width - 22, y: top + caption + 6, scale: 3, colour: .faint)
    }

    private var legend: String {
        switch scale {
        case .grey(let peak, let unit): "0 to \(Self.short(peak)) \(unit)"
        case .signed(let peak, let unit): "-\(Self.short(peak)) to +\(Self.short(peak)) \(unit)"
        }
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
    static func short(_ value: Float) -> String {
        guard value > 0, value.isFinite else { return "0" }
        var unit = 1
        var scaled = Int(value.rounded())
        if value < 100 { return "\((value * 10).rounded() / 10)" }
        while scaled >= 1000 {
            scaled /= 10
            unit *= 10
        }
        return "\(scaled * unit)"
    }

    /// A value that the given share of all values does not pass.
    static func percentile(_ values: [Float], _ share: Double) -> Float {
        guard !values.isEmpty else { return 1 }
        let sorted = values.sorted()
        return sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }
}

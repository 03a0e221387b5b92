import Imaging

/// A plane of a volume as a picture: columns to the patient's left, the head or the front at the top.
struct PlanePicture {
    /// - Shape: `[row, column]`, the first row at the feet or at the front.
    let values: [Float]
    let columns: Int
    /// Height of a pixel in widths of it.
    let aspect: Double
    /// Whether the first row belongs at the bottom.
    let isUpward: Bool

    private var rows: Int { values.count / columns }

    /// Height over width of the whole.
    var shape: Double { Double(rows) * aspect / Double(columns) }

    /// White is nothing and black the peak, as everywhere in the report.
    func grey(width: Int, peak: Float, mirrored: Bool = false) -> Canvas {
        draw(width: width, mirrored: mirrored) { value in
            let level = UInt8(255 * (1 - min(max(value / max(peak, 1e-20), 0), 1).squareRoot()))
            return Canvas.Colour(red: level, green: level, blue: level)
        }
    }

    /// Blue is below, red above zero.
    func signed(width: Int, peak: Float, mirrored: Bool = false) -> Canvas {
        draw(width: width, mirrored: mirrored) { value in
            let part = min(max(value / peak, -1), 1)
            let rest = UInt8(255 * (1 - abs(part)))
            return part < 0
                ? Canvas.Colour(red: rest, green: rest, blue: 255) : Canvas.Colour(red: 255, green: rest, blue: rest)
        }
    }

    /// These values, CT numbers, in grey; over them lines of equal dose.
    func fused(width: Int, dose: PlanePicture, levels: [(gray: Float, colour: Canvas.Colour)]) -> Canvas {
        var canvas = draw(width: width, mirrored: false) { value in
            // A window for soft tissue.
            let level = UInt8(255 * min(max((value + 160) / 400, 0), 1))
            return Canvas.Colour(red: level, green: level, blue: level)
        }
        let (wide, high) = (canvas.width, canvas.height)
        var sampled = [Float](repeating: 0, count: wide * high)
        for y in 0..<high {
            for x in 0..<wide { sampled[y * wide + x] = dose.sample(x, y, wide, high, mirrored: false) }
        }
        for (gray, colour) in levels {
            for y in 0..<high - 1 {
                for x in 0..<wide - 1 {
                    let here = sampled[y * wide + x] >= gray
                    guard (sampled[y * wide + x + 1] >= gray) != here || (sampled[(y + 1) * wide + x] >= gray) != here
                    else { continue }
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] { canvas.set(x + dx, y + dy, colour) }
                }
            }
        }
        return canvas
    }

    private func draw(width: Int, mirrored: Bool, _ colour: (Float) -> Canvas.Colour) -> Canvas {
        let height = max(1, Int((Double(width) * shape).rounded()))
        var canvas = Canvas(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width { canvas.set(x, y, colour(sample(x, y, width, height, mirrored: mirrored))) }
        }
        return canvas
    }

    /// The value under a pixel of a picture, between the four around it.
    private func sample(_ x: Int, _ y: Int, _ width: Int, _ height: Int, mirrored: Bool) -> Float {
        let across = (Double(mirrored ? width - 1 - x : x) + 0.5) * Double(columns) / Double(width) - 0.5
        let down = (Double(isUpward ? height - 1 - y : y) + 0.5) * Double(rows) / Double(height) - 0.5
        let (cx, cy) = (min(max(across, 0), Double(columns - 1)), min(max(down, 0), Double(rows - 1)))
        let (x0, y0) = (min(Int(cx), max(columns - 2, 0)), min(Int(cy), max(rows - 2, 0)))
        let (fx, fy) = (Float(cx - Double(x0)), Float(cy - Double(y0)))
        let (x1, y1) = (min(x0 + 1, columns - 1), min(y0 + 1, rows - 1))
        let top = values[y0 * columns + x0] * (1 - fx) + values[y0 * columns + x1] * fx
        let bottom = values[y1 * columns + x0] * (1 - fx) + values[y1 * columns + x1] * fx
        return top * (1 - fy) + bottom * fy
    }
}

extension Volume where Element == Float {
    /// Rows from the feet to the head.
    func coronal(_ y: Int) -> PlanePicture {
        let values = (0..<grid.slices).flatMap { z in (0..<grid.columns).map { self[$0, y, z] } }
        return PlanePicture(
            values: values, columns: grid.columns, aspect: grid.spacing.z / grid.spacing.x, isUpward: true)
    }

    /// Columns from the front to the back.
    func sagittal(_ x: Int) -> PlanePicture {
        let values = (0..<grid.slices).flatMap { z in (0..<grid.rows).map { self[x, $0, z] } }
        return PlanePicture(values: values, columns: grid.rows, aspect: grid.spacing.z / grid.spacing.y, isUpward: true)
    }

    /// Rows from the front to the back, as seen from the feet.
    func axial(_ z: Int) -> PlanePicture {
        let values = (0..<grid.rows).flatMap { y in (0..<grid.columns).map { self[$0, y, z] } }
        return PlanePicture(
            values: values, columns: grid.columns, aspect: grid.spacing.y / grid.spacing.x, isUpward: false)
    }

    /// The largest value behind each pixel, seen from the front or from the patient's left.
    func maximumProjection(alongRows: Bool) -> PlanePicture {
        let columns = alongRows ? grid.columns : grid.rows
        var values = [Float](repeating: 0, count: columns * grid.slices)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    let place = z * columns + (alongRows ? x : y)
                    values[place] = Swift.max(values[place], self[x, y, z])
                }
            }
        }
        let across = alongRows ? grid.spacing.x : grid.spacing.y
        return PlanePicture(values: values, columns: columns, aspect: grid.spacing.z / across, isUpward: true)
    }
}

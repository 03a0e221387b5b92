import Glibc
package import Tomography

/// A small shift and rotation of a planar image within its plane.
///
/// The camera's image of a patient who lies a little turned on the table is the turned image of the patient, so the
/// projector need not know of it. A rotation is three shears, each a shift of lines by a part of a pixel, which a windowed
/// sinc of six taps makes with a loss that images as smooth as a collimator's hardly show.
///
/// - Units: millimetres, radians; a positive rotation turns x towards z.
/// - Source: Unser, Thévenaz, Yaroslavsky, Convolution-based interpolation for fast, high-quality rotation of images,
///   IEEE Trans. Image Process. 4 (1995) 1371.
package struct ImageMotion: Equatable {
    package var shift: SIMD2<Double>
    package var rotation: Double

    package init(shift: SIMD2<Double>, rotation: Double) { (self.shift, self.rotation) = (shift, rotation) }

    static let none = ImageMotion(shift: SIMD2(0, 0), rotation: 0)

    /// Moves one head's image; what leaves it is lost, what enters is zero.
    ///
    /// - Shape: `[z, x]` on the detector's pixels. The rotation is about their centre.
    package func apply(to image: [Float], on detector: DetectorGrid) -> [Float] {
        guard self != .none else { return image }
        let (columns, rows) = (detector.columns, detector.rows)
        let centre = SIMD2(Double(columns - 1), Double(rows - 1)) / 2
        // Distances in pixels; pixels need not be square.
        let ratio = detector.spacing.y / detector.spacing.x
        let slope = -tan(rotation / 2) * ratio
        let rise = sin(rotation) / ratio
        let move = shift / detector.spacing
        var moved = image
        if rotation != 0 { Self.shearRows(&moved, columns, rows) { slope * (Double($0) - centre.y) } }
        Self.shearColumns(&moved, columns, rows) { rise * (Double($0) - centre.x) + move.y }
        Self.shearRows(&moved, columns, rows) { (rotation == 0 ? 0 : slope * (Double($0) - centre.y)) + move.x }
        return moved
    }

    private static func shearRows(
        _ image: inout [Float], _ columns: Int, _ rows: Int, by shift: (Int) -> Double
    ) {
        var line = [Float](repeating: 0, count: columns)
        for row in 0..<rows {
            let taps = Taps(shift(row))
            if taps.isIdentity { continue }
            for column in 0..<columns {
                var sum: Float = 0
                for tap in 0..<Taps.count {
                    let source = column - taps.whole + tap - 2
                    if source >= 0, source < columns { sum += taps[tap] * image[row * columns + source] }
                }
                line[column] = sum
            }
            for column in 0..<columns { image[row * columns + column] = line[column] }
        }
    }

    private static func shearColumns(
        _ image: inout [Float], _ columns: Int, _ rows: Int, by shift: (Int) -> Double
    ) {
        let source = image
        for column in 0..<columns {
            let taps = Taps(shift(column))
            if taps.isIdentity { continue }
            for row in 0..<rows {
                var sum: Float = 0
                for tap in 0..<Taps.count {
                    let from = row - taps.whole + tap - 2
                    if from >= 0, from < rows { sum += taps[tap] * source[from * columns + column] }
                }
                image[row * columns + column] = sum
            }
        }
    }

    /// Weights of a shift by `whole` pixels and a part of one, for the sources from `-whole - 2` to `-whole + 3`.
    private struct Taps {
        static let count = 6
        let whole: Int
        private let first: SIMD4<Float>
        private let last: SIMD2<Float>
        let isIdentity: Bool

        init(_ shift: Double) {
            // The value at i comes from i - shift, which lies between -whole and -whole + 1 for whole = ceil(shift).
            let up = shift.rounded(.up)
            whole = Int(up)
            let part = up - shift
            isIdentity = shift == 0
            let raw = (0..<Self.count).map { Self.lanczos(Double($0 - 2) - part) }
            let sum = raw.reduce(0, +)
            // A constant image stays what it is, and what is shifted has its centre exactly where it should be.
            var weights = raw.map { $0 / sum }
            let away = weights.indices.reduce(0.0) { $0 + weights[$1] * (Double($1 - 2) - part) }
            weights[2] += away
            weights[3] -= away
            first = SIMD4(Float(weights[0]), Float(weights[1]), Float(weights[2]), Float(weights[3]))
            last = SIMD2(Float(weights[4]), Float(weights[5]))
        }

        subscript(tap: Int) -> Float { tap < 4 ? first[tap] : last[tap - 4] }

        private static func lanczos(_ t: Double) -> Double {
            if abs(t) < 1e-9 { return 1 }
            if abs(t) >= 3 { return 0 }
            let u = Double.pi * t
            return 3 * sin(u) * sin(u / 3) / (u * u)
        }
    }
}

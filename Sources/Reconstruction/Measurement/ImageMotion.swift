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
        ImageShears(self, on: detector).moved(ImagePatch(image[...], on: detector)).whole(on: detector)
    }
}

/// The shears of one motion on one detector, ready for any number of images.
struct ImageShears {
    private let detector: DetectorGrid
    /// One after the other; none for the identity.
    private let steps: [Step]

    fileprivate enum Step {
        case alongRows(LineShifts)
        case alongColumns(LineShifts)
    }

    init(_ motion: ImageMotion, on detector: DetectorGrid) {
        self.detector = detector
        guard motion != .none else {
            steps = []
            return
        }
        let centre = SIMD2(Double(detector.columns - 1), Double(detector.rows - 1)) / 2
        // Distances in pixels; pixels need not be square.
        let ratio = detector.spacing.y / detector.spacing.x
        let slope = -tan(motion.rotation / 2) * ratio
        let rise = sin(motion.rotation) / ratio
        let move = motion.shift / detector.spacing
        func rows(_ more: Double) -> Step {
            .alongRows(LineShifts((0..<detector.rows).map { slope * (Double($0) - centre.y) + more }))
        }
        let columns = LineShifts((0..<detector.columns).map { rise * (Double($0) - centre.x) + move.y })
        steps = (motion.rotation == 0 ? [] : [rows(0)]) + [.alongColumns(columns), rows(move.x)]
    }

    func moved(_ patch: ImagePatch) -> ImagePatch {
        steps.reduce(patch) { $1.moved($0, on: detector) }
    }

    /// The adjoint of ``moved(_:)``.
    func movedBack(_ patch: ImagePatch) -> ImagePatch {
        steps.reversed().reduce(patch) { $1.adjoint.moved($0, on: detector) }
    }
}

extension ImageShears.Step {
    fileprivate var adjoint: Self {
        switch self {
        case .alongRows(let shifts): .alongRows(shifts.adjoint)
        case .alongColumns(let shifts): .alongColumns(shifts.adjoint)
        }
    }

    fileprivate func moved(_ patch: ImagePatch, on detector: DetectorGrid) -> ImagePatch {
        guard !patch.values.isEmpty else { return patch }
        switch self {
        case .alongRows(let shifts):
            let source = patch.grown(columns: shifts.reach(of: patch.rows), rows: 0, on: detector)
            var result = ImagePatch(columns: source.columns, rows: source.rows)
            shifts.moveRows(source, &result)
            return result
        case .alongColumns(let shifts):
            let source = patch.grown(columns: 0, rows: shifts.reach(of: patch.columns), on: detector)
            var result = ImagePatch(columns: source.columns, rows: source.rows)
            shifts.moveColumns(source, &result)
            return result
        }
    }
}

/// How far each line of an image is shifted along itself, in pixels, as whole pixels and weights of six neighbours.
private struct LineShifts {
    private static let taps = 6
    /// The value at i comes from `i - shift`, between the sources `i - whole` and `i - whole + 1`.
    private var whole: [Int]
    /// Weights of the sources from `i - whole - 2` to `i - whole + 3`, tap by tap.
    private var weights: [[Float]]

    init(_ shifts: [Double]) {
        whole = shifts.map { Int($0.rounded(.up)) }
        weights = [[Float]](repeating: [], count: Self.taps)
        for (line, shift) in shifts.enumerated() {
            for (tap, weight) in Self.weights(part: Double(whole[line]) - shift).enumerated() {
                weights[tap].append(weight)
            }
        }
    }

    var adjoint: LineShifts {
        var result = self
        result.whole = whole.map { 1 - $0 }
        result.weights = weights.reversed()
        return result
    }

    private static func weights(part: Double) -> [Float] {
        let raw = (0..<taps).map { lanczos(Double($0 - 2) - part) }
        let sum = raw.reduce(0, +)
        // A constant image stays what it is, and what is shifted has its centre exactly where it should be.
        var weights = raw.map { $0 / sum }
        let away = weights.indices.reduce(0.0) { $0 + weights[$1] * (Double($1 - 2) - part) }
        weights[2] += away
        weights[3] -= away
        return weights.map { Float($0) }
    }

    private static func lanczos(_ t: Double) -> Double {
        if abs(t) < 1e-9 { return 1 }
        if abs(t) >= 3 { return 0 }
        let u = Double.pi * t
        return 3 * sin(u) * sin(u / 3) / (u * u)
    }

    /// By how many pixels the image of some lines may grow.
    func reach(of lines: Range<Int>) -> Int { lines.reduce(0) { max($0, abs(whole[$1])) } + Self.taps / 2 }

    /// The part of a line that has a source at a distance.
    private static func range(_ count: Int, _ move: Int) -> Range<Int> {
        let first = max(0, -move)
        return first..<max(first, min(count, count - move))
    }

    func moveRows(_ source: ImagePatch, _ result: inout ImagePatch) {
        let width = source.columns.count
        source.values.withUnsafeBufferPointer { source in
            result.values.withUnsafeMutableBufferPointer { target in
                for (index, row) in result.rows.enumerated() {
                    for tap in 0..<Self.taps {
                        let move = tap - 2 - whole[row]
                        let weight = weights[tap][row]
                        let from = index * width + move
                        for column in Self.range(width, move) {
                            target[index * width + column] += weight * source[from + column]
                        }
                    }
                }
            }
        }
    }

    func moveColumns(_ source: ImagePatch, _ result: inout ImagePatch) {
        let (width, height) = (source.columns.count, source.rows.count)
        let first = source.columns.lowerBound
        // Neighbouring columns that are shifted by the same whole pixels are moved together.
        var start = source.columns.lowerBound
        while start < source.columns.upperBound {
            let end = source.columns[start...].first { whole[$0] != whole[start] } ?? source.columns.upperBound
            for tap in 0..<Self.taps {
                let move = tap - 2 - whole[start]
                weights[tap].withUnsafeBufferPointer { weights in
                    source.values.withUnsafeBufferPointer { source in
                        result.values.withUnsafeMutableBufferPointer { target in
                            for row in Self.range(height, move) {
                                let (to, from) = (row * width - first, (row + move) * width - first)
                                for column in start..<end {
                                    target[to + column] += weights[column] * source[from + column]
                                }
                            }
                        }
                    }
                }
            }
            start = end
        }
    }
}

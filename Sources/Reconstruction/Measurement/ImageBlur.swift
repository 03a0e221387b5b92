import Glibc
import Tomography

/// A Gaussian blur of planar images; outside of an image there is nothing. It is its own adjoint.
struct ImageBlur: Sendable {
    private let detector: DetectorGrid
    private let alongX, alongZ: [Float]

    /// - Parameter deviation: in millimetres.
    init(on detector: DetectorGrid, deviation: Double) {
        self.detector = detector
        alongX = Self.kernel(deviation / detector.spacing.x)
        alongZ = Self.kernel(deviation / detector.spacing.y)
    }

    private static func kernel(_ deviation: Double) -> [Float] {
        let radius = Int((3 * deviation).rounded(.up))
        let values = (-radius...radius).map { exp(-pow(Double($0) / deviation, 2) / 2) }
        let sum = values.reduce(0, +)
        return values.map { Float($0 / sum) }
    }

    /// - Shape: `[z, x]` on the detector's pixels.
    func applied(to image: [Float]) -> [Float] {
        applied(to: ImagePatch(image[...], on: detector)).whole(on: detector)
    }

    /// A patch that is larger by what the blur reaches.
    func applied(to patch: ImagePatch) -> ImagePatch {
        let (across, along) = (alongX.count / 2, alongZ.count / 2)
        let source = patch.grown(columns: across, rows: along, on: detector)
        let (width, height) = (source.columns.count, source.rows.count)
        var middle = ImagePatch(columns: source.columns, rows: source.rows)
        var result = middle
        source.values.withUnsafeBufferPointer { source in
            middle.values.withUnsafeMutableBufferPointer { middle in
                for row in 0..<height { blurLine(source, middle, at: row * width, width) }
            }
        }
        middle.values.withUnsafeBufferPointer { middle in
            result.values.withUnsafeMutableBufferPointer { result in
                for row in 0..<height {
                    for tap in max(0, along - row)..<min(alongZ.count, height + along - row) {
                        let weight = alongZ[tap]
                        let from = (row + tap - along) * width
                        for column in 0..<width { result[row * width + column] += weight * middle[from + column] }
                    }
                }
            }
        }
        return result
    }

    private func blurLine(
        _ source: UnsafeBufferPointer<Float>, _ target: UnsafeMutableBufferPointer<Float>, at line: Int, _ width: Int
    ) {
        for (tap, weight) in alongX.enumerated() {
            let move = tap - alongX.count / 2
            let first = max(0, -move)
            for column in first..<max(first, min(width, width - move)) {
                target[line + column] += weight * source[line + column + move]
            }
        }
    }
}

import Glibc
import Imaging

/// Values on the pixels of a detector.
///
/// - Shape: `values` is `[z, x]`, x fastest.
public struct PlanarImage: Equatable, Sendable {
    public let detector: DetectorGrid
    public let values: [Float]

    public init(detector: DetectorGrid, values: [Float]) {
        precondition(values.count == detector.pixelCount)
        (self.detector, self.values) = (detector, values)
    }

    /// Smoothed by a Gaussian; what it carries over the edge is lost.
    ///
    /// - Parameter deviation: of the Gaussian, in millimetres.
    public func blurred(deviation: Double) -> PlanarImage {
        let (columns, rows) = (detector.columns, detector.rows)
        var middle = [Float](repeating: 0, count: values.count)
        for (tap, weight) in Self.kernel(deviation / detector.spacing.x) {
            let range = max(0, -tap)..<max(max(0, -tap), min(columns, columns - tap))
            for row in 0..<rows {
                for column in range { middle[row * columns + column] += weight * values[row * columns + column + tap] }
            }
        }
        var result = [Float](repeating: 0, count: values.count)
        for (tap, weight) in Self.kernel(deviation / detector.spacing.y) {
            for row in max(0, -tap)..<max(max(0, -tap), min(rows, rows - tap)) {
                let (target, source) = (row * columns, (row + tap) * columns)
                for column in 0..<columns { result[target + column] += weight * middle[source + column] }
            }
        }
        return PlanarImage(detector: detector, values: result)
    }

    private static func kernel(_ deviationPixels: Double) -> [(tap: Int, weight: Float)] {
        let radius = Int((4 * deviationPixels).rounded(.up))
        let weights = (-radius...radius).map { exp(-pow(Double($0) / deviationPixels, 2) / 2) }
        let sum = weights.reduce(0, +)
        return zip(-radius...radius, weights).map { ($0, Float($1 / sum)) }
    }

    /// The image on other pixels of the same size that lie elsewhere and turned, by Catmull-Rom interpolation; nothing is
    /// seen outside.
    ///
    /// - Parameter place: where the centre of a new pixel lies on this image, both in millimetres.
    public func sampled(
        on target: DetectorGrid, at place: (SIMD2<Double>) -> SIMD2<Double>
    ) -> PlanarImage {
        var result = [Float](repeating: 0, count: target.pixelCount)
        for row in 0..<target.rows {
            for column in 0..<target.columns {
                let centre = target.origin + SIMD2(Double(column), Double(row)) * target.spacing
                // Interpolation of counts may swing below zero beside an edge.
                result[row * target.columns + column] = max(0, value(at: place(centre)))
            }
        }
        return PlanarImage(detector: target, values: result)
    }

    private func value(at place: SIMD2<Double>) -> Float {
        let index = (place - detector.origin) / detector.spacing
        let base = index.rounded(.down)
        let (weightsX, weightsZ) = (Self.weights(index.x - base.x), Self.weights(index.y - base.y))
        let (firstColumn, firstRow) = (Int(base.x) - 1, Int(base.y) - 1)
        var sum: Float = 0
        for z in 0..<4 where firstRow + z >= 0 && firstRow + z < detector.rows {
            let start = (firstRow + z) * detector.columns
            for x in 0..<4 where firstColumn + x >= 0 && firstColumn + x < detector.columns {
                sum += weightsZ[z] * weightsX[x] * values[start + firstColumn + x]
            }
        }
        return sum
    }

    /// - Source: Catmull, Rom, A class of local interpolating splines, 1974.
    private static func weights(_ part: Double) -> SIMD4<Float> {
        let t = Float(part)
        let (t2, t3) = (t * t, t * t * t)
        return SIMD4(-t + 2 * t2 - t3, 2 - 5 * t2 + 3 * t3, t + 4 * t2 - 3 * t3, t3 - t2) / 2
    }
}

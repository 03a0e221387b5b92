import Glibc
import Imaging

extension Volume where Element == Float {
    /// Smoothed by a Gaussian; beyond the grid the value at its edge goes on.
    ///
    /// - Parameter deviation: of the Gaussian, in millimetres.
    func smoothed(deviation: Double) -> Volume<Float> {
        var result = self
        for (axis, stride) in [1, grid.columns, grid.columns * grid.rows].enumerated() {
            let count = [grid.columns, grid.rows, grid.slices][axis]
            let kernel = Self.kernel(deviation: deviation / grid.spacing[axis])
            let source = result.voxels
            for start in Swift.stride(from: 0, to: source.count, by: stride * count) {
                for place in 0..<count {
                    let target = start + place * stride
                    for lane in 0..<stride { result.voxels[target + lane] = 0 }
                    for (tap, weight) in kernel {
                        let line = start + Swift.min(Swift.max(place + tap, 0), count - 1) * stride
                        for lane in 0..<stride { result.voxels[target + lane] += weight * source[line + lane] }
                    }
                }
            }
        }
        return result
    }

    private static func kernel(deviation: Double) -> [(tap: Int, weight: Float)] {
        let radius = Int((3 * deviation).rounded(.up))
        let weights = (-radius...radius).map { exp(-pow(Double($0) / Swift.max(deviation, 1e-6), 2) / 2) }
        let sum = weights.reduce(0, +)
        return zip(-radius...radius, weights).map { ($0, Float($1 / sum)) }
    }
}

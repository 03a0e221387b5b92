import Glibc
import Imaging

/// Structural similarity of two maps in three dimensions.
///
/// The index is no number without its definition: windows of 7 voxels' side with uniform weights, sample variances,
/// `C1 = (0.01 R)²`, `C2 = (0.03 R)²` with `R` the data range. Both maps are clipped to `0...R`. Windows at the grid's edge
/// are cut, not padded.
///
/// - Source: Wang et al., IEEE Trans. Image Process. 13 (2004) 600; windows and variances as scikit-image has them.
struct StructuralSimilarityIndex {
    static let side = 7

    /// The index of each voxel's window.
    let map: Volume<Float>

    /// - Parameter range: the largest value that counts, greater than zero.
    init(_ image: Volume<Float>, truth: Volume<Float>, range: Float) {
        let grid = truth.grid
        precondition(image.grid == grid && range > 0)
        let x = image.map { min(max($0, 0), range) / range }
        let y = truth.map { min(max($0, 0), range) / range }
        func products(_ a: Volume<Float>, _ b: Volume<Float>) -> Volume<Float> {
            Self.windowSums(a.filled { a.voxels[$0] * b.voxels[$0] })
        }
        let sums = (x: Self.windowSums(x), y: Self.windowSums(y))
        let (xx, yy, xy) = (products(x, x), products(y, y), products(x, y))
        let counts = Self.windowSums(x.map { _ in 1 })
        let (c1, c2): (Float, Float) = (0.01 * 0.01, 0.03 * 0.03)
        map = x.filled { voxel in
            let n = counts.voxels[voxel]
            let (meanX, meanY) = (sums.x.voxels[voxel] / n, sums.y.voxels[voxel] / n)
            let unbiased = n / max(n - 1, 1)
            let varianceX = unbiased * (xx.voxels[voxel] / n - meanX * meanX)
            let varianceY = unbiased * (yy.voxels[voxel] / n - meanY * meanY)
            let covariance = unbiased * (xy.voxels[voxel] / n - meanX * meanY)
            return (2 * meanX * meanY + c1) * (2 * covariance + c2)
                / ((meanX * meanX + meanY * meanY + c1) * (varianceX + varianceY + c2))
        }
    }

    /// Mean over the voxels of a mask.
    func mean(over mask: [Bool]) -> Double {
        var sum = 0.0
        var count = 0
        for voxel in mask.indices where mask[voxel] {
            sum += Double(map.voxels[voxel])
            count += 1
        }
        return count > 0 ? sum / Double(count) : .nan
    }

    /// Sum over the window around each voxel, by running sums along each axis.
    private static func windowSums(_ volume: Volume<Float>) -> Volume<Float> {
        var result = volume
        let grid = volume.grid
        let half = side / 2
        let strides = [1, grid.columns, grid.columns * grid.rows]
        for (axis, count) in [grid.columns, grid.rows, grid.slices].enumerated() {
            let stride = strides[axis]
            var line = [Double](repeating: 0, count: count + 1)
            for start in 0..<grid.voxelCount where start / stride % count == 0 {
                for place in 0..<count { line[place + 1] = line[place] + Double(result.voxels[start + place * stride]) }
                for place in 0..<count {
                    let sum = line[min(place + half + 1, count)] - line[max(place - half, 0)]
                    result.voxels[start + place * stride] = Float(sum)
                }
            }
        }
        return result
    }
}

import Glibc
import Imaging

/// From a plane of voxels at the nearest depth to the pixels of a detector: the rest of the blur, the size of voxels
/// and pixels and any shift between the two grids, as one band of weights per axis.
///
/// Each weight is the part of a voxel's counts that one pixel receives: a Gaussian integrated over the width of the
/// voxel and of the pixel. The image of a plane `P` is `Rz P Rx'`.
///
/// - Shape: planes are `[z, x]` on the voxels, images `[z, x]` on the pixels.
struct DetectorResponse: Sendable {
    let columns, rows, voxelColumns, voxelSlices: Int
    private let alongX, alongZ: Band

    init(grid: VoxelGrid, detector: DetectorGrid, variance: Double) {
        (columns, rows) = (detector.columns, detector.rows)
        (voxelColumns, voxelSlices) = (grid.columns, grid.slices)
        alongX = Band(
            pixels: detector.columns, pixelOrigin: detector.origin.x, pixelSpacing: detector.spacing.x,
            voxels: grid.columns, voxelOrigin: grid.origin.x, voxelSpacing: grid.spacing.x, variance: variance)
        alongZ = Band(
            pixels: detector.rows, pixelOrigin: detector.origin.y, pixelSpacing: detector.spacing.y,
            voxels: grid.slices, voxelOrigin: grid.origin.z, voxelSpacing: grid.spacing.z, variance: variance)
    }

    /// `image += gain * Rz plane Rx'`
    func addForward(plane: UnsafePointer<Float>, gain: Float, image: UnsafeMutablePointer<Float>) {
        addForward(
            plane: plane, columns: 0..<voxelColumns, slices: 0..<voxelSlices, gain: gain, image: image)
    }

    /// The same for a plane that is known on some columns and slices only and zero elsewhere.
    ///
    /// - Shape: `plane` is `[z, x]` over the two ranges.
    func addForward(
        plane: UnsafePointer<Float>, columns range: Range<Int>, slices: Range<Int>, gain: Float,
        image: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { line in
            let line = line.baseAddress!
            for row in 0..<rows {
                let seen = alongZ.voxels(of: row).clamped(to: slices)
                if seen.isEmpty { continue }
                for x in 0..<range.count { line[x] = 0 }
                for slice in seen {
                    let weight = gain * alongZ[row, slice]
                    let source = plane + (slice - slices.lowerBound) * range.count
                    for x in 0..<range.count { line[x] += weight * source[x] }
                }
                let target = image + row * columns
                for column in 0..<columns {
                    let reached = alongX.voxels(of: column).clamped(to: range)
                    if reached.isEmpty { continue }
                    let weights = alongX.weights(of: column) - alongX.voxels(of: column).lowerBound
                    let source = line - range.lowerBound
                    var sum: Float = 0
                    for x in reached { sum += weights[x] * source[x] }
                    target[column] += sum
                }
            }
        }
    }

    /// `plane = gain * Rz' image Rx`
    func adjoint(image: UnsafePointer<Float>, gain: Float, plane: UnsafeMutablePointer<Float>) {
        for voxel in 0..<voxelSlices * voxelColumns { plane[voxel] = 0 }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: voxelColumns) { line in
            let line = line.baseAddress!
            for row in 0..<rows {
                let seen = alongZ.voxels(of: row)
                if seen.isEmpty { continue }
                for x in 0..<voxelColumns { line[x] = 0 }
                for column in 0..<columns {
                    let value = gain * image[row * columns + column]
                    let reached = alongX.voxels(of: column)
                    let weights = alongX.weights(of: column) - reached.lowerBound
                    for x in reached { line[x] += weights[x] * value }
                }
                for slice in seen {
                    let weight = alongZ[row, slice]
                    let target = plane + slice * voxelColumns
                    for x in 0..<voxelColumns { target[x] += weight * line[x] }
                }
            }
        }
    }

    /// The weights of one axis: for each pixel a run of voxels.
    private final class Band: Sendable {
        private let first: [Int]
        private let ends: [Int]
        private let width: Int
        /// Freed with the band; never written after the initialiser.
        nonisolated(unsafe) private let values: UnsafeMutablePointer<Float>

        /// Beyond so many standard deviations a Gaussian is nothing.
        private static let reach = 5.0

        init(
            pixels: Int, pixelOrigin: Double, pixelSpacing: Double,
            voxels: Int, voxelOrigin: Double, voxelSpacing: Double, variance: Double
        ) {
            let sigma = max(variance, 1e-6).squareRoot()
            // The second antiderivative of the Gaussian: its second difference over both widths is the shared part.
            func antiderivative(_ t: Double) -> Double {
                let u = t / sigma
                return sigma * (u * 0.5 * erfc(-u / 2.0.squareRoot()) + exp(-u * u / 2) / (2 * .pi).squareRoot())
            }
            let halfPixel = pixelSpacing / 2
            let halfVoxel = voxelSpacing / 2
            let reach = Self.reach * sigma + halfPixel + halfVoxel
            var first: [Int] = []
            var ends: [Int] = []
            for pixel in 0..<pixels {
                let centre = pixelOrigin + Double(pixel) * pixelSpacing - voxelOrigin
                // Compared before they become integers: a pixel may lie anywhere.
                let lower = max(0, ((centre - reach) / voxelSpacing).rounded(.up))
                let upper = min(Double(voxels - 1), ((centre + reach) / voxelSpacing).rounded(.down))
                first.append(lower <= upper ? Int(lower) : 0)
                ends.append(lower <= upper ? Int(upper) + 1 : 0)
            }
            let width = max(1, zip(first, ends).map { $1 - $0 }.max() ?? 1)
            let values = UnsafeMutablePointer<Float>.allocate(capacity: max(1, pixels * width))
            values.initialize(repeating: 0, count: max(1, pixels * width))
            for pixel in 0..<pixels {
                let centre = pixelOrigin + Double(pixel) * pixelSpacing
                for voxel in first[pixel]..<max(first[pixel], ends[pixel]) {
                    let away = centre - (voxelOrigin + Double(voxel) * voxelSpacing)
                    let part =
                        antiderivative(away + halfPixel + halfVoxel) - antiderivative(away + halfPixel - halfVoxel)
                        - antiderivative(away - halfPixel + halfVoxel) + antiderivative(away - halfPixel - halfVoxel)
                    values[pixel * width + voxel - first[pixel]] = Float(part / voxelSpacing)
                }
            }
            (self.first, self.ends, self.width, self.values) = (first, ends, width, values)
        }

        deinit { values.deallocate() }

        func voxels(of pixel: Int) -> Range<Int> { first[pixel]..<ends[pixel] }
        func weights(of pixel: Int) -> UnsafePointer<Float> { UnsafePointer(values + pixel * width) }
        subscript(pixel: Int, voxel: Int) -> Float { values[pixel * width + voxel - first[pixel]] }
    }
}

import COpenBLAS
import Glibc
import Imaging

/// From a plane of voxels at the nearest depth to the pixels of a detector: the rest of the blur, the size of voxels
/// and pixels and any shift between the two grids, as one small matrix per axis.
///
/// Each entry is the part of a voxel's counts that one pixel receives: a Gaussian integrated over the width of the
/// voxel and of the pixel. The image of a plane `P` is `Rz P Rx'`.
///
/// - Shape: `alongX` is `[pixel column, voxel column]`, `alongZ` is `[pixel row, voxel slice]`, row-major.
struct DetectorResponse: Sendable {
    let columns, rows, voxelColumns, voxelSlices: Int
    private let alongX, alongZ: [Float]

    init(grid: VoxelGrid, detector: DetectorGrid, variance: Double) {
        (columns, rows) = (detector.columns, detector.rows)
        (voxelColumns, voxelSlices) = (grid.columns, grid.slices)
        alongX = Self.matrix(
            pixels: detector.columns, pixelOrigin: detector.origin.x, pixelSpacing: detector.spacing.x,
            voxels: grid.columns, voxelOrigin: grid.origin.x, voxelSpacing: grid.spacing.x, variance: variance)
        alongZ = Self.matrix(
            pixels: detector.rows, pixelOrigin: detector.origin.y, pixelSpacing: detector.spacing.y,
            voxels: grid.slices, voxelOrigin: grid.origin.z, voxelSpacing: grid.spacing.z, variance: variance)
    }

    /// `image = gain * Rz plane Rx'`
    func forward(plane: UnsafePointer<Float>, gain: Float, image: UnsafeMutablePointer<Float>) {
        var rowsByVoxels = [Float](repeating: 0, count: rows * voxelColumns)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(voxelColumns), Int32(voxelSlices), gain,
            alongZ, Int32(voxelSlices), plane, Int32(voxelColumns), 0, &rowsByVoxels, Int32(voxelColumns))
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(columns), Int32(voxelColumns), 1,
            rowsByVoxels, Int32(voxelColumns), alongX, Int32(voxelColumns), 0, image, Int32(columns))
    }

    /// `plane = gain * Rz' image Rx`
    func adjoint(image: UnsafePointer<Float>, gain: Float, plane: UnsafeMutablePointer<Float>) {
        var slicesByPixels = [Float](repeating: 0, count: voxelSlices * columns)
        cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(voxelSlices), Int32(columns), Int32(rows), gain,
            alongZ, Int32(voxelSlices), image, Int32(columns), 0, &slicesByPixels, Int32(columns))
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(voxelSlices), Int32(voxelColumns), Int32(columns), 1,
            slicesByPixels, Int32(columns), alongX, Int32(voxelColumns), 0, plane, Int32(voxelColumns))
    }

    private static func matrix(
        pixels: Int, pixelOrigin: Double, pixelSpacing: Double,
        voxels: Int, voxelOrigin: Double, voxelSpacing: Double, variance: Double
    ) -> [Float] {
        let sigma = max(variance, 1e-6).squareRoot()
        // The second antiderivative of the Gaussian: its second difference over both widths is the shared part.
        func antiderivative(_ t: Double) -> Double {
            let u = t / sigma
            return sigma * (u * 0.5 * erfc(-u / 2.0.squareRoot()) + exp(-u * u / 2) / (2 * .pi).squareRoot())
        }
        let halfPixel = pixelSpacing / 2
        let halfVoxel = voxelSpacing / 2
        var result = [Float](repeating: 0, count: pixels * voxels)
        for pixel in 0..<pixels {
            let centre = pixelOrigin + Double(pixel) * pixelSpacing
            for voxel in 0..<voxels {
                let away = centre - (voxelOrigin + Double(voxel) * voxelSpacing)
                guard abs(away) < 6 * sigma + halfPixel + halfVoxel else { continue }
                let part =
                    antiderivative(away + halfPixel + halfVoxel) - antiderivative(away + halfPixel - halfVoxel)
                    - antiderivative(away - halfPixel + halfVoxel) + antiderivative(away - halfPixel - halfVoxel)
                result[pixel * voxels + voxel] = Float(part / voxelSpacing)
            }
        }
        return result
    }
}

import Glibc
import Imaging
import TestSupport
import Testing

@Suite struct BlurringTests {
    private static let grid = try! VoxelGrid(  // The counts are positive: it cannot fail.
        columns: 31, rows: 27, slices: 25, spacing: SIMD3(2, 3, 4), origin: SIMD3(0, 0, 0))

    @Test(arguments: [0, 1, 2])
    func aPointBecomesAGaussian(axis: Int) {
        var volume = Volume<Float>(grid: Self.grid, repeating: 0)
        volume[15, 13, 12] = 1
        let blurred = volume.blurred(deviationMillimetres: 6)
        #expect(abs(blurred.voxels.reduce(0, +) - 1) < 1e-4)
        var second = 0.0
        for z in 0..<25 {
            for y in 0..<27 {
                for x in 0..<31 {
                    let place = [Double(x - 15), Double(y - 13), Double(z - 12)][axis] * Self.grid.spacing[axis]
                    second += place * place * Double(blurred[x, y, z])
                }
            }
        }
        // Integrated over voxels a Gaussian is wider by a twelfth of a voxel squared; its tails are cut at 3.5 deviations.
        let expected = 36 + Self.grid.spacing[axis] * Self.grid.spacing[axis] / 12
        #expect(abs(second / expected - 1) < 0.02)
    }

    @Test func isItsOwnAdjoint() {
        let grid = Self.grid
        func blur(_ values: [Float]) -> [Float] {
            var volume = Volume<Float>(grid: grid, repeating: 0)
            volume.voxels = values
            return volume.blurred(deviationsMillimetres: SIMD3(5, 0, 9)).voxels
        }
        expectAdjoint(domainCount: grid.voxelCount, rangeCount: grid.voxelCount, forward: blur, adjoint: blur)
    }
}

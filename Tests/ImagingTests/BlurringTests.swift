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

    /// Sums in the order of the kernel, whatever lies beside each other in memory; kernels longer than a line among them.
    @Test(arguments: [[2, 1, 1], [3, 1, 5], [17, 300, 2], [1, 2, 40], [100, 9, 30]], [0.4, 3, 25])
    func isThePlainSum(size: [Int], deviation: Double) throws {
        let grid = try VoxelGrid(
            columns: size[0], rows: size[1], slices: size[2], spacing: SIMD3(1, 1.5, 2), origin: SIMD3(0, 0, 0))
        var volume = Volume<Float>(grid: grid, repeating: 0)
        for voxel in volume.voxels.indices { volume.voxels[voxel] = Float((voxel * 7919) % 1013) / 100 }
        var plain = volume.voxels
        for (axis, stride) in [1, size[0], size[0] * size[1]].enumerated() where size[axis] > 1 {
            let scaled = deviation / grid.spacing[axis]
            let radius = max(1, Int((3.5 * scaled).rounded(.up)))
            let scale = 1 / (scaled * 2.0.squareRoot())
            let weights = (0...radius).map { (erf((Double($0) + 0.5) * scale) - erf((Double($0) - 0.5) * scale)) / 2 }
            let sum = weights[0] + 2 * weights.dropFirst().reduce(0, +)
            let before = plain
            for voxel in plain.indices {
                let place = voxel / stride % size[axis]
                plain[voxel] = Float(weights[0] / sum) * before[voxel]
                for tap in 1...radius {
                    let weight = Float(weights[tap] / sum)
                    if place >= tap { plain[voxel] += weight * before[voxel - tap * stride] }
                    if place + tap < size[axis] { plain[voxel] += weight * before[voxel + tap * stride] }
                }
            }
        }
        #expect(volume.blurred(deviationMillimetres: deviation).voxels == plain)
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

import Dosimetry
import Testing

@Suite struct KernelConvolutionTests {
    /// Sizes that are whole vectors and ones that are not; kernels for both ways.
    @Test(arguments: [SIMD3(9, 7, 11), SIMD3(16, 1, 5), SIMD3(5, 18, 17)], [1, 4])
    func isTheSumOverAllPairs(size: SIMD3<Int>, reach: Int) {
        let kernel = Self.kernel(reach: SIMD3(reach, reach, reach))
        let volume = (0..<size.x * size.y * size.z).map { Float($0 * 7 % 31) - 4 }
        let found = KernelConvolution(size: size, kernel: kernel)(volume)
        let expected = Self.bruteForce(volume, size, kernel)
        let largest = expected.map { abs($0) }.max() ?? 1
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 2e-6 * largest) }
    }

    @Test func nothingComesInFromTheOtherSide() {
        let size = SIMD3(20, 20, 20)
        var volume = [Float](repeating: 0, count: 8000)
        volume[0] = 1
        let found = KernelConvolution(size: size, kernel: Self.kernel(reach: SIMD3(6, 6, 6)))(volume)
        #expect(abs(found[19]) < 1e-6 && abs(found[7999]) < 1e-6)
        #expect(found[0] > 0.9)
    }

    private static func kernel(reach: SIMD3<Int>) -> VoxelKernel.Octant {
        var kernel = VoxelKernel.Octant(reach: reach)
        for z in 0...reach.z {
            for y in 0...reach.y { for x in 0...reach.x { kernel[x, y, z] = 1 / Double(1 + x + 2 * y * y + 3 * z) } }
        }
        return kernel
    }

    private static func bruteForce(_ volume: [Float], _ size: SIMD3<Int>, _ kernel: VoxelKernel.Octant) -> [Double] {
        var result: [Double] = []
        for z in 0..<size.z {
            for y in 0..<size.y {
                for x in 0..<size.x {
                    var sum = 0.0
                    for (offset, value) in volume.enumerated() {
                        let step = SIMD3(
                            abs(offset % size.x - x), abs(offset / size.x % size.y - y),
                            abs(offset / size.x / size.y - z))
                        guard step.x <= kernel.reach.x, step.y <= kernel.reach.y, step.z <= kernel.reach.z else {
                            continue
                        }
                        sum += Double(value) * kernel[step.x, step.y, step.z]
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }
}

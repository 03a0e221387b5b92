import Dispatch

/// Convolution with a kernel of a few voxels that is even along every axis, tap by tap.
///
/// - Shape: volumes are `[z, y, x]`, x fastest.
struct DirectConvolution {
    /// A larger kernel is faster by Fourier transforms.
    static let tapLimit = 27

    let size: SIMD3<Int>
    private let taps: [(step: SIMD3<Int>, weight: Float)]

    static func tapCount(_ reach: SIMD3<Int>) -> Int { (2 * reach.x + 1) * (2 * reach.y + 1) * (2 * reach.z + 1) }

    init(size: SIMD3<Int>, kernel: VoxelKernel.Octant) {
        self.size = size
        let reach = kernel.reach
        var taps: [(SIMD3<Int>, Float)] = []
        for z in -reach.z...reach.z {
            for y in -reach.y...reach.y {
                for x in -reach.x...reach.x {
                    taps.append((SIMD3(x, y, z), Float(kernel[abs(x), abs(y), abs(z)])))
                }
            }
        }
        self.taps = taps
    }

    func callAsFunction(_ volume: [Float]) -> [Float] {
        precondition(volume.count == size.x * size.y * size.z)
        return [Float](unsafeUninitializedCapacity: volume.count) { result, count in
            // Every slice writes its own part of the result.
            nonisolated(unsafe) let target = result.baseAddress!
            volume.withUnsafeBufferPointer { buffer in
                nonisolated(unsafe) let source = buffer.baseAddress!
                DispatchQueue.concurrentPerform(iterations: size.z) { z in slice(z, source, target) }
            }
            count = volume.count
        }
    }

    private func slice(_ z: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
        for y in 0..<size.y {
            let row = target + (z * size.y + y) * size.x
            for x in 0..<size.x { row[x] = 0 }
            for (step, weight) in taps {
                let (fromZ, fromY) = (z - step.z, y - step.y)
                guard fromZ >= 0, fromZ < size.z, fromY >= 0, fromY < size.y else { continue }
                let from = source + (fromZ * size.y + fromY) * size.x - step.x
                let (first, last) = (max(0, step.x), min(size.x, size.x + step.x))
                guard first < last else { continue }
                for x in first..<last { row[x] += weight * from[x] }
            }
        }
    }
}

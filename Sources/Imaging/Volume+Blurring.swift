import Dispatch
import Glibc

extension Volume where Element == Float {
    /// The volume blurred by a Gaussian along every axis; outside of the grid there is nothing. The operation is its own
    /// adjoint.
    ///
    /// - Units: the Gaussian's standard deviation in millimetres.
    public func blurred(deviationMillimetres deviation: Double) -> Volume<Float> {
        blurred(deviationsMillimetres: SIMD3(repeating: deviation))
    }

    /// The same with a width of its own along x, y and z.
    public func blurred(deviationsMillimetres deviations: SIMD3<Double>) -> Volume<Float> {
        var result = self
        let counts = [grid.columns, grid.rows, grid.slices]
        let strides = [1, grid.columns, grid.columns * grid.rows]
        for axis in 0..<3 where deviations[axis] > 0 && counts[axis] > 1 {
            let kernel = Self.gaussian(deviation: deviations[axis] / grid.spacing[axis])
            result.voxels = Self.convolved(
                result.voxels, count: counts[axis], stride: strides[axis], kernel: kernel)
        }
        return result
    }

    /// One side of a kernel with sum one, from the centre outwards; a Gaussian integrated over each voxel.
    private static func gaussian(deviation: Double) -> [Float] {
        let radius = Swift.max(1, Int((3.5 * deviation).rounded(.up)))
        let values = (0...radius).map { index -> Double in
            let scale = 1 / (deviation * 2.0.squareRoot())
            return (erf((Double(index) + 0.5) * scale) - erf((Double(index) - 0.5) * scale)) / 2
        }
        let sum = values[0] + 2 * values.dropFirst().reduce(0, +)
        return values.map { Float($0 / sum) }
    }

    /// Lines along the axis lie beside each other in blocks of `count * stride` elements, so a neighbour is a shift of the
    /// whole block.
    private static func convolved(_ voxels: [Float], count: Int, stride: Int, kernel: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: voxels.count)
        let block = count * stride
        let chunk = Swift.min(block, 1 << 14)
        let chunksPerBlock = (block + chunk - 1) / chunk
        result.withUnsafeMutableBufferPointer { result in
            voxels.withUnsafeBufferPointer { voxels in
                // Each iteration writes its own elements only.
                nonisolated(unsafe) let result = result
                nonisolated(unsafe) let voxels = voxels
                DispatchQueue.concurrentPerform(iterations: voxels.count / block * chunksPerBlock) { part in
                    let start = part / chunksPerBlock * block
                    let lower = start + part % chunksPerBlock * chunk
                    let upper = Swift.min(lower + chunk, start + block)
                    for element in lower..<upper { result[element] = kernel[0] * voxels[element] }
                    for tap in 1..<kernel.count {
                        let (weight, step) = (kernel[tap], tap * stride)
                        let first = Swift.max(lower, start + step)
                        for element in first..<Swift.max(first, upper) {
                            result[element] += weight * voxels[element - step]
                        }
                        for element in lower..<Swift.max(lower, Swift.min(upper, start + block - step)) {
                            result[element] += weight * voxels[element + step]
                        }
                    }
                }
            }
        }
        return result
    }
}

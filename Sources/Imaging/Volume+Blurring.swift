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
    /// whole block. A chunk is copied between zeros, which stand for what is outside of the grid, and short blocks are taken
    /// many at a time.
    private static func convolved(_ voxels: [Float], count: Int, stride: Int, kernel: [Float]) -> [Float] {
        let block = count * stride
        // What reaches beyond a whole line meets only zeros.
        let kernel = Array(kernel.prefix(count))
        let margin = (kernel.count - 1) * stride
        let chunk = Swift.min(block, Swift.max(1 << 12, margin))
        let chunksPerBlock = (block + chunk - 1) / chunk
        let parts = voxels.count / block * chunksPerBlock
        let batch = Swift.max(1, (1 << 14) / chunk)
        return [Float](unsafeUninitializedCapacity: voxels.count) { result, filled in
            filled = voxels.count
            voxels.withUnsafeBufferPointer { voxels in
                // Each iteration writes its own elements only.
                nonisolated(unsafe) let (result, voxels) = (result, voxels)
                DispatchQueue.concurrentPerform(iterations: (parts + batch - 1) / batch) { number in
                    let room = chunk + 2 * margin + 2 * lanes
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: room) { padded in
                        let base = padded.baseAddress!
                        for part in number * batch..<Swift.min((number + 1) * batch, parts) {
                            let start = part / chunksPerBlock * block
                            let lower = start + part % chunksPerBlock * chunk
                            let upper = Swift.min(lower + chunk, start + block)
                            let from = Swift.max(lower - margin, start)
                            let known = Swift.min(upper + margin, start + block) - from
                            let first = from - (lower - margin)
                            base.update(repeating: 0, count: first)
                            (base + first).update(from: voxels.baseAddress! + from, count: known)
                            (base + first + known).update(repeating: 0, count: room - first - known)
                            sum(base + margin, stride, kernel, into: result.baseAddress! + lower, upper - lower)
                        }
                    }
                }
            }
        }
    }

    private static let lanes = 8

    /// The weighted sums of neighbours, which stay in registers.
    ///
    /// - Parameter source: readable by the kernel's reach before the first and after the last element, and twice ``lanes``
    ///   further.
    private static func sum(
        _ source: UnsafePointer<Float>, _ stride: Int, _ kernel: [Float], into result: UnsafeMutablePointer<Float>,
        _ count: Int
    ) {
        let next = lanes * MemoryLayout<Float>.stride
        for start in Swift.stride(from: 0, to: count, by: 2 * lanes) {
            let place = UnsafeRawPointer(source + start)
            var low = kernel[0] * place.loadUnaligned(as: SIMD8<Float>.self)
            var high = kernel[0] * (place + next).loadUnaligned(as: SIMD8<Float>.self)
            for tap in 1..<kernel.count {
                let (weight, step) = (kernel[tap], tap * stride * MemoryLayout<Float>.stride)
                low += weight * (place - step).loadUnaligned(as: SIMD8<Float>.self)
                high += weight * (place + next - step).loadUnaligned(as: SIMD8<Float>.self)
                low += weight * (place + step).loadUnaligned(as: SIMD8<Float>.self)
                high += weight * (place + next + step).loadUnaligned(as: SIMD8<Float>.self)
            }
            if start + 2 * lanes <= count {
                let target = UnsafeMutableRawPointer(result + start)
                target.storeBytes(of: low, as: SIMD8<Float>.self)
                (target + next).storeBytes(of: high, as: SIMD8<Float>.self)
            } else {
                for rest in 0..<count - start { result[start + rest] = rest < lanes ? low[rest] : high[rest - lanes] }
            }
        }
    }
}

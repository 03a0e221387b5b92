import Glibc
import Imaging

/// A smooth random field of mean zero and variance one with the correlation `exp(-r² / (2 length²))`.
///
/// White noise on a lattice of half the correlation length, no finer than the voxels, is blurred by a Gaussian of
/// `length / sqrt(2)` and interpolated trilinearly. The noise may be uniform: the blur adds up enough of it to make it
/// normal. What interpolation takes from the variance between two nodes of correlation `c`, `1 - 2 t (1 - t) (1 - c)` per
/// axis, is given back.
struct GaussianField: Sendable {
    private let origin, scale: SIMD3<Float>
    private let columns, rows, slices: Int
    private let nodes: [Float]
    /// `2 (1 - c)` along each axis.
    private let loss: SIMD3<Float>

    /// - Parameters:
    ///   - lower, upper: corners of the box in which the field is asked for, in millimetres.
    ///   - length: correlation length in millimetres.
    ///   - voxel: spacing of the voxels.
    init(lower: SIMD3<Double>, upper: SIMD3<Double>, length: Double, voxel: SIMD3<Double>, seed: UInt64) {
        let spacing = pointwiseMax(SIMD3(repeating: length / 2), voxel)
        let counts = ((upper - lower) / spacing).rounded(.up) + 2
        let kernels = (0..<3).map { Kernel(deviation: length / 2.0.squareRoot() / spacing[$0]) }
        let padded = (0..<3).map { Int(counts[$0]) + 2 * kernels[$0].radius }
        var values = Self.whiteNoise(count: padded.reduce(1, *), seed: seed)
        (columns, rows, slices) = (Int(counts.x), Int(counts.y), Int(counts.z))
        values = kernels[0].blurredLines(values, length: padded[0])
        values = kernels[1].blurred(values, count: padded[1], inner: columns)
        values = kernels[2].blurred(values, count: padded[2], inner: columns * rows)
        nodes = values
        loss = 2 * (1 - SIMD3<Float>((0..<3).map { Float(kernels[$0].neighbourCorrelation) }))
        origin = SIMD3<Float>(lower)
        scale = SIMD3<Float>(1 / spacing)
    }

    /// - Parameter position: inside the box, in millimetres.
    @inline(__always)
    func value(at position: SIMD3<Float>) -> Float {
        let limit = SIMD3(Float(columns) - 1.001, Float(rows) - 1.001, Float(slices) - 1.001)
        let place = pointwiseMin(pointwiseMax((position - origin) * scale, SIMD3(repeating: 0)), limit)
        let lower = place.rounded(.down)
        let part = place - lower
        let first = (Int(lower.z) * rows + Int(lower.y)) * columns + Int(lower.x)
        return nodes.withUnsafeBufferPointer { nodes in
            @inline(__always) func line(_ offset: Int) -> Float {
                nodes[offset] + part.x * (nodes[offset + 1] - nodes[offset])
            }
            @inline(__always) func plane(_ offset: Int) -> Float {
                let (near, far) = (line(offset), line(offset + columns))
                return near + part.y * (far - near)
            }
            let (near, far) = (plane(first), plane(first + columns * rows))
            let kept = 1 - loss * part * (1 - part)
            return (near + part.z * (far - near)) / (kept.x * kept.y * kept.z).squareRoot()
        }
    }

    /// No value of the field is further from zero.
    var extreme: Float {
        let kept = 1 - loss / 4
        return nodes.reduce(0) { max($0, abs($1)) } / (kept.x * kept.y * kept.z).squareRoot()
    }

    /// Uniform between ±sqrt(3): variance one.
    private static func whiteNoise(count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let step = 2 * Float(3).squareRoot() / Float(1 << 24)
        var noise = [Float](repeating: 0, count: count + 1)
        for index in stride(from: 0, to: count, by: 2) {
            let bits = generator.next()
            noise[index] = Float(Int32(truncatingIfNeeded: bits & 0xFF_FFFF) - 0x80_0000) * step
            noise[index + 1] = Float(Int32(truncatingIfNeeded: (bits >> 32) & 0xFF_FFFF) - 0x80_0000) * step
        }
        noise.removeLast()
        return noise
    }

    /// A Gaussian whose squares add up to one, so that blurred white noise keeps its variance.
    private struct Kernel {
        let taps: [Float]
        let radius: Int
        /// Correlation of two neighbouring nodes.
        let neighbourCorrelation: Double

        /// - Parameter deviation: in nodes.
        init(deviation: Double) {
            radius = max(1, Int((3 * deviation).rounded(.up)))
            let values = (-radius...radius).map { exp(-pow(Double($0) / deviation, 2) / 2) }
            let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let scaled = values.map { $0 / norm }
            neighbourCorrelation = zip(scaled, scaled.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
            taps = scaled.map { Float($0) }
        }

        /// Along the fastest axis, lines of `length`, shorter by the kernel afterwards.
        func blurredLines(_ values: [Float], length: Int) -> [Float] {
            let kept = length - 2 * radius
            let lines = values.count / length
            var result = [Float](repeating: 0, count: lines * kept)
            for line in 0..<lines {
                for (tap, weight) in taps.enumerated() {
                    let source = line * length + tap
                    for index in 0..<kept { result[line * kept + index] += weight * values[source + index] }
                }
            }
            return result
        }

        /// Along the axis of `count` whose elements are `inner` apart.
        func blurred(_ values: [Float], count: Int, inner: Int) -> [Float] {
            let kept = count - 2 * radius
            let outer = values.count / (count * inner)
            var result = [Float](repeating: 0, count: outer * kept * inner)
            for block in 0..<outer {
                for index in 0..<kept {
                    let target = (block * kept + index) * inner
                    for (tap, weight) in taps.enumerated() {
                        let source = (block * count + index + tap) * inner
                        for element in 0..<inner { result[target + element] += weight * values[source + element] }
                    }
                }
            }
            return result
        }
    }
}

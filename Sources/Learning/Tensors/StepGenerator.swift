import Glibc

/// Random numbers of one step of a seeded process.
///
/// Seed and step number are the whole state, so a training that was killed goes on with the same numbers without having
/// stored any: SplitMix64 from a start that mixes both.
///
/// - Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct StepGenerator: RandomNumberGenerator, Equatable, Sendable {
    private var state: UInt64

    public init(seed: UInt64, step: Int = 0) {
        state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(~UInt64(bitPattern: Int64(step)))
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension Tensor {
    /// Independent normal numbers of mean 0 and standard deviation 1 (Box and Muller).
    public static func randn(
        _ shape: [Int], using generator: inout some RandomNumberGenerator, device: Device = .cpu
    ) throws(LearningError) -> Tensor {
        let count = shape.reduce(1, *)
        var values = [Float](repeating: 0, count: count + count % 2)
        for index in stride(from: 0, to: count, by: 2) {
            (values[index], values[index + 1]) = normalPair(using: &generator)
        }
        return try Tensor(Array(values.prefix(count)), shape: shape, device: device)
    }
}

private func normalPair(using generator: inout some RandomNumberGenerator) -> (Float, Float) {
    // 1 - [0, 1) is never 0, so its logarithm is finite.
    let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
    let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &generator)
    return (Float(radius * cos(angle)), Float(radius * sin(angle)))
}

public import Testing

/// The law of every linear operator: `<Ax, y> = <x, A'y>` for arbitrary `x` and `y`.
public func expectAdjoint(
    domainCount: Int, rangeCount: Int, tolerance: Double = 1e-5, seed: UInt64 = 1,
    forward: ([Float]) -> [Float], adjoint: ([Float]) -> [Float],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var generator = SplitMix64(seed: seed)
    let x = (0..<domainCount).map { _ in Float.random(in: 0...1, using: &generator) }
    let y = (0..<rangeCount).map { _ in Float.random(in: 0...1, using: &generator) }
    let left = innerProduct(forward(x), y)
    let right = innerProduct(x, adjoint(y))
    #expect(left != 0, "an operator that returns nothing has any adjoint", sourceLocation: sourceLocation)
    #expect(abs(left - right) <= tolerance * max(abs(left), abs(right)), sourceLocation: sourceLocation)
}

private func innerProduct(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// A small generator for reproducible test data.
///
/// - Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
public struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

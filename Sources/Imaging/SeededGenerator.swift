import Glibc

/// The generator that all randomness of the core comes from: the same seed gives the same numbers on every machine.
///
/// - Source: SplitMix64, Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// An independent generator for one purpose, so that a draw added to one purpose does not shift the others.
    public init(seed: UInt64, purpose: String) {
        // FNV-1a over the name, mixed with the seed.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ hash
        _ = next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in `range`.
    public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        Double.random(in: range, using: &self)
    }

    /// Standard normal, by Box and Muller.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
    }

    /// Normal with a standard deviation, cut at three of them.
    public mutating func normal(deviation: Double) -> Double {
        min(max(normal(), -3), 3) * deviation
    }

    /// `median * exp(n)`, `n` normal with the given deviation and cut at three of them.
    public mutating func logNormal(median: Double, deviation: Double) -> Double {
        median * exp(normal(deviation: deviation))
    }

    /// A Poisson count: by products of uniforms when the mean is small, by transformed rejection otherwise.
    ///
    /// - Source: Hörmann, The transformed rejection method for generating Poisson random variables, 1993 (PTRS).
    public mutating func poisson(mean: Double) -> Int {
        guard mean > 0 else { return 0 }
        if mean < 10 {
            let limit = exp(-mean)
            var product = Double.random(in: 0..<1, using: &self)
            var count = 0
            while product > limit {
                product *= Double.random(in: 0..<1, using: &self)
                count += 1
            }
            return count
        }
        let logMean = log(mean)
        let b = 0.931 + 2.53 * mean.squareRoot()
        let a = -0.059 + 0.02483 * b
        let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
        let acceptance = 0.9277 - 3.6224 / (b - 2)
        while true {
            let u = Double.random(in: 0..<1, using: &self) - 0.5
            let v = Double.random(in: 0..<1, using: &self)
            let us = 0.5 - abs(u)
            let k = ((2 * a / us + b) * u + mean + 0.43).rounded(.down)
            if us >= 0.07, v <= acceptance { return Int(k) }
            if k < 0 || (us < 0.013 && v > us) { continue }
            if log(v * inverseAlpha / (a / (us * us) + b)) <= k * logMean - mean - lgamma(k + 1) { return Int(k) }
        }
    }
}

import Glibc

/// A learning rate that rises in a line, then falls along half a cosine.
///
/// - Source: Loshchilov, Hutter, "SGDR", ICLR 2017, equation 5, with a linear warm-up before it.
public struct CosineSchedule: Codable, Equatable, Sendable {
    public var peak: Double
    public var warmUpSteps: Int
    public var stepCount: Int
    /// The rate at the end as a part of the peak.
    public var finalFraction: Double

    public init(peak: Double, warmUpSteps: Int, stepCount: Int, finalFraction: Double = 0.01) {
        precondition(warmUpSteps >= 0 && stepCount > warmUpSteps, "the warm-up ends before the training does")
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.stepCount = stepCount
        self.finalFraction = finalFraction
    }

    /// - Parameter step: counted from 0; past the end the rate stays at its last value.
    public func rate(at step: Int) -> Double {
        if step < warmUpSteps { return peak * Double(step + 1) / Double(warmUpSteps) }
        let progress = min(1, Double(step - warmUpSteps) / Double(stepCount - warmUpSteps))
        return peak * (finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * progress)))
    }
}

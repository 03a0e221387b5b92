import Glibc

/// Draws maps by following the probability flow from noise to data with Heun's second-order steps.
///
/// - Source: Karras et al., NeurIPS 2022, algorithm 1 and equation 5.
public struct HeunSampler: Codable, Equatable, Sendable {
    public var stepCount: Int
    public var sigmaMaximum: Float
    public var sigmaMinimum: Float
    /// How strongly the levels crowd at the low end.
    public var rho: Float

    public init(stepCount: Int = 12, sigmaMaximum: Float = 3, sigmaMinimum: Float = 0.01, rho: Float = 7) {
        precondition(stepCount > 1 && sigmaMinimum > 0 && sigmaMaximum > sigmaMinimum)
        self.stepCount = stepCount
        self.sigmaMaximum = sigmaMaximum
        self.sigmaMinimum = sigmaMinimum
        self.rho = rho
    }

    /// Of one that was read from a file.
    ///
    /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
    public func validate() throws(LearningError) {
        guard (2...1000).contains(stepCount) else { throw .impossibleConfiguration(field: "stepCount") }
        guard sigmaMinimum > 0, sigmaMaximum > sigmaMinimum, sigmaMaximum <= 1000, (1...100).contains(rho) else {
            throw .impossibleConfiguration(field: "sigma")
        }
    }

    /// Falling noise levels, the last one 0; `stepCount + 1` of them.
    public var sigmas: [Float] {
        let (high, low) = (powf(sigmaMaximum, 1 / rho), powf(sigmaMinimum, 1 / rho))
        return (0..<stepCount).map { powf(high + Float($0) / Float(stepCount - 1) * (low - high), rho) } + [0]
    }

    /// - Parameters:
    ///   - shape: of the maps, batch first; the samples of a batch are independent.
    ///   - denoised: the clean map expected behind a noisy one at a level, corrected towards the measurement if there is
    ///     one.
    public func sample(
        _ shape: [Int], using generator: inout some RandomNumberGenerator, on device: Device = .cpu,
        denoised: (_ noisy: Tensor, _ sigma: Float) throws(LearningError) -> Tensor
    ) throws(LearningError) -> Tensor {
        let levels = sigmas
        var map = try Tensor.randn(shape, using: &generator, device: device) * sigmaMaximum
        for (sigma, next) in zip(levels, levels.dropFirst()) {
            let slope = try (map - denoised(map, sigma)) / sigma
            let predicted = try map + slope * (next - sigma)
            if next == 0 { return predicted }
            let corrected = try (predicted - denoised(predicted, next)) / next
            map = try map + (slope + corrected) * (0.5 * (next - sigma))
        }
        return map
    }
}

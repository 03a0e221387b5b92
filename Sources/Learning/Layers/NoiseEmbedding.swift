import Glibc

/// Turns the noise level of each batch item into a vector the residual blocks can be steered with.
///
/// Sine and cosine of the level at fixed frequencies, then two layers.
///
/// - Shape: `[n]` to `[n, channels]`.
public struct NoiseEmbedding: Module {
    private static let frequencyCount = 16

    private let frequencies: Tensor
    private let hidden: Linear
    private let output: Linear

    public init(
        channels: Int, using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) {
        // cNoise = ln(sigma)/4 spans about 2, so periods from 8 down to 1/8 resolve it.
        let values = (0..<Self.frequencyCount).map { index in
            Float(2 * Double.pi * exp2(-3 + 6 * Double(index) / Double(Self.frequencyCount - 1)))
        }
        frequencies = try Tensor(values, shape: [1, Self.frequencyCount], device: device)
        hidden = try Linear(2 * Self.frequencyCount, channels, using: &generator, on: device)
        output = try Linear(channels, channels, using: &generator, on: device)
    }

    public func callAsFunction(_ level: Tensor) throws(LearningError) -> Tensor {
        let phase = try level.reshaped([level.count, 1]) * frequencies
        let waves = try Tensor.concatenated([phase.sin(), phase.cos()], along: 1)
        return try output(hidden(waves).silu()).silu()
    }

    public var parameters: [Parameter] { hidden.parameters.under("hidden") + output.parameters.under("output") }
}

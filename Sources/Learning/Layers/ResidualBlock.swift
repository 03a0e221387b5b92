/// `x + conv(silu(norm(conv(silu(norm(x))))))`, the second convolution zero at the start.
///
/// With a noise embedding the second norm is scaled and shifted by it (FiLM): `h (1 + scale) + shift`, both zero at the
/// start.
public struct ResidualBlock: Module {
    private let firstNorm: GroupNorm?
    private let first: Conv3d
    private let secondNorm: GroupNorm?
    private let second: Conv3d
    private let modulation: Linear?

    /// - Parameters:
    ///   - groups: of the norms; `nil` leaves the norms out.
    ///   - separable: convolve in the plane, then along z, instead of both at once (12 instead of 27 products).
    ///   - embeddingChannels: `nil` when no noise level steers the block.
    public init(
        channels: Int, groups: Int?, separable: Bool = false, embeddingChannels: Int?,
        using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) {
        firstNorm = if let groups { try GroupNorm(channels: channels, groups: groups, on: device) } else { nil }
        secondNorm = if let groups { try GroupNorm(channels: channels, groups: groups, on: device) } else { nil }
        first = try Conv3d(
            channels, channels, kernel: separable ? [1, 3, 3] : [3, 3, 3], using: &generator, on: device)
        second = try Conv3d(
            channels, channels, kernel: separable ? [3, 1, 1] : [3, 3, 3], zeroed: true, using: &generator, on: device)
        modulation =
            if let embeddingChannels {
                try Linear(embeddingChannels, 2 * channels, zeroed: true, using: &generator, on: device)
            } else { nil }
    }

    /// - Parameter embedding: `[n, embeddingChannels]`.
    public func callAsFunction(_ input: Tensor, embedding: Tensor? = nil) throws(LearningError) -> Tensor {
        let normed = try firstNorm?(input) ?? input
        let hidden = try first(normed.silu())
        let steered = try modulated(secondNorm?(hidden) ?? hidden, by: embedding)
        return try input + second(steered.silu())
    }

    private func modulated(_ hidden: Tensor, by embedding: Tensor?) throws(LearningError) -> Tensor {
        guard let modulation, let embedding else { return hidden }
        let channels = hidden.shape[1]
        let settings = try modulation(embedding).reshaped([-1, 2 * channels, 1, 1, 1]).converted(to: hidden.dataType)
        return try hidden * (settings.slice(1, 0..<channels) + 1) + settings.slice(1, channels..<2 * channels)
    }

    public var parameters: [Parameter] {
        (firstNorm?.parameters.under("first_norm") ?? []) + first.parameters.under("first")
            + (secondNorm?.parameters.under("second_norm") ?? []) + second.parameters.under("second")
            + (modulation?.parameters.under("modulation") ?? [])
    }
}

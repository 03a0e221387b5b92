import Glibc

/// How a network that sees noisy maps is scaled so that it learns a target of unit size at every noise level.
///
/// - Source: Karras et al., "Elucidating the design space of diffusion-based generative models", NeurIPS 2022, table 1.
public struct EDMPreconditioning: Codable, Equatable, Sendable {
    /// A network with an embedding, fed with a scaled noisy map and a noise level `[n]`; it adds the conditions itself.
    public typealias Network = (_ scaled: Tensor, _ noiseLevel: Tensor) throws(LearningError) -> Tensor

    /// Standard deviation of the clean maps.
    public var sigmaData: Float
    /// Mean and standard deviation of ln(sigma) in training.
    public var logMean: Float
    public var logDeviation: Float

    public init(sigmaData: Float = 0.5, logMean: Float = -1.2, logDeviation: Float = 1.2) {
        self.sigmaData = sigmaData
        self.logMean = logMean
        self.logDeviation = logDeviation
    }

    public func skipScale(_ sigma: Float) -> Float { sigmaData * sigmaData / variance(sigma) }
    public func outputScale(_ sigma: Float) -> Float { sigma * sigmaData / variance(sigma).squareRoot() }
    public func inputScale(_ sigma: Float) -> Float { 1 / variance(sigma).squareRoot() }
    public func noiseLevel(_ sigma: Float) -> Float { logf(sigma) / 4 }
    public func lossWeight(_ sigma: Float) -> Float {
        variance(sigma) / (sigma * sigmaData * sigma * sigmaData)
    }

    /// The clean map that the network expects behind `noisy`: `cSkip x + cOut F(cIn x; cNoise)`.
    ///
    /// - Parameter sigmas: one per batch item.
    public func denoised(_ noisy: Tensor, sigmas: [Float], network: Network) throws(LearningError) -> Tensor {
        guard noisy.shape.first == sigmas.count else {
            throw .shapeMismatch(expected: [sigmas.count], found: noisy.shape)
        }
        func scales(_ scale: (Float) -> Float) throws(LearningError) -> Tensor {
            try Tensor(sigmas.map(scale), shape: [sigmas.count, 1, 1, 1, 1], device: noisy.device)
        }
        let level = try Tensor(sigmas.map(noiseLevel), shape: [sigmas.count], device: noisy.device)
        let output = try network(noisy * scales(inputScale), level)
        return try noisy * scales(skipScale) + output * scales(outputScale)
    }

    /// The weighted squared error of denoising `clean` plus noise of a random level.
    ///
    /// - Parameter mask: voxels that count, 0 or 1, broadcast to the maps.
    public func loss(
        _ clean: Tensor, mask: Tensor, using generator: inout some RandomNumberGenerator, network: Network
    ) throws(LearningError) -> Tensor {
        let items = clean.shape[0]
        let draws = try Tensor.randn([items], using: &generator).floats()
        let sigmas = draws.map { expf(logMean + logDeviation * $0) }
        let levels = try Tensor(sigmas, shape: [items, 1, 1, 1, 1], device: clean.device)
        let weights = try Tensor(sigmas.map(lossWeight), shape: [items, 1, 1, 1, 1], device: clean.device)
        let noise = try Tensor.randn(clean.shape, using: &generator, device: clean.device) * levels
        let error = try denoised(clean + noise, sigmas: sigmas, network: network) - clean
        let counted = try mask.expanded(clean.shape).sum().clamped(1...Float.infinity)
        return try (error.squared() * weights * mask).sum() / counted
    }

    /// The root of the mean squared error of denoising over some noise levels, in units of what knowing nothing but the
    /// noise's level leaves; 1 for a network that has learnt nothing.
    ///
    /// - Parameters:
    ///   - mask: voxels that count, 0 or 1, of the shape of the map.
    ///   - denoised: what is expected behind a noisy map at a noise level.
    public func denoisingError(
        of clean: Tensor, mask: Tensor, levels: [Float], using generator: inout some RandomNumberGenerator,
        denoised: (Tensor, Float) throws(LearningError) -> Tensor
    ) throws(LearningError) -> Double {
        var (found, initial) = (0.0, 0.0)
        for sigma in levels {
            let noise = try Tensor.randn(clean.shape, using: &generator, device: clean.device)
            let noisy = try clean + noise * sigma
            let shrunk = try noisy * skipScale(sigma)
            let expected = try withoutGradient { () throws(LearningError) in try denoised(noisy, sigma) }
            found += Double(try ((expected - clean).squared() * mask).sum().scalar)
            initial += Double(try ((shrunk - clean).squared() * mask).sum().scalar)
        }
        return (found / max(initial, 1e-12)).squareRoot()
    }

    private func variance(_ sigma: Float) -> Float { sigma * sigma + sigmaData * sigmaData }
}

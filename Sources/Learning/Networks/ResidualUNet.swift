/// The network of Stages 1 and 2: a residual U-Net that works on patches folded into channels.
///
/// Folding 2 x 2 x 2 voxels into channels loses nothing and lets every convolution have many channels, which is where
/// the processor is fast. Levels are joined by addition. The head starts at zero, so an untrained network returns zero.
///
/// - Shape: `[n, inputChannels, z, y, x]` to `[n, outputChannels, z, y, x]`, float32, for any extents: they are padded
///   to whole patches of the coarsest level and cut again.
public final class ResidualUNet: Module {
    public let configuration: ResidualUNetConfiguration
    private let stem: Conv3d
    private let embedding: NoiseEmbedding?
    private var encoder: [[ResidualBlock]] = []
    private var decoder: [[ResidualBlock]] = []
    private var down: [Conv3d] = []
    private var up: [Conv3d] = []
    private let headNorm: GroupNorm?
    private let head: Conv3d

    public init(
        _ configuration: ResidualUNetConfiguration, seed: UInt64, on device: Device = .cpu
    ) throws(LearningError) {
        try configuration.validate()
        self.configuration = configuration
        var generator = StepGenerator(seed: seed)
        let cells = configuration.patch.reduce(1, *)
        let channels = configuration.channels
        let headKernel = configuration.headKernel
        stem = try Conv3d(
            configuration.inputChannels * cells, channels[0], kernel: [1, 1, 1], using: &generator, on: device)
        embedding =
            if let count = configuration.embeddingChannels {
                try NoiseEmbedding(channels: count, using: &generator, on: device)
            } else { nil }
        headNorm =
            if let groups = configuration.groups {
                try GroupNorm(channels: channels[0], groups: groups, on: device)
            } else { nil }
        head = try Conv3d(
            channels[0], configuration.outputChannels * cells, kernel: [headKernel, headKernel, headKernel],
            zeroed: true, using: &generator, on: device)
        for (level, width) in channels.enumerated() {
            encoder.append(try blocks(configuration.encoderBlocks[level], width, using: &generator, on: device))
            guard level + 1 < channels.count else { continue }
            decoder.append(try blocks(configuration.decoderBlocks[level], width, using: &generator, on: device))
            down.append(
                try Conv3d(
                    width, channels[level + 1], kernel: [2, 2, 2], stride: [2, 2, 2], using: &generator, on: device))
            up.append(try Conv3d(channels[level + 1], width, kernel: [1, 1, 1], using: &generator, on: device))
        }
    }

    private func blocks(
        _ count: Int, _ width: Int, using generator: inout StepGenerator, on device: Device
    ) throws(LearningError) -> [ResidualBlock] {
        var blocks: [ResidualBlock] = []
        for _ in 0..<count {
            blocks.append(
                try ResidualBlock(
                    channels: width, groups: configuration.groups, separable: configuration.separable,
                    embeddingChannels: configuration.embeddingChannels, using: &generator, on: device))
        }
        return blocks
    }

    /// - Parameter noiseLevel: `[n]`, for a network with an embedding; `cNoise` of ``EDMPreconditioning``.
    public func callAsFunction(_ input: Tensor, noiseLevel: Tensor? = nil) throws(LearningError) -> Tensor {
        precondition((noiseLevel == nil) == (embedding == nil), "a noise level goes with an embedding")
        let extents = Array(input.shape.suffix(3))
        var steering: Tensor?
        if let noiseLevel { steering = try embedding?(noiseLevel) }

        var features = try folded(padded(input, extents))
        var skips: [Tensor] = []
        for (level, blocks) in encoder.enumerated() {
            for block in blocks { features = try block(features, embedding: steering) }
            if level < down.count {
                skips.append(features)
                features = try down[level](features)
            }
        }
        for level in down.indices.reversed() {
            // The 1 x 1 x 1 convolution goes first: it then runs on an eighth of the voxels.
            let raised = try up[level](features).upsampledNearest(to: Array(skips[level].shape.suffix(3)))
            features = try skips[level] + raised
            for block in decoder[level] { features = try block(features, embedding: steering) }
        }
        let normed = try headNorm?(features) ?? features
        let output = try head(normed.silu()).converted(to: .float32).pixelShuffled(configuration.patch)
        return try output.croppedAtEnd(to: extents)
    }

    /// The stem on patches that are folded into channels. Its 1 x 1 x 1 convolution is one over patches of the voxels, which spares the
    /// folding; what follows wants channels last.
    private func folded(_ input: Tensor) throws(LearningError) -> Tensor {
        let patch = configuration.patch
        let shape = [configuration.channels[0], configuration.inputChannels] + patch
        return try input.conv3d(stem.weight.reshaped(shape), bias: stem.bias, stride: patch).channelsLast()
    }

    private func padded(_ input: Tensor, _ extents: [Int]) throws(LearningError) -> Tensor {
        let levels = 1 << down.count
        return try input.paddedAtEnd(
            zip(extents, configuration.patch).map { extent, patch in
                let whole = patch * levels
                return (whole - extent % whole) % whole
            })
    }

    public var parameters: [Parameter] {
        func list(_ levels: [[ResidualBlock]], _ name: String) -> [Parameter] {
            levels.enumerated().flatMap { level, blocks in
                blocks.enumerated().flatMap { $1.parameters.under("\(name).\(level).\($0)") }
            }
        }
        return stem.parameters.under("stem") + (embedding?.parameters.under("embedding") ?? [])
            + list(encoder, "encoder") + list(decoder, "decoder")
            + down.enumerated().flatMap { $1.parameters.under("down.\($0)") }
            + up.enumerated().flatMap { $1.parameters.under("up.\($0)") }
            + (headNorm?.parameters.under("head_norm") ?? []) + head.parameters.under("head")
    }
}

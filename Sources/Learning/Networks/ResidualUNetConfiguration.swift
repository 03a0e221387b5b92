/// The settings that, with a seed, determine a ``ResidualUNet``; saved beside its weights.
public struct ResidualUNetConfiguration: Codable, Equatable, Sendable {
    /// Bounds against settings read from a file that would ask for absurd memory.
    private static let channelLimit = 1024
    private static let levelLimit = 6
    private static let blockLimit = 8

    public var inputChannels: Int
    /// Two for Stage 1: the logarithm of a ratio, and the raw additive map.
    public var outputChannels = 2
    /// Voxels (z, y, x) the stem folds into channels.
    public var patch = [2, 2, 2]
    /// Per level, finest first.
    public var channels = [64, 96, 128]
    /// Residual blocks per level on the way down; the last entry is the bottom.
    public var encoderBlocks = [1, 1, 1]
    /// Residual blocks per level on the way up, finest first; one entry less.
    public var decoderBlocks = [1, 1]
    /// Groups of the norms; `nil` for none.
    public var groups: Int? = 8
    /// Edge of the last convolution, 1 or 3.
    public var headKernel = 3
    /// Convolve in the plane and along z one after the other.
    public var separable = false
    /// Channels of the noise-level embedding; `nil` for a network that sees no noise level.
    public var embeddingChannels: Int?

    public init(inputChannels: Int) { self.inputChannels = inputChannels }

    /// Whether it is a network of a method that shows it pieces of so many slices, with a noise level or without.
    ///
    /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
    public func validate(windowSlices: Int, hasNoiseLevel: Bool) throws(LearningError) {
        try validate()
        guard (8...4096).contains(windowSlices) else { throw .impossibleConfiguration(field: "windowSlices") }
        guard (embeddingChannels != nil) == hasNoiseLevel else {
            throw .impossibleConfiguration(field: "embeddingChannels")
        }
    }

    /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
    public func validate() throws(LearningError) {
        let counts = 1...Self.channelLimit
        func require(_ holds: Bool, _ field: String) throws(LearningError) {
            guard holds else { throw .impossibleConfiguration(field: field) }
        }
        try require(counts.contains(inputChannels), "inputChannels")
        try require(counts.contains(outputChannels), "outputChannels")
        try require(patch.count == 3 && patch.allSatisfy { (1...8).contains($0) }, "patch")
        try require((1...Self.levelLimit).contains(channels.count), "channels")
        try require(channels.allSatisfy(counts.contains), "channels")
        try require(encoderBlocks.count == channels.count, "encoderBlocks")
        try require(decoderBlocks.count == channels.count - 1, "decoderBlocks")
        try require((encoderBlocks + decoderBlocks).allSatisfy { (0...Self.blockLimit).contains($0) }, "blocks")
        try require(groups.map { groups in groups > 0 && channels.allSatisfy { $0 % groups == 0 } } ?? true, "groups")
        try require([1, 3].contains(headKernel), "kernel")
        try require(embeddingChannels.map(counts.contains) ?? true, "embeddingChannels")
    }
}

extension ResidualUNetConfiguration {
    /// The sizes that are built and measured, by name.
    public enum Preset: String, CaseIterable, Sendable {
        case small, standard, wide, coarse, separable
    }

    /// Name, patch, channels, encoder and decoder blocks, separable.
    private static let presets:
        [(Preset, patch: [Int], channels: [Int], encoder: [Int], decoder: [Int], separable: Bool)] = [
            (.small, [2, 2, 2], [32, 64, 96], [1, 1, 1], [0, 1], false),
            (.standard, [2, 2, 2], [64, 96, 128], [1, 1, 1], [0, 1], false),
            (.wide, [2, 2, 2], [64, 96, 128], [1, 2, 2], [1, 2], false),
            (.coarse, [4, 4, 4], [96, 128], [2, 2], [2], false),
            (.separable, [2, 2, 2], [48, 96, 128], [1, 2, 2], [0, 2], true),
        ]

    /// - Parameter embeddingChannels: give it for a diffusion model.
    public init(_ preset: Preset, inputChannels: Int, outputChannels: Int = 2, embeddingChannels: Int? = nil) {
        self.init(inputChannels: inputChannels)
        self.outputChannels = outputChannels
        self.embeddingChannels = embeddingChannels
        for row in Self.presets where row.0 == preset {
            (patch, channels, separable) = (row.patch, row.channels, row.separable)
            (encoderBlocks, decoderBlocks) = (row.encoder, row.decoder)
        }
    }
}

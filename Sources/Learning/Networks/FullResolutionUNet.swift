/// A rival: the residual U-Net of nnU-Net and DynUNet, whose first level works on every voxel.
///
/// Channels 16-32-64-128, instance norm, leaky ReLU, strided residual blocks down, transposed convolutions and
/// concatenation up.
///
/// - Shape: `[n, inputChannels, z, y, x]` to `[n, outputChannels, z, y, x]`, extents multiples of 8.
/// - Source: MONAI 1.5, `monai/networks/nets/dynunet.py` with `res_block`.
public struct FullResolutionUNet: Module {
    private var down: [Block] = []
    private var up: [(raise: ConvTranspose3d, block: Block)] = []
    private let head: Conv3d

    public init(
        inputChannels: Int, outputChannels: Int, channels: [Int] = [16, 32, 64, 128], seed: UInt64,
        on device: Device = .cpu
    ) throws(LearningError) {
        var generator = StepGenerator(seed: seed)
        for (level, width) in channels.enumerated() {
            let input = level == 0 ? inputChannels : channels[level - 1]
            down.append(
                try Block(
                    input, width, stride: level == 0 ? 1 : 2, residual: true, using: &generator, on: device))
        }
        for level in 0..<channels.count - 1 {
            let width = channels[level]
            up.append(
                (
                    try ConvTranspose3d(
                        channels[level + 1], width, kernel: [2, 2, 2], stride: [2, 2, 2], bias: false,
                        using: &generator, on: device),
                    try Block(2 * width, width, stride: 1, residual: false, using: &generator, on: device)
                ))
        }
        head = try Conv3d(channels[0], outputChannels, kernel: [1, 1, 1], using: &generator, on: device)
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        var features = input
        var skips: [Tensor] = []
        for block in down {
            features = try block(features)
            skips.append(features)
        }
        skips.removeLast()
        for (skip, stage) in zip(skips, up).reversed() {
            features = try stage.block(Tensor.concatenated([stage.raise(features), skip], along: 1))
        }
        return try head(features).converted(to: .float32)
    }

    public var parameters: [Parameter] {
        down.enumerated().flatMap { $1.parameters.under("down.\($0)") }
            + up.enumerated().flatMap { index, stage in
                (stage.raise.parameters.under("raise") + stage.block.parameters.under("block")).under("up.\(index)")
            } + head.parameters.under("head")
    }
}

/// DynUNet's `UnetResBlock`, or its `UnetBasicBlock` without the shortcut.
private struct Block: Module {
    private static let slope = 0.01

    private let first: Conv3d
    private let firstNorm: InstanceNorm
    private let second: Conv3d
    private let secondNorm: InstanceNorm
    private let shortcut: (convolution: Conv3d, norm: InstanceNorm)?
    private let residual: Bool

    init(
        _ input: Int, _ output: Int, stride: Int, residual: Bool, using generator: inout StepGenerator,
        on device: Device
    ) throws(LearningError) {
        let step = [stride, stride, stride]
        first = try Conv3d(input, output, stride: step, bias: false, using: &generator, on: device)
        firstNorm = try InstanceNorm(channels: output, affine: true, on: device)
        second = try Conv3d(output, output, bias: false, using: &generator, on: device)
        secondNorm = try InstanceNorm(channels: output, affine: true, on: device)
        self.residual = residual
        shortcut =
            residual && (stride != 1 || input != output)
            ? (
                try Conv3d(
                    input, output, kernel: [1, 1, 1], stride: step, bias: false, using: &generator, on: device),
                try InstanceNorm(channels: output, affine: true, on: device)
            ) : nil
    }

    func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        let hidden = try firstNorm(first(input)).leakyRelu(Self.slope)
        let output = try secondNorm(second(hidden))
        guard residual else { return try output.leakyRelu(Self.slope) }
        var carried = input
        if let shortcut { carried = try shortcut.norm(shortcut.convolution(input)) }
        return try (output + carried).leakyRelu(Self.slope)
    }

    var parameters: [Parameter] {
        var list = first.parameters.under("first") + firstNorm.parameters.under("first_norm")
        list += second.parameters.under("second") + secondNorm.parameters.under("second_norm")
        if let shortcut {
            list += shortcut.convolution.parameters.under("shortcut") + shortcut.norm.parameters.under("shortcut_norm")
        }
        return list
    }
}

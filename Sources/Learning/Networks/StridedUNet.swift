/// A rival: the U-Net of MONAI with strides and two residual units per level, built here to compare speed and accuracy.
///
/// Channels 16-32-64-128, the first convolution already strided, instance norm, PReLU, levels joined by concatenation.
///
/// - Shape: `[n, inputChannels, z, y, x]` to `[n, outputChannels, z, y, x]`, extents multiples of 8.
/// - Source: MONAI 1.5, `monai/networks/nets/unet.py`.
public struct StridedUNet: Module {
    private var down: [Unit] = []
    private var up: [(raise: ConvTranspose3d, norm: InstanceNorm, slope: Tensor, unit: Unit)] = []

    public init(
        inputChannels: Int, outputChannels: Int, channels: [Int] = [16, 32, 64, 128], seed: UInt64,
        on device: Device = .cpu
    ) throws(LearningError) {
        var generator = StepGenerator(seed: seed)
        for (level, width) in channels.enumerated() {
            let stride = level == channels.count - 1 ? 1 : 2
            let input = level == 0 ? inputChannels : channels[level - 1]
            down.append(try Unit(input, width, stride: stride, convolutions: 2, using: &generator, on: device))
        }
        for level in 0..<channels.count - 1 {
            let input = channels[level] + (level == channels.count - 2 ? channels[level + 1] : channels[level])
            let output = level == 0 ? outputChannels : channels[level - 1]
            up.append(
                (
                    try ConvTranspose3d(
                        input, output, kernel: [3, 3, 3], stride: [2, 2, 2], using: &generator, on: device),
                    try InstanceNorm(channels: output, affine: false, on: device),
                    try Tensor.full(0.25, [1], device: device).requiringGradient(),
                    try Unit(
                        output, output, stride: 1, convolutions: 1, plainEnd: level == 0, using: &generator,
                        on: device)
                ))
        }
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        var features = input
        var skips: [Tensor] = []
        for unit in down {
            features = try unit(features)
            skips.append(features)
        }
        skips.removeLast()
        for (skip, stage) in zip(skips, up).reversed() {
            features = try stage.raise(Tensor.concatenated([skip, features], along: 1))
            features = try stage.unit(stage.norm(features).prelu(stage.slope))
        }
        return try features.converted(to: .float32)
    }

    public var parameters: [Parameter] {
        down.enumerated().flatMap { $1.parameters.under("down.\($0)") }
            + up.enumerated().flatMap { index, stage in
                (stage.raise.parameters.under("raise") + [Parameter("slope", stage.slope)]
                    + stage.unit.parameters.under("unit")).under("up.\(index)")
            }
    }
}

/// MONAI's `ResidualUnit`: convolutions, each with norm and PReLU, beside one convolution or nothing.
private struct Unit: Module {
    private var convolutions: [(convolution: Conv3d, norm: InstanceNorm, slope: Tensor)] = []
    private let shortcut: Conv3d?
    private let plainEnd: Bool

    /// - Parameter plainEnd: no norm and activation after the last convolution.
    init(
        _ input: Int, _ output: Int, stride: Int, convolutions count: Int, plainEnd: Bool = false,
        using generator: inout StepGenerator, on device: Device
    ) throws(LearningError) {
        for index in 0..<count {
            let step = index == 0 ? stride : 1
            convolutions.append(
                (
                    try Conv3d(
                        index == 0 ? input : output, output, stride: [step, step, step], using: &generator, on: device),
                    try InstanceNorm(channels: output, affine: false, on: device),
                    try Tensor.full(0.25, [1], device: device).requiringGradient()
                ))
        }
        self.plainEnd = plainEnd
        let kernel = stride == 1 ? [1, 1, 1] : [3, 3, 3]
        shortcut =
            stride == 1 && input == output
            ? nil
            : try Conv3d(
                input, output, kernel: kernel, stride: [stride, stride, stride], using: &generator, on: device)
    }

    func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        var features = input
        for (index, layer) in convolutions.enumerated() {
            features = try layer.convolution(features)
            if plainEnd && index == convolutions.count - 1 { break }
            features = try layer.norm(features).prelu(layer.slope)
        }
        return try features + (shortcut?(input) ?? input)
    }

    var parameters: [Parameter] {
        convolutions.enumerated().flatMap { index, layer in
            (layer.convolution.parameters
                + (plainEnd && index == convolutions.count - 1 ? [] : [Parameter("slope", layer.slope)]))
                .under("convolution.\(index)")
        } + (shortcut?.parameters.under("shortcut") ?? [])
    }
}

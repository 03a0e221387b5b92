/// A convolution over z, y and x.
public struct Conv3d: Module {
    public let weight: Tensor
    public let bias: Tensor?
    let stride: [Int]
    let padding: [Int]
    let groups: Int

    /// - Parameters:
    ///   - kernel: z, y, x; odd extents are padded so that a stride of 1 keeps the size.
    ///   - zeroed: all weights 0, so that a residual branch starts as nothing. Otherwise He's normal numbers of
    ///     variance 2 / fan-in.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: [Int] = [3, 3, 3], stride: [Int] = [1, 1, 1],
        groups: Int = 1, bias hasBias: Bool = true, zeroed: Bool = false,
        using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) {
        let shape = [outputChannels, inputChannels / groups] + kernel
        let fanIn = shape.dropFirst().reduce(1, *)
        let deviation = zeroed ? 0 : (2 / Float(fanIn)).squareRoot()
        weight = try Tensor.parameter(shape, deviation: deviation, using: &generator, on: device)
        bias = hasBias ? try Tensor.zeros([outputChannels], device: device).requiringGradient() : nil
        self.stride = stride
        padding = kernel.map { $0 % 2 == 1 ? $0 / 2 : 0 }
        self.groups = groups
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        try input.conv3d(weight, bias: bias, stride: stride, padding: padding, groups: groups)
    }

    public var parameters: [Parameter] {
        [Parameter("weight", weight)] + (bias.map { [Parameter("bias", $0)] } ?? [])
    }
}

/// The transpose of a strided convolution, which makes volumes larger by the stride.
public struct ConvTranspose3d: Module {
    public let weight: Tensor
    public let bias: Tensor?
    let stride: [Int]
    let padding: [Int]
    let outputPadding: [Int]

    /// - Parameter kernel: equal to `stride`, or odd; the size grows by exactly `stride` in both cases.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: [Int], stride: [Int], bias hasBias: Bool = true,
        using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) {
        let shape = [inputChannels, outputChannels] + kernel
        let deviation = (2 / Float(inputChannels)).squareRoot() / Float(kernel.reduce(1, *)).squareRoot()
        weight = try Tensor.parameter(shape, deviation: deviation, using: &generator, on: device)
        bias = hasBias ? try Tensor.zeros([outputChannels], device: device).requiringGradient() : nil
        self.stride = stride
        padding = kernel.map { $0 % 2 == 1 ? $0 / 2 : 0 }
        outputPadding = zip(kernel, stride).map { $0 % 2 == 1 ? $1 - 1 : 0 }
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        try input.convTranspose3d(weight, bias: bias, stride: stride, padding: padding, outputPadding: outputPadding)
    }

    public var parameters: [Parameter] {
        [Parameter("weight", weight)] + (bias.map { [Parameter("bias", $0)] } ?? [])
    }
}

/// A matrix over the last dimension.
public struct Linear: Module {
    let weight: Tensor
    let bias: Tensor

    /// - Parameter zeroed: all weights 0; otherwise normal numbers of variance 1 / `inputCount`.
    public init(
        _ inputCount: Int, _ outputCount: Int, zeroed: Bool = false,
        using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) {
        let deviation = zeroed ? 0 : (1 / Float(inputCount)).squareRoot()
        weight = try Tensor.parameter([outputCount, inputCount], deviation: deviation, using: &generator, on: device)
        bias = try Tensor.zeros([outputCount], device: device).requiringGradient()
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        try input.linear(weight, bias: bias)
    }

    public var parameters: [Parameter] { [Parameter("weight", weight), Parameter("bias", bias)] }
}

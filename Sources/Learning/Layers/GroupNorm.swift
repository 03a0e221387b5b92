/// Brings groups of channels to mean 0 and variance 1 within each batch item, then scales and shifts each channel.
///
/// - Source: Wu, He, "Group normalization", ECCV 2018.
public struct GroupNorm: Module {
    let groups: Int
    let weight: Tensor
    let bias: Tensor

    public init(channels: Int, groups: Int, on device: Device) throws(LearningError) {
        self.groups = groups
        weight = try Tensor.full(1, [channels], device: device).requiringGradient()
        bias = try Tensor.zeros([channels], device: device).requiringGradient()
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        try input.groupNorm(groups: groups, weight: weight, bias: bias)
    }

    public var parameters: [Parameter] { [Parameter("weight", weight), Parameter("bias", bias)] }
}

/// Instance norm: a group norm with one channel in each group.
public struct InstanceNorm: Module {
    let weight: Tensor?
    let bias: Tensor?

    /// - Parameter affine: scale and shift each channel afterwards.
    public init(channels: Int, affine: Bool, on device: Device) throws(LearningError) {
        weight = affine ? try Tensor.full(1, [channels], device: device).requiringGradient() : nil
        bias = affine ? try Tensor.zeros([channels], device: device).requiringGradient() : nil
    }

    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        try input.instanceNorm(weight: weight, bias: bias)
    }

    public var parameters: [Parameter] {
        guard let weight, let bias else { return [] }
        return [Parameter("weight", weight), Parameter("bias", bias)]
    }
}

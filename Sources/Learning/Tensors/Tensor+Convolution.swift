import CTorch

extension Tensor {
    /// - Parameters:
    ///   - weight: `[out, in / groups, kz, ky, kx]`
    ///   - bias: `[out]`
    public func conv3d(
        _ weight: Tensor, bias: Tensor? = nil, stride: [Int] = [1, 1, 1], padding: [Int] = [0, 0, 0], groups: Int = 1
    ) throws(LearningError) -> Tensor {
        let settings = Self.convolution(stride, padding, groups)
        return try Tensor(ctorch_conv3d(handle, weight.handle, bias?.handle, settings), from: "conv3d")
    }

    /// - Parameters:
    ///   - weight: `[in, out / groups, kz, ky, kx]`
    ///   - outputPadding: extents added at the end, where the stride leaves the size open.
    public func convTranspose3d(
        _ weight: Tensor, bias: Tensor? = nil, stride: [Int] = [1, 1, 1], padding: [Int] = [0, 0, 0],
        outputPadding: [Int] = [0, 0, 0], groups: Int = 1
    ) throws(LearningError) -> Tensor {
        precondition(outputPadding.count == 3)
        let settings = Self.convolution(stride, padding, groups)
        return try Tensor(
            ctorch_conv_transpose3d(handle, weight.handle, bias?.handle, settings, outputPadding.extents),
            from: "conv transpose 3d")
    }

    /// - Parameter weight: `[out, in]`
    public func linear(_ weight: Tensor, bias: Tensor? = nil) throws(LearningError) -> Tensor {
        try Tensor(ctorch_linear(handle, weight.handle, bias?.handle), from: "linear")
    }

    public func groupNorm(
        groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
    ) throws(LearningError) -> Tensor {
        try Tensor(
            ctorch_group_norm(handle, Int64(groups), weight?.handle, bias?.handle, epsilon), from: "group norm")
    }

    public func instanceNorm(
        weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
    ) throws(LearningError) -> Tensor {
        try Tensor(ctorch_instance_norm(handle, weight?.handle, bias?.handle, epsilon), from: "instance norm")
    }

    /// - Parameter slope: of the negative side; `[channels]` or `[1]`.
    public func prelu(_ slope: Tensor) throws(LearningError) -> Tensor {
        try Tensor(ctorch_prelu(handle, slope.handle), from: "prelu")
    }

    public func leakyRelu(_ slope: Double) throws(LearningError) -> Tensor {
        try Tensor(ctorch_leaky_relu(handle, slope), from: "leaky relu")
    }

    public func upsampledNearest(to size: [Int]) throws(LearningError) -> Tensor {
        precondition(size.count == 3)
        return try Tensor(ctorch_upsample_nearest3d(handle, size.extents), from: "upsample nearest 3d")
    }

    /// Runs `body` with single-precision convolutions as libtorch computes them in every other program: small ones without oneDNN,
    /// several times as slow. For comparisons.
    ///
    /// Only the forward pass belongs inside.
    package static func withUsualConvolutions<Result>(
        _ body: () throws(LearningError) -> Result
    ) throws(LearningError) -> Result {
        let previous = ctorch_set_usual_convolutions(true)
        defer { _ = ctorch_set_usual_convolutions(previous) }
        return try body()
    }

    private static func convolution(_ stride: [Int], _ padding: [Int], _ groups: Int) -> ctorch_convolution {
        precondition(stride.count == 3 && padding.count == 3)
        return ctorch_convolution(
            stride: (Int64(stride[0]), Int64(stride[1]), Int64(stride[2])),
            padding: (Int64(padding[0]), Int64(padding[1]), Int64(padding[2])), groups: Int64(groups))
    }
}

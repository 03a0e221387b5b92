import CTorch

extension Tensor {
    /// Whether operations on this tensor record how to differentiate them.
    public var requiresGradient: Bool { ctorch_requires_gradient(handle) }

    /// Marks a leaf, that is a tensor which no recorded operation made.
    @discardableResult
    public func requiringGradient(_ required: Bool = true) throws(LearningError) -> Tensor {
        try check(ctorch_set_requires_gradient(handle, required), "require gradient")
        return self
    }

    /// The same values, cut off from the graph.
    public func detached() throws(LearningError) -> Tensor {
        try Tensor(ctorch_detach(handle), from: "detach")
    }

    /// Adds the derivative of this scalar to ``gradient`` of every leaf it came from, and frees the graph.
    public func backward() throws(LearningError) {
        try check(ctorch_backward(handle), "backward")
    }

    /// What ``backward()`` has accumulated; `nil` before the first.
    public var gradient: Tensor? {
        get throws(LearningError) {
            guard let handle = ctorch_gradient(handle) else { return nil }
            return try Tensor(handle, from: "gradient")
        }
    }

    public func forgetGradient() { ctorch_forget_gradient(handle) }

    /// The derivatives of this scalar with respect to `inputs`, zero where it does not depend on one. Accumulates
    /// nothing, and frees the graph.
    public func gradients(of inputs: [Tensor]) throws(LearningError) -> [Tensor] {
        var results = [OpaquePointer?](repeating: nil, count: inputs.count)
        try check(
            ctorch_gradients(handle, inputs.map { $0.handle }, Int64(inputs.count), &results), "gradients")
        var gradients: [Tensor] = []
        for result in results { gradients.append(try Tensor(result, from: "gradients")) }
        return gradients
    }
}

/// Runs `body` without recording a graph.
public func withoutGradient<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let previous = ctorch_set_gradient_mode(false)
    defer { _ = ctorch_set_gradient_mode(previous) }
    return try body()
}

/// Runs `body` with convolutions and matrix products in `dataType`; sums, norms and parameters stay float32.
///
/// Only the forward pass belongs inside; the backward pass follows what the forward pass recorded.
public func withAutocast<Result>(
    _ dataType: DataType, on device: Device, _ body: () throws(LearningError) -> Result
) throws(LearningError) -> Result {
    if dataType == .float32 { return try body() }
    try check(ctorch_autocast_enter(device.code, dataType.code), "autocast")
    defer { ctorch_autocast_leave(device.code) }
    return try body()
}

import CTorch

/// A linear operator written in Swift that the gradient passes through, such as the projector of a camera.
///
/// Both closures read a whole item and overwrite a whole item, on the CPU, in row-major order.
public struct LinearMap: Sendable {
    public typealias Body = @Sendable (UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) throws -> Void

    /// - Shape: of one item, without the batch.
    public let inputShape: [Int]
    public let outputShape: [Int]
    let forward: Body
    let adjoint: Body

    /// - Parameters:
    ///   - forward: `A x`, from `inputShape` to `outputShape`.
    ///   - adjoint: `A' y`, from `outputShape` to `inputShape`: the exact transpose, or the gradient is wrong.
    public init(inputShape: [Int], outputShape: [Int], forward: @escaping Body, adjoint: @escaping Body) {
        self.inputShape = inputShape
        self.outputShape = outputShape
        self.forward = forward
        self.adjoint = adjoint
    }

    /// Applies the map to every item of the leading dimensions.
    ///
    /// - Shape: `[..., inputShape]` to `[..., outputShape]`.
    /// - Throws: ``LearningError/linearMapFailed`` when `forward` throws. When `adjoint` throws,
    ///   ``Tensor/backward()`` throws ``LearningError/tensorOperation(name:reason:)``.
    public func callAsFunction(_ input: Tensor) throws(LearningError) -> Tensor {
        let batch = input.shape.dropLast(inputShape.count)
        guard input.shape == batch + inputShape else { throw .shapeMismatch(expected: inputShape, found: input.shape) }
        let context = Context(self)
        let callbacks = ctorch_linear_map(
            context: Unmanaged.passRetained(context).toOpaque(),
            forward: { Context.run($0, $1, $2, adjoint: false) },
            adjoint: { Context.run($0, $1, $2, adjoint: true) },
            release: { Unmanaged<Context>.fromOpaque($0!).release() },
            input_count: Int64(context.inputCount), output_count: Int64(context.outputCount))
        let shape = Array(batch) + outputShape
        let result = ctorch_apply_linear_map(callbacks, input.handle, shape.extents, Int64(shape.count))
        if result == nil, context.failed { throw .linearMapFailed }
        return try Tensor(result, from: "linear map")
    }

    /// What the C callbacks find behind their context pointer. libtorch calls them one at a time, from the thread that
    /// runs forward or backward.
    private final class Context {
        let map: LinearMap
        let inputCount: Int
        let outputCount: Int
        var failed = false

        init(_ map: LinearMap) {
            self.map = map
            inputCount = map.inputShape.reduce(1, *)
            outputCount = map.outputShape.reduce(1, *)
        }

        static func run(
            _ pointer: UnsafeMutableRawPointer?, _ input: UnsafePointer<Float>?, _ output: UnsafeMutablePointer<Float>?,
            adjoint: Bool
        ) -> Int32 {
            guard let pointer else { return 1 }
            let context = Unmanaged<Context>.fromOpaque(pointer).takeUnretainedValue()
            let (read, write) =
                adjoint ? (context.outputCount, context.inputCount) : (context.inputCount, context.outputCount)
            do {
                let body = adjoint ? context.map.adjoint : context.map.forward
                try body(.init(start: input, count: read), .init(start: output, count: write))
                return 0
            } catch {
                // No Swift error can pass through libtorch; the status tells it, and the flag tells our caller.
                context.failed = true
                return 1
            }
        }
    }
}

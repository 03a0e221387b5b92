import CTorch

extension Tensor {
    public static func + (left: Tensor, right: Tensor) throws(LearningError) -> Tensor {
        try left.combined(CTORCH_ADD, right, "add")
    }

    public static func - (left: Tensor, right: Tensor) throws(LearningError) -> Tensor {
        try left.combined(CTORCH_SUBTRACT, right, "subtract")
    }

    public static func * (left: Tensor, right: Tensor) throws(LearningError) -> Tensor {
        try left.combined(CTORCH_MULTIPLY, right, "multiply")
    }

    public static func / (left: Tensor, right: Tensor) throws(LearningError) -> Tensor {
        try left.combined(CTORCH_DIVIDE, right, "divide")
    }

    public static func + (left: Tensor, right: Float) throws(LearningError) -> Tensor {
        try left.scaled(by: 1, plus: right)
    }

    public static func - (left: Tensor, right: Float) throws(LearningError) -> Tensor {
        try left.scaled(by: 1, plus: -right)
    }

    public static func * (left: Tensor, right: Float) throws(LearningError) -> Tensor {
        try left.scaled(by: right, plus: 0)
    }

    public static func / (left: Tensor, right: Float) throws(LearningError) -> Tensor {
        try left.scaled(by: 1 / right, plus: 0)
    }

    public static func + (left: Float, right: Tensor) throws(LearningError) -> Tensor { try right + left }
    public static func * (left: Float, right: Tensor) throws(LearningError) -> Tensor { try right * left }

    public static func - (left: Float, right: Tensor) throws(LearningError) -> Tensor {
        try right.scaled(by: -1, plus: left)
    }

    public static func / (left: Float, right: Tensor) throws(LearningError) -> Tensor {
        try right.reciprocal().scaled(by: left, plus: 0)
    }

    public static prefix func - (operand: Tensor) throws(LearningError) -> Tensor {
        try operand.mapped(CTORCH_NEGATE, "negate")
    }

    /// `self * scale + shift`
    public func scaled(by scale: Float, plus shift: Float) throws(LearningError) -> Tensor {
        try Tensor(ctorch_affine(handle, Double(scale), Double(shift)), from: "affine")
    }

    /// Matrix product over the last two dimensions, the ones before them broadcast.
    public func matmul(_ other: Tensor) throws(LearningError) -> Tensor {
        try combined(CTORCH_MATMUL, other, "matmul")
    }

    public func exp() throws(LearningError) -> Tensor { try mapped(CTORCH_EXP, "exp") }
    public func log() throws(LearningError) -> Tensor { try mapped(CTORCH_LOG, "log") }
    public func sqrt() throws(LearningError) -> Tensor { try mapped(CTORCH_SQRT, "sqrt") }
    public func abs() throws(LearningError) -> Tensor { try mapped(CTORCH_ABSOLUTE, "abs") }
    public func squared() throws(LearningError) -> Tensor { try mapped(CTORCH_SQUARE, "square") }
    public func reciprocal() throws(LearningError) -> Tensor { try mapped(CTORCH_RECIPROCAL, "reciprocal") }
    public func sin() throws(LearningError) -> Tensor { try mapped(CTORCH_SINE, "sin") }
    public func cos() throws(LearningError) -> Tensor { try mapped(CTORCH_COSINE, "cos") }
    public func tanh() throws(LearningError) -> Tensor { try mapped(CTORCH_TANH, "tanh") }
    /// `ln(1 + exp(self))`
    public func softplus() throws(LearningError) -> Tensor { try mapped(CTORCH_SOFTPLUS, "softplus") }
    public func relu() throws(LearningError) -> Tensor { try mapped(CTORCH_RELU, "relu") }
    /// `self * sigmoid(self)`
    public func silu() throws(LearningError) -> Tensor { try mapped(CTORCH_SILU, "silu") }

    public func clamped(_ range: ClosedRange<Float>) throws(LearningError) -> Tensor {
        try Tensor(ctorch_clamp(handle, range.lowerBound, range.upperBound), from: "clamp")
    }

    /// The sum over `dimensions`, or over all of them when none is named.
    public func sum(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws(LearningError) -> Tensor {
        try reduced(CTORCH_SUM, dimensions, keepingDimensions, "sum")
    }

    public func mean(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws(LearningError) -> Tensor {
        try reduced(CTORCH_MEAN, dimensions, keepingDimensions, "mean")
    }

    private func mapped(_ operation: ctorch_unary_operation, _ name: String) throws(LearningError) -> Tensor {
        try Tensor(ctorch_unary(operation, handle), from: name)
    }

    private func combined(
        _ operation: ctorch_binary_operation, _ other: Tensor, _ name: String
    ) throws(LearningError) -> Tensor {
        try Tensor(ctorch_binary(operation, handle, other.handle), from: name)
    }

    private func reduced(
        _ reduction: ctorch_reduction, _ dimensions: [Int], _ keeping: Bool, _ name: String
    ) throws(LearningError) -> Tensor {
        try Tensor(
            ctorch_reduce(reduction, handle, dimensions.extents, Int64(dimensions.count), keeping), from: name)
    }
}

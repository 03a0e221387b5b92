/// A part of a network that owns trainable tensors.
public protocol Module {
    /// The trainable tensors under names that are unique within the module, in an order that never changes.
    var parameters: [Parameter] { get }
}

/// A trainable tensor and its name, such as `encoder.0.convolution.weight`.
public struct Parameter {
    public let name: String
    public let tensor: Tensor

    public init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }
}

extension Array where Element == Parameter {
    /// The same parameters as parts of the module `name`.
    public func under(_ name: String) -> [Parameter] { map { Parameter("\(name).\($0.name)", $0.tensor) } }
}

extension Module {
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// Copies values into the parameters.
    ///
    /// - Throws: ``LearningError/parameterMissing(name:)``, ``LearningError/parameterUnknown(name:)`` or
    ///   ``LearningError/parameterShapeMismatch(name:expected:found:)``; then nothing has been copied.
    public func load(_ values: [String: StoredTensor]) throws(LearningError) {
        let parameters = parameters
        for parameter in parameters {
            guard let value = values[parameter.name] else { throw .parameterMissing(name: parameter.name) }
            guard value.shape == parameter.tensor.shape else {
                throw .parameterShapeMismatch(
                    name: parameter.name, expected: parameter.tensor.shape, found: value.shape)
            }
        }
        let names = Set(parameters.map(\.name))
        if let unknown = values.keys.sorted().first(where: { !names.contains($0) }) {
            throw .parameterUnknown(name: unknown)
        }
        for parameter in parameters {
            guard let value = values[parameter.name] else { continue }
            try parameter.tensor.assign(Tensor(value.floats(), shape: value.shape))
        }
    }

    /// The parameters as a checkpoint stores them.
    public func stored(as type: DataType = .float32) throws(LearningError) -> [String: StoredTensor] {
        var values: [String: StoredTensor] = [:]
        for parameter in parameters {
            values[parameter.name] = StoredTensor(
                floats: try parameter.tensor.floats(), shape: parameter.tensor.shape, type: type)
        }
        return values
    }
}

extension Tensor {
    /// A trainable tensor of independent normal numbers.
    static func parameter(
        _ shape: [Int], deviation: Float, using generator: inout some RandomNumberGenerator, on device: Device
    ) throws(LearningError) -> Tensor {
        if deviation == 0 { return try zeros(shape, device: device).requiringGradient() }
        let values = try randn(shape, using: &generator) * deviation
        return try values.moved(to: device).requiringGradient()
    }
}

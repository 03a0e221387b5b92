/// Everything a killed training needs to go on as if nothing had happened.
public struct TrainingState: Equatable, Sendable {
    private static let formatKey = "format"
    private static let format = "scintivol-training-1"

    /// Steps done.
    public var step: Int
    public var seed: UInt64
    /// The caller's own text, such as the network's settings and the recipe's hash.
    public var metadata: [String: String]
    /// Tensors of the caller's own, such as the best parameters so far.
    public var kept: [String: StoredTensor] = [:]
    var parameters: [String: StoredTensor]
    var firstMoments: [String: StoredTensor]
    var secondMoments: [String: StoredTensor]
    var averages: [String: StoredTensor]

    init(step: Int, seed: UInt64, metadata: [String: String]) {
        (self.step, self.seed, self.metadata) = (step, seed, metadata)
        (parameters, firstMoments, secondMoments, averages) = ([:], [:], [:], [:])
    }

    /// - Throws: ``LearningError/metadataMissing(key:)``, ``LearningError/metadataInvalid(key:)`` or
    ///   ``LearningError/parameterUnknown(name:)``.
    public init(_ file: Safetensors) throws(LearningError) {
        func number<Number: FixedWidthInteger>(_ key: String) throws(LearningError) -> Number {
            guard let text = file.metadata[key] else { throw .metadataMissing(key: key) }
            guard let value = Number(text), value >= 0 else { throw .metadataInvalid(key: key) }
            return value
        }
        guard let format = file.metadata[Self.formatKey] else { throw .metadataMissing(key: Self.formatKey) }
        guard format == Self.format else { throw .metadataInvalid(key: Self.formatKey) }
        var own: [String: String] = [:]
        for (key, value) in file.metadata where key.hasPrefix("caller.") { own[String(key.dropFirst(7))] = value }
        self.init(step: try number("step"), seed: try number("seed"), metadata: own)
        for (name, tensor) in file.tensors {
            guard
                let (group, rest) = Self.groups.lazy.compactMap({ prefix, group in
                    name.hasPrefix(prefix) ? (group, String(name.dropFirst(prefix.count))) : nil
                }).first
            else { throw .parameterUnknown(name: name) }
            self[keyPath: group][rest] = tensor
        }
    }

    public var file: Safetensors {
        var file = Safetensors(
            metadata: [Self.formatKey: Self.format, "step": String(step), "seed": String(seed)], tensors: [:])
        for (key, value) in metadata { file.metadata["caller.\(key)"] = value }
        for (prefix, group) in Self.groups {
            for (name, tensor) in self[keyPath: group] { file.tensors[prefix + name] = tensor }
        }
        return file
    }

    private static var groups: [(String, WritableKeyPath<TrainingState, [String: StoredTensor]>)] {
        [
            ("parameter.", \.parameters), ("first_moment.", \.firstMoments), ("second_moment.", \.secondMoments),
            ("average.", \.averages), ("kept.", \.kept),
        ]
    }
}

/// What the learning module refuses.
public enum LearningError: Error, Equatable, Sendable {
    /// libtorch refused an operation; `reason` is its own message.
    case tensorOperation(name: String, reason: String)
    case valueCountMismatch(expected: Int, found: Int)
    case shapeMismatch(expected: [Int], found: [Int])
    /// The closures of a ``LinearMap`` threw.
    case linearMapFailed
    /// A quantity became NaN or infinite during training.
    case notFinite(quantity: String, step: Int)
    /// A network's settings are outside what can be built.
    case impossibleConfiguration(field: String)

    case checkpointTooShort(byteCount: Int)
    case headerTooLong(byteCount: UInt64, limit: Int)
    /// The JSON header is not what the format allows; `offset` counts bytes from its opening brace.
    case malformedHeader(offset: Int)
    case duplicateName(String)
    case unknownDataType(String)
    case tensorCountOverLimit(found: Int, limit: Int)
    /// Shape, data type and offsets of a tensor contradict each other.
    case tensorLengthMismatch(name: String)
    /// The tensors overlap, leave a hole, or do not end where the bytes end.
    case dataNotContiguous(name: String)
    case parameterMissing(name: String)
    case parameterUnknown(name: String)
    case parameterShapeMismatch(name: String, expected: [Int], found: [Int])
    case metadataMissing(key: String)
    case metadataInvalid(key: String)
}

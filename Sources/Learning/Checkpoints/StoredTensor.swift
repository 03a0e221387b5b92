/// A tensor as a checkpoint holds it: bytes, without libtorch.
///
/// - Shape: row-major, little-endian.
public struct StoredTensor: Equatable, Sendable {
    public let type: DataType
    public let shape: [Int]
    public let bytes: [UInt8]

    /// - Precondition: `bytes` has the length that shape and type ask for.
    init(type: DataType, shape: [Int], bytes: [UInt8]) {
        precondition(bytes.count == shape.reduce(type.byteCount, *))
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// Rounds the values to `type`, ties to even.
    public init(floats: [Float], shape: [Int], type: DataType = .float32) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(floats.count * type.byteCount)
        for value in floats {
            switch type {
            case .float32: withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
            case .float16:
                withUnsafeBytes(of: Float16(value).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
            case .bfloat16:
                withUnsafeBytes(of: Self.bfloat16(value).littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        self.init(type: type, shape: shape, bytes: bytes)
    }

    public func floats() -> [Float] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / type.byteCount).map { index in
                let offset = index * type.byteCount
                switch type {
                case .float32:
                    return Float(
                        bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                case .float16:
                    let bits = UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
                    return Float(Float16(bitPattern: bits))
                case .bfloat16:
                    let bits = UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
                    return Float(bitPattern: UInt32(bits) << 16)
                }
            }
        }
    }

    private static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        // Rounding could carry a NaN's payload away and leave infinity.
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
    }
}

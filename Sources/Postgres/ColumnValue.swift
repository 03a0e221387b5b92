/// A Swift type that a column's binary form can be read as.
public protocol ColumnValue {
    /// - Parameters:
    ///   - type: the column's type as PostgreSQL's object identifier.
    ///   - bytes: the value in PostgreSQL's binary form, valid during the call only.
    /// - Returns: `nil` when the type is another one.
    init?(type: UInt32, bytes: UnsafeRawBufferPointer)
    /// What NULL becomes; `nil` when NULL is refused.
    static var null: Self? { get }
}

extension ColumnValue {
    public static var null: Self? { nil }
}

/// Object identifiers of built-in types.
///
/// - Source: PostgreSQL, `src/include/catalog/pg_type.dat`; they are part of the wire protocol and never change.
private enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let texts: Set<UInt32> = [18, 19, 25, 114, 705, 1042, 1043]
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
}

extension Int64: ColumnValue {
    /// Reads `smallint`, `integer` and `bigint`.
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        switch type {
        case TypeOID.int8: self = bytes.bigEndian(Int64.self)
        case TypeOID.int4: self = Int64(bytes.bigEndian(Int32.self))
        case TypeOID.int2: self = Int64(bytes.bigEndian(Int16.self))
        default: return nil
        }
    }
}

extension Int: ColumnValue {
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        guard let value = Int64(type: type, bytes: bytes) else { return nil }
        self = Int(value)
    }
}

extension Bool: ColumnValue {
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        guard type == TypeOID.bool else { return nil }
        self = bytes[0] != 0
    }
}

extension Double: ColumnValue {
    /// Reads `real`, `double precision`, and `timestamptz` as seconds since 1970 UTC.
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        switch type {
        case TypeOID.float8: self = Double(bitPattern: bytes.bigEndian(UInt64.self))
        case TypeOID.float4: self = Double(Float(bitPattern: bytes.bigEndian(UInt32.self)))
        case TypeOID.timestamptz:
            // Microseconds since 2000-01-01, which is 946 684 800 s after 1970-01-01.
            self = Double(bytes.bigEndian(Int64.self)) * 1e-6 + 946_684_800
        default: return nil
        }
    }
}

extension String: ColumnValue {
    /// Reads text types, `json`, `jsonb` as JSON text, and `uuid` in its canonical spelling.
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        switch type {
        case _ where TypeOID.texts.contains(type): self = String(decoding: bytes, as: UTF8.self)
        // The first byte is the version of jsonb's wire form, always 1.
        case TypeOID.jsonb: self = String(decoding: bytes.dropFirst(), as: UTF8.self)
        case TypeOID.uuid:
            let digits = bytes.map { byte in
                let hexadecimal = String(byte, radix: 16)
                return byte < 16 ? "0" + hexadecimal : hexadecimal
            }
            let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16]
            self = groups.map { digits[$0].joined() }.joined(separator: "-")
        default: return nil
        }
    }
}

extension [UInt8]: ColumnValue {
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        guard type == TypeOID.bytea else { return nil }
        self.init(bytes)
    }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    public init?(type: UInt32, bytes: UnsafeRawBufferPointer) {
        guard let value = Wrapped(type: type, bytes: bytes) else { return nil }
        self = .some(value)
    }

    public static var null: Wrapped?? { .some(nil) }
}

extension UnsafeRawBufferPointer {
    fileprivate func bigEndian<Value: FixedWidthInteger>(_: Value.Type) -> Value {
        Value(bigEndian: loadUnaligned(as: Value.self))
    }
}

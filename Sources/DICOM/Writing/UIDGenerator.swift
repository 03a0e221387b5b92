/// Makes unique identifiers that are the same whenever they are asked for again, so that a retry sends the same object.
///
/// - Source: DICOM PS3.5, section B.2, UUID Derived UID; RFC 9562, section 5.8, UUID version 8.
public struct UIDGenerator: Equatable, Sendable {
    /// Says for what the identifiers are made, such as one job.
    public let namespace: String

    public init(namespace: String) { self.namespace = namespace }

    /// `2.25.` and the decimal value of a UUID taken from the SHA-256 digest of the namespace and the names.
    public func uid(_ names: String...) -> String {
        // Each part carries its length, or ("a", "bc") and ("ab", "c") would share an identifier.
        let message = ([namespace] + names).map { "\($0.utf8.count):\($0)" }.joined()
        var uuid = SHA256(Array(message.utf8)).digest.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        uuid = uuid & ~(0xF << 76) | 0x8 << 76
        uuid = uuid & ~(0x3 << 62) | 0x2 << 62
        return "2.25.\(uuid)"
    }
}

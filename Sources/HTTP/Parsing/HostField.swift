/// The grammar of Host: `uri-host [ ":" port ]`.
///
/// - Source: RFC 9110 section 7.2; an http URI with an empty host is invalid (section 4.2.1).
package enum HostField {
    package static func isWellFormed(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = value.first else { return false }
        let hostEnd: Int
        if first == UInt8(ascii: "[") {
            guard let bracket = value.firstIndex(of: UInt8(ascii: "]")) else { return false }
            guard isAddressLiteral(value[(value.startIndex + 1)..<bracket]) else { return false }
            hostEnd = bracket + 1
        } else {
            hostEnd = value.firstIndex(of: Octet.colon) ?? value.endIndex
            guard hostEnd > value.startIndex,
                value[..<hostEnd].allSatisfy({ OctetSet.registeredName.contains($0) })
            else { return false }
        }
        guard hostEnd < value.endIndex else { return true }
        guard value[hostEnd] == Octet.colon else { return false }
        let port = value[(hostEnd + 1)...]
        // RFC 3986 section 3.2.3: the port may be empty.
        return port.isEmpty || (port.count <= 5 && Octet.decimal(port).map { $0 <= 65_535 } == true)
    }

    /// The shape of an IPv6 address between its brackets; no socket is ever opened to it.
    private static func isAddressLiteral(_ literal: ArraySlice<UInt8>) -> Bool {
        let colons = literal.filter { $0 == Octet.colon }.count
        return (2...7).contains(colons) && literal.count <= 45
            && literal.allSatisfy { OctetSet.hexDigit.contains($0) || $0 == Octet.colon || $0 == Octet.dot }
    }
}

/// Percent-decoding that never guesses.
///
/// - Source: RFC 3986 section 2.1.
package enum PercentEncoding {
    /// The decoded octets, or nil when a triplet is broken, a control appears or the whole is not UTF-8.
    package static func decode(_ raw: ArraySlice<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(raw.count)
        var index = raw.startIndex
        while index < raw.endIndex {
            var octet = raw[index]
            if octet == Octet.percent {
                guard index + 2 < raw.endIndex, let high = Octet.hexValue(raw[index + 1]),
                    let low = Octet.hexValue(raw[index + 2])
                else { return nil }
                octet = UInt8(high << 4 | low)
                guard octet >= Octet.space, octet != Octet.delete else { return nil }
                index += 2
            } else if plusIsSpace, octet == UInt8(ascii: "+") {
                octet = Octet.space
            }
            decoded.append(octet)
            index += 1
        }
        return String(validating: decoded, as: UTF8.self) == nil ? nil : decoded
    }
}

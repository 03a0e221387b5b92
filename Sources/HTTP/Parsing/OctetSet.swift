/// A set of ASCII octets as a bit mask: a membership test is one shift, and no octet above 127 is ever in it.
///
/// The masks are spelled out so that the compiler lays them down as constants; a test derives them from the grammar.
package struct OctetSet: Sendable {
    let below64: UInt64
    let from64: UInt64

    @inline(__always)
    package func contains(_ octet: UInt8) -> Bool {
        if octet < 64 { return below64 &>> UInt64(octet) & 1 == 1 }
        return octet < 128 && from64 &>> UInt64(octet & 63) & 1 == 1
    }

    /// `tchar`, RFC 9110 section 5.6.2.
    package static let token = OctetSet(below64: 0x03FF_6CFA_0000_0000, from64: 0x57FF_FFFF_C7FF_FFFE)
    /// `pchar` with `%` and `/`, RFC 3986 section 3.3.
    package static let path = OctetSet(below64: 0x2FFF_FFF2_0000_0000, from64: 0x47FF_FFFE_87FF_FFFF)
    /// `pchar` with `%`, `/` and `?`, RFC 3986 section 3.4.
    package static let query = OctetSet(below64: 0xAFFF_FFF2_0000_0000, from64: 0x47FF_FFFE_87FF_FFFF)
    /// `unreserved` and `sub-delims` of `reg-name`, RFC 3986 section 3.2.2. Percent-encoding is left out: no network
    /// has a host of such a name.
    package static let registeredName = OctetSet(below64: 0x2BFF_7FD2_0000_0000, from64: 0x47FF_FFFE_87FF_FFFE)
    package static let hexDigit = OctetSet(below64: 0x03FF_0000_0000_0000, from64: 0x0000_007E_0000_007E)
}

/// The octets that have a meaning of their own in HTTP's framing.
enum Octet {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let semicolon = UInt8(ascii: ";")
    static let slash = UInt8(ascii: "/")
    static let backslash = UInt8(ascii: "\\")
    static let question = UInt8(ascii: "?")
    static let percent = UInt8(ascii: "%")
    static let dot = UInt8(ascii: ".")
    static let delete: UInt8 = 0x7F

    @inline(__always)
    static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- 0x41 < 26 ? octet | 0x20 : octet
    }

    /// The value of a hexadecimal digit. Bytes, because `Int("+5", radix: 16)` is 5.
    @inline(__always)
    static func hexValue(_ octet: UInt8) -> Int? {
        if octet &- 0x30 < 10 { return Int(octet &- 0x30) }
        let letter = lowercased(octet) &- 0x61
        return letter < 6 ? Int(letter) + 10 : nil
    }

    /// 1*DIGIT without sign, blank or overflow. Bytes, because `Int("+5")` is 5.
    static func decimal(_ octets: some Sequence<UInt8>) -> Int? {
        var value = 0
        var count = 0
        for octet in octets {
            guard octet &- 0x30 < 10 else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(Int(octet &- 0x30))
            if overflows || carries { return nil }
            value = sum
            count += 1
        }
        return count > 0 ? value : nil
    }

    /// Whether octets spell an ASCII word, in any case; `word` is lower case.
    @inline(__always)
    static func match(_ octets: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        guard octets.count == word.utf8CodeUnitCount else { return false }
        var letter = word.utf8Start
        for octet in octets {
            if lowercased(octet) != letter.pointee { return false }
            letter += 1
        }
        return true
    }
}

/// `method SP request-target SP HTTP-version`, with one space each and nothing else.
///
/// - Source: RFC 9112 section 3.
struct RequestLine: Sendable {
    let method: Method
    let target: RequestTarget
    let minorVersion: Int

    /// - Parameter origin: the head's first octet, which positions are counted from.
    init(_ octets: ArraySlice<UInt8>, origin: Int) throws(Violation) {
        guard let afterMethod = octets.firstIndex(of: Octet.space),
            let afterTarget = octets[(afterMethod + 1)...].firstIndex(of: Octet.space)
        else { throw .malformedRequestLine }
        let name = octets[..<afterMethod]
        guard !name.isEmpty, name.allSatisfy({ OctetSet.token.contains($0) }) else { throw .malformedRequestLine }
        let rawTarget = octets[(afterMethod + 1)..<afterTarget]
        guard !rawTarget.isEmpty else { throw .malformedRequestLine }
        minorVersion = try Self.minorVersion(octets[(afterTarget + 1)...])
        // RFC 9110 section 9.1: a method that is not recognised is 501, not a malformed request.
        guard let method = Method(name) else { throw .unknownMethod }
        self.method = method
        target = try RequestTarget(rawTarget, method: method, origin: origin)
    }

    /// RFC 9112 section 2.3: `HTTP/` DIGIT `.` DIGIT. A higher minor version is read as 1.1 (RFC 9110 section 2.5).
    private static func minorVersion(_ octets: ArraySlice<UInt8>) throws(Violation) -> Int {
        guard octets.count == 8, octets.starts(with: "HTTP/".utf8) else { throw .malformedRequestLine }
        let digits = octets.suffix(3)
        guard let major = digits.first, let minor = digits.last, major &- 0x30 < 10, minor &- 0x30 < 10,
            digits[digits.startIndex + 1] == Octet.dot
        else { throw .malformedRequestLine }
        guard major == UInt8(ascii: "1") else { throw .unsupportedVersion }
        return minor == UInt8(ascii: "0") ? 0 : 1
    }
}

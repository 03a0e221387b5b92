/// The target of a request: where path and query lie in the head's octets, and the path decoded if it needs to be.
///
/// - Source: RFC 9112 section 3.2. Authority form belongs to CONNECT, which this server does not speak.
package struct RequestTarget: Sendable, Equatable {
    let path: Range<Int>
    let query: Range<Int>?
    /// Set when the raw path is not already the decoded one.
    let decodedPath: [UInt8]?
    /// Whether an absolute form named the host, which then stands above the Host field (section 3.2.2).
    package let isAbsolute: Bool
    package let isAsterisk: Bool

    /// - Parameter origin: the head's first octet, which positions are counted from.
    init(_ octets: ArraySlice<UInt8>, method: Method, origin: Int) throws(Violation) {
        guard let first = octets.first else { throw .malformedRequestLine }
        if octets.count == 1, first == UInt8(ascii: "*") {
            // Section 3.2.4: only OPTIONS asks about the server as a whole.
            guard method == .options else { throw .malformedTarget }
            (path, query, decodedPath) = (0..<0, nil, nil)
            (isAbsolute, isAsterisk) = (false, true)
            return
        }
        let pathStart = first == Octet.slash ? octets.startIndex : try Self.endOfAuthority(octets)
        let queryMark = octets[pathStart...].firstIndex(of: Octet.question)
        let pathEnd = queryMark ?? octets.endIndex
        path = (pathStart - origin)..<(pathEnd - origin)
        query = queryMark.map { ($0 + 1 - origin)..<(octets.endIndex - origin) }
        isAbsolute = pathStart != octets.startIndex
        isAsterisk = false
        if pathStart == pathEnd {
            // RFC 9110 section 4.2.3: an empty path of an http URI is "/".
            decodedPath = [Octet.slash]
        } else {
            decodedPath = try Self.decodedPath(octets[pathStart..<pathEnd])
        }
        if let queryMark { try Self.checkQuery(octets[(queryMark + 1)...]) }
    }

    /// Skips `http://authority` of an absolute form. User information is refused (RFC 9110 section 4.2.4).
    private static func endOfAuthority(_ octets: ArraySlice<UInt8>) throws(Violation) -> Int {
        guard let colon = octets.firstIndex(of: Octet.colon) else { throw .malformedTarget }
        let scheme = octets[..<colon]
        guard Octet.match(scheme, "http") || Octet.match(scheme, "https"),
            octets[colon...].starts(with: "://".utf8)
        else { throw .malformedTarget }
        let start = colon + 3
        let end = octets[start...].firstIndex { $0 == Octet.slash || $0 == Octet.question } ?? octets.endIndex
        guard HostField.isWellFormed(octets[start..<end]) else { throw .malformedTarget }
        return end
    }

    /// Checks a path and decodes it when it holds a percent sign.
    ///
    /// An encoded slash, backslash or control, a dot segment and text that is not UTF-8 are refused: each of them
    /// lets two readers see two different paths.
    private static func decodedPath(_ raw: ArraySlice<UInt8>) throws(Violation) -> [UInt8]? {
        var isEncoded = false
        for octet in raw {
            guard OctetSet.path.contains(octet) else { throw .malformedTarget }
            if octet == Octet.percent { isEncoded = true }
        }
        guard isEncoded else {
            try refuseDotSegments(raw)
            return nil
        }
        guard let decoded = PercentEncoding.decode(raw, plusIsSpace: false),
            decoded.filter({ $0 == Octet.slash }).count == raw.filter({ $0 == Octet.slash }).count,
            !decoded.contains(Octet.backslash)
        else { throw .malformedTarget }
        try refuseDotSegments(decoded[...])
        return decoded
    }

    private static func refuseDotSegments(_ path: ArraySlice<UInt8>) throws(Violation) {
        var index = path.startIndex
        while let slash = path[index...].firstIndex(of: Octet.slash) {
            index = slash + 1
            guard index < path.endIndex, path[index] == Octet.dot else { continue }
            let end = path[index...].firstIndex(of: Octet.slash) ?? path.endIndex
            let segment = path[index..<end]
            if segment.count == 1 || (segment.count == 2 && segment.last == Octet.dot) { throw .malformedTarget }
        }
    }

    private static func checkQuery(_ raw: ArraySlice<UInt8>) throws(Violation) {
        var isEncoded = false
        for octet in raw {
            guard OctetSet.query.contains(octet) else { throw .malformedTarget }
            if octet == Octet.percent { isEncoded = true }
        }
        if isEncoded, PercentEncoding.decode(raw, plusIsSpace: true) == nil { throw .malformedTarget }
    }
}

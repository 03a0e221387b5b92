/// The fields of one head while they are read: where they lie, and what they say about framing and connection.
struct FieldSection: Sendable {
    private(set) var lines: [RequestHead.FieldLine] = []
    private var hostCount = 0
    private var contentLength: Int?
    private var isChunked = false
    private var asksToClose = false

    /// Checks and records one field line; positions are kept relative to `origin`, where the head begins.
    ///
    /// - Source: RFC 9112 section 5, RFC 9110 section 5.5.
    mutating func add(_ octets: [UInt8], _ line: Range<Int>, origin: Int) throws(Violation) {
        let (name, value) = try Self.split(octets, line)
        lines.append(
            .init(
                name: (name.lowerBound - origin)..<(name.upperBound - origin),
                value: (value.lowerBound - origin)..<(value.upperBound - origin)))
        // Only these decide anything here; the length sorts out most of the others.
        switch name.count {
        case 4 where Octet.match(octets[name], "host"):
            hostCount += 1
            guard hostCount == 1 else { throw .repeatedHost }
            guard HostField.isWellFormed(octets[value]) else { throw .malformedHost }
        case 10 where Octet.match(octets[name], "connection"):
            let options = octets[value].split(separator: Octet.comma)
            if options.contains(where: { Octet.match(Self.trimmed(octets, $0.indices), "close") }) {
                asksToClose = true
            }
        case 14 where Octet.match(octets[name], "content-length"):
            guard contentLength == nil else { throw .repeatedContentLength }
            guard let length = Octet.decimal(octets[value]) else { throw .malformedContentLength }
            contentLength = length
        case 17 where Octet.match(octets[name], "transfer-encoding"):
            try addTransferEncoding(octets[value])
        default:
            break
        }
    }

    /// Splits a line into name and value and checks every octet. Trailers pass here too.
    static func split(_ octets: [UInt8], _ line: Range<Int>) throws(Violation) -> (name: Range<Int>, value: Range<Int>)
    {
        let first = octets[line.lowerBound]
        // RFC 9112 section 5.2: a server must refuse obs-fold.
        if first == Octet.space || first == Octet.tab { throw .foldedField }
        var index = line.lowerBound
        while index < line.upperBound, OctetSet.token.contains(octets[index]) { index += 1 }
        // RFC 9112 section 5.1: no blank between name and colon.
        guard index > line.lowerBound, index < line.upperBound, octets[index] == Octet.colon else {
            throw .malformedField
        }
        let name = line.lowerBound..<index
        let value = trimmed(octets, (index + 1)..<line.upperBound).indices
        for octet in octets[value] where octet < Octet.space || octet == Octet.delete {
            // A bare CR and NUL fall under this too (RFC 9110 section 5.5).
            guard octet == Octet.tab else { throw .malformedField }
        }
        return (name, value)
    }

    private static func trimmed(_ octets: [UInt8], _ range: Range<Int>) -> ArraySlice<UInt8> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, octets[start] == Octet.space || octets[start] == Octet.tab { start += 1 }
        while end > start, octets[end - 1] == Octet.space || octets[end - 1] == Octet.tab { end -= 1 }
        return octets[start..<end]
    }

    /// RFC 9112 section 6.1: chunked, once, and nothing beside it.
    private mutating func addTransferEncoding(_ value: ArraySlice<UInt8>) throws(Violation) {
        guard !isChunked else { throw .malformedTransferEncoding }
        guard Octet.match(value, "chunked") else {
            let isList = value.contains(Octet.comma)
            throw isList || value.isEmpty ? .malformedTransferEncoding : .unsupportedTransferEncoding
        }
        isChunked = true
    }

    /// What the section says as a whole, once it is complete.
    func framing(minorVersion: Int) throws(Violation) -> RequestHead.Framing {
        // RFC 9112 section 3.2: required of every HTTP/1.1 request, absolute form or not.
        if hostCount == 0, minorVersion > 0 { throw .missingHost }
        if isChunked {
            // RFC 9112 section 6.1: an HTTP/1.0 message with this field has faulty framing.
            if minorVersion == 0 { throw .transferEncodingOnHTTP10 }
            // RFC 9112 section 6.3: both together smell of smuggling.
            if contentLength != nil { throw .lengthAndTransferEncoding }
            return .chunked
        }
        guard let contentLength, contentLength > 0 else { return .none }
        return .length(contentLength)
    }

    /// HTTP/1.0 connections close here, whatever keep-alive they ask for.
    func closes(minorVersion: Int) -> Bool { asksToClose || minorVersion == 0 }
}

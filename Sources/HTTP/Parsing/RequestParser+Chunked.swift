/// The chunked transfer coding.
///
/// - Source: RFC 9112 section 7.1.
extension RequestParser {
    enum ChunkedStep {
        case part(ArraySlice<UInt8>)
        case moved
    }

    mutating func readChunked() throws(Violation) -> ChunkedStep? {
        switch state {
        case .chunkSize:
            guard let line = try takeLine(limit: limits.chunkLineBytesLimit, else: .malformedChunk) else { return nil }
            let size = try chunkSize(line)
            origin = cursor
            state = size == 0 ? .trailers : .chunkData(remaining: size)
            return .moved
        case .chunkData(let remaining):
            guard let part = takeBody(limit: remaining) else { return nil }
            state = part.count == remaining ? .chunkEnd : .chunkData(remaining: remaining - part.count)
            return .part(part)
        case .chunkEnd:
            // Exactly CRLF: a longer line here means that the size was a lie.
            guard let line = try takeLine(limit: 0, else: .malformedChunk) else { return nil }
            precondition(line.isEmpty, "a line of at most 0 octets is empty")
            origin = cursor
            state = .chunkSize
            return .moved
        default:
            return try readTrailer()
        }
    }

    /// Trailers are checked and dropped: none may decide framing, routing or access (RFC 9110 section 6.5.1).
    private mutating func readTrailer() throws(Violation) -> ChunkedStep? {
        guard let line = try takeLine(limit: limits.fieldBytesLimit - fieldBytes, else: .fieldsTooLarge) else {
            return nil
        }
        if line.isEmpty {
            state = .complete
        } else {
            try countField(line)
            _ = try FieldSection.split(buffer, line)
        }
        origin = cursor
        return .moved
    }

    /// 1*HEXDIG, then nothing or extensions, which are bounded over the whole body and otherwise ignored.
    private mutating func chunkSize(_ line: Range<Int>) throws(Violation) -> Int {
        var size = 0
        var index = line.lowerBound
        while index < line.upperBound, let digit = Octet.hexValue(buffer[index]) {
            guard size <= Int.max >> 4 else { throw .malformedChunk }
            size = size << 4 | digit
            index += 1
        }
        guard index > line.lowerBound else { throw .malformedChunk }
        extensionBytes += line.upperBound - index
        guard extensionBytes <= limits.chunkExtensionBytesLimit else { throw .chunkExtensionsTooLarge }
        // Section 7.1.1: blanks may stand before the semicolon, but blanks alone are no extension.
        let digitsEnd = index
        while index < line.upperBound, buffer[index] == Octet.space || buffer[index] == Octet.tab { index += 1 }
        let isExtension = index < line.upperBound && buffer[index] == Octet.semicolon
        guard digitsEnd == line.upperBound || isExtension else { throw .malformedChunk }
        for octet in buffer[index..<line.upperBound] where octet < Octet.space || octet >= Octet.delete {
            guard octet == Octet.tab else { throw .malformedChunk }
        }
        return size
    }
}

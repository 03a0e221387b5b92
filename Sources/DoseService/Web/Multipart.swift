/// Takes a multipart body apart as it comes, piece by piece.
///
/// - Source: RFC 2046 section 5.1; the line ends are CRLF only.
package struct MultipartParser {
    package enum Event: Equatable {
        /// A part begins; names are in lower case.
        case part(fields: [String: String])
        case content(ArraySlice<UInt8>)
        case partEnd
    }

    package enum Violation: Error, Equatable {
        /// Something other than the next boundary or the end follows a boundary.
        case boundaryLine
        case fields
        case fieldsTooLong
        /// The body ended inside a part, or without one.
        case incomplete
    }

    private enum State {
        case preamble
        /// Behind a boundary: CRLF means a part, `--` the end.
        case afterBoundary
        case fields
        case content
        case epilogue
    }

    /// Octets of the fields of one part.
    static let fieldsLimit = 8192

    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What could not be decided yet: at most a delimiter and two octets, or the fields of a part.
    private var pending: [UInt8]

    /// - Parameter boundary: as the media type names it; 1 to 70 octets.
    package init?(boundary: String) {
        guard (1...70).contains(boundary.utf8.count), !boundary.hasSuffix(" "),
            boundary.utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
        else { return nil }
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first boundary may stand at the very beginning, without a line end before it.
        pending = [0x0D, 0x0A]
    }

    package mutating func consume(_ bytes: [UInt8], _ take: (Event) throws -> Void) throws {
        pending += bytes
        while try step(take) {}
    }

    /// - Throws: ``Violation/incomplete``.
    package func finish() throws(Violation) {
        guard state == .epilogue else { throw .incomplete }
    }

    /// - Returns: whether there may be more to do with what is pending.
    private mutating func step(_ take: (Event) throws -> Void) throws -> Bool {
        switch state {
        case .preamble:
            guard skip(until: delimiter, { _ in }) else { return false }
            state = .afterBoundary
        case .content:
            let isOver = try skip(until: delimiter) { try take(.content($0)) }
            guard isOver else { return false }
            try take(.partEnd)
            state = .afterBoundary
        case .afterBoundary:
            // Blanks may follow a boundary on its line.
            guard let next = pending.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }), next + 1 < pending.count else {
                if pending.count > Self.fieldsLimit { throw Violation.boundaryLine }
                return false
            }
            switch (pending[next], pending[next + 1]) {
            case (0x0D, 0x0A):
                // The fields' end is looked for with the line end that precedes them.
                pending.removeFirst(next)
                state = .fields
            case (0x2D, 0x2D) where next == 0: state = .epilogue
            default: throw Violation.boundaryLine
            }
        case .fields: return try takeFields(take)
        case .epilogue:
            pending.removeAll()
            return false
        }
        return true
    }

    private mutating func takeFields(_ take: (Event) throws -> Void) throws -> Bool {
        let end = Array("\r\n\r\n".utf8)
        guard let place = Self.find(end, in: pending[...]) else {
            if pending.count > Self.fieldsLimit { throw Violation.fieldsTooLong }
            return false
        }
        guard place <= Self.fieldsLimit else { throw Violation.fieldsTooLong }
        var fields: [String: String] = [:]
        for line in pending[..<place].split(separator: 0x0A) {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: 0x3A), !line.contains(0x0D), !line.contains(0) else {
                throw Violation.fields
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            guard fields.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
                throw Violation.fields
            }
        }
        try take(.part(fields: fields))
        // An empty part's delimiter shares this line end.
        pending.removeFirst(place + 2)
        state = .content
        // What precedes the content is the empty line's end and no content.
        if Self.starts(pending, with: delimiter) { return true }
        if pending.count >= delimiter.count { pending.removeFirst(2) } else { leadingLineEnd = true }
        return true
    }

    /// The line end before the content is still pending, because an empty part's delimiter may begin with it.
    private var leadingLineEnd = false

    /// Hands over what stands before the delimiter and drops both.
    ///
    /// - Returns: false when the delimiter has not come yet; all but a possible beginning of it is gone then.
    private mutating func skip(
        until delimiter: [UInt8], _ take: (ArraySlice<UInt8>) throws -> Void
    ) rethrows -> Bool {
        if leadingLineEnd {
            guard pending.count >= delimiter.count else { return false }
            leadingLineEnd = false
            if !Self.starts(pending, with: delimiter) { pending.removeFirst(2) }
        }
        if let place = Self.find(delimiter, in: pending[...]) {
            if place > 0 { try take(pending[..<place]) }
            pending.removeFirst(place + delimiter.count)
            return true
        }
        let kept = min(pending.count, delimiter.count - 1)
        let done = pending.count - kept
        if done > 0 { try take(pending[..<done]) }
        pending.removeFirst(done)
        return false
    }

    private static func starts(_ bytes: [UInt8], with start: [UInt8]) -> Bool {
        bytes.count >= start.count && bytes[..<start.count].elementsEqual(start)
    }

    /// Where `wanted` begins. Its first octet, a carriage return, is rare enough to be looked for first.
    private static func find(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            guard buffer.count >= wanted.count else { return nil }
            var index = 0
            let last = buffer.count - wanted.count
            while index <= last {
                guard buffer[index] == wanted[0] else {
                    index += 1
                    continue
                }
                var matched = 1
                while matched < wanted.count, buffer[index + matched] == wanted[matched] { matched += 1 }
                if matched == wanted.count { return bytes.startIndex + index }
                index += 1
            }
            return nil
        }
    }
}

import Glibc

/// Reads requests out of a stream of octets, however they are cut: a value without I/O, clock or connection.
///
/// Give it octets with ``append(_:)`` and call ``next()`` until it returns nil. What it makes of a stream does not
/// depend on how the stream was cut into pieces. After a violation it stays failed.
///
/// - Source: RFC 9112.
package struct RequestParser: Sendable {
    package enum Event: Sendable {
        case head(RequestHead)
        /// A part of the body. Let go of it before the next ``RequestParser/append(_:)``, or the buffer is copied.
        case body(ArraySlice<UInt8>)
        /// The request is complete; what follows belongs to the next one.
        case end
    }

    enum State: Sendable, Equatable {
        case requestLine
        case fields
        case sizedBody(remaining: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers
        case complete
    }

    let limits: Limits
    var state = State.requestLine
    var buffer: [UInt8] = []
    /// The first octet still needed: the head's first while a head is read.
    var origin = 0
    /// The first octet not yet taken.
    var cursor = 0
    /// Up to here no line feed was found.
    private var searched = 0
    private var violation: Violation?

    var skippedEmptyLine = false
    var line: RequestLine?
    var section = FieldSection()
    var fieldBytes = 0
    var fieldCount = 0
    var extensionBytes = 0

    package init(limits: Limits) {
        self.limits = limits
    }

    /// Whether nothing of a next request has arrived.
    package var isBetweenRequests: Bool { state == .requestLine && cursor == buffer.count }

    /// Whether octets wait that were not looked at yet.
    package var hasUnreadBytes: Bool { cursor < buffer.count }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        let needed = min(origin, cursor)
        if needed == buffer.count {
            // An idle connection keeps the room of a usual request, not that of its largest.
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
            shift(by: needed)
        } else if needed >= Self.compactionThreshold {
            buffer.removeFirst(needed)
            shift(by: needed)
        }
        buffer.append(contentsOf: bytes)
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    private static let keptCapacity = 4_096
    private static let compactionThreshold = 16_384

    private mutating func shift(by count: Int) {
        origin -= count
        cursor -= count
        searched = max(searched - count, cursor)
    }

    /// The next event, or nil when more octets are needed.
    package mutating func next() throws(Violation) -> Event? {
        if let violation { throw violation }
        do {
            return try advance()
        } catch {
            violation = error
            throw error
        }
    }

    private mutating func advance() throws(Violation) -> Event? {
        while true {
            switch state {
            case .requestLine:
                guard try readRequestLine() else { return nil }
            case .fields:
                guard let line = try takeLine(limit: limits.fieldBytesLimit - fieldBytes, else: .fieldsTooLarge) else {
                    return nil
                }
                if line.isEmpty { return .head(try finishHead()) }
                try countField(line)
                try section.add(buffer, line, origin: origin)
            case .sizedBody(let remaining):
                guard let part = takeBody(limit: remaining) else { return nil }
                state = part.count == remaining ? .complete : .sizedBody(remaining: remaining - part.count)
                return .body(part)
            case .chunkSize, .chunkEnd, .trailers, .chunkData:
                guard let step = try readChunked() else { return nil }
                if case .part(let part) = step { return .body(part) }
            case .complete:
                beginRequest()
                return .end
            }
        }
    }

    private mutating func beginRequest() {
        state = .requestLine
        origin = cursor
        skippedEmptyLine = false
        line = nil
        section = FieldSection()
        fieldBytes = 0
        fieldCount = 0
        extensionBytes = 0
    }

    private mutating func readRequestLine() throws(Violation) -> Bool {
        guard let range = try takeLine(limit: limits.requestLineBytesLimit, else: .requestLineTooLong) else {
            return false
        }
        if range.isEmpty {
            // RFC 9112 section 2.2: one empty line before a request is ignored, as old clients send it after a body.
            guard !skippedEmptyLine else { throw .malformedRequestLine }
            skippedEmptyLine = true
            origin = cursor
            return true
        }
        origin = range.lowerBound
        line = try RequestLine(buffer[range], origin: origin)
        state = .fields
        return true
    }

    mutating func countField(_ line: Range<Int>) throws(Violation) {
        fieldBytes += line.count
        fieldCount += 1
        guard fieldCount <= limits.fieldCountLimit else { throw .fieldsTooLarge }
    }

    private mutating func finishHead() throws(Violation) -> RequestHead {
        guard let line else { preconditionFailure("fields are read after a request line") }
        let framing = try section.framing(minorVersion: line.minorVersion)
        let head = RequestHead(
            octets: Array(buffer[origin..<cursor]), fieldLines: section.lines, method: line.method,
            target: line.target, minorVersion: line.minorVersion, framing: framing,
            closes: section.closes(minorVersion: line.minorVersion))
        origin = cursor
        // Trailers get the bounds of a field section of their own.
        fieldBytes = 0
        fieldCount = 0
        switch framing {
        case .none: state = .complete
        case .length(let length): state = .sizedBody(remaining: length)
        case .chunked: state = .chunkSize
        }
        return head
    }

    mutating func takeBody(limit: Int) -> ArraySlice<UInt8>? {
        guard cursor < buffer.count else { return nil }
        let part = buffer[cursor..<min(buffer.count, cursor + limit)]
        cursor = part.endIndex
        origin = cursor
        return part
    }

    /// Takes a line without its CRLF. Only CRLF ends a line here, though RFC 9112 section 2.2 would allow LF alone.
    mutating func takeLine(limit: Int, else tooLong: Violation) throws(Violation) -> Range<Int>? {
        let start = max(cursor, searched)
        let found = buffer.withUnsafeBytes { bytes -> Int? in
            guard start < bytes.count, let first = bytes.baseAddress else { return nil }
            let base = first + start
            return memchr(base, Int32(Octet.lineFeed), bytes.count - start).map { UnsafeRawPointer($0) - first }
        }
        guard let feed = found else {
            searched = buffer.count
            // The one octet more may be the CR.
            if buffer.count - cursor > limit + 1 { throw tooLong }
            return nil
        }
        let hasReturn = feed > cursor && buffer[feed - 1] == Octet.carriageReturn
        let range = cursor..<(hasReturn ? feed - 1 : feed)
        guard range.count <= limit else { throw tooLong }
        guard hasReturn else { throw .bareLineFeed }
        cursor = feed + 1
        searched = cursor
        return range
    }
}

/// What waits to be sent: octets, and then at most one large body that is not copied among them.
struct OutputQueue {
    enum Tail {
        case bytes([UInt8], next: Int)
        case file(FileBody, next: Int)
    }

    private(set) var bytes: [UInt8] = []
    private(set) var sent = 0
    private(set) var tail: Tail?

    var isEmpty: Bool { sent == bytes.count && tail == nil }

    /// Octets held in memory for the peer.
    var count: Int { bytes.count - sent }

    mutating func append(_ more: some Sequence<UInt8>) {
        precondition(tail == nil, "nothing follows a body before it is sent")
        bytes.append(contentsOf: more)
    }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends a non-negative number in decimal (or hexadecimal) digits.
    mutating func append(number: Int, radix: Int = 10) {
        let start = bytes.count
        var rest = number
        repeat {
            let digit = UInt8(rest % radix)
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            rest /= radix
        } while rest > 0
        bytes[start...].reverse()
    }

    mutating func setTail(_ body: Tail) {
        precondition(tail == nil, "one body at a time")
        tail = body
    }

    /// Counts octets of ``bytes`` as sent.
    mutating func advance(_ count: Int) {
        sent += count
        guard sent == bytes.count else { return }
        // An idle connection keeps the room of a usual answer, not that of its largest.
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
        sent = 0
    }

    mutating func advanceTail(_ count: Int) {
        switch tail {
        case .bytes(let body, let next):
            tail = next + count < body.count ? .bytes(body, next: next + count) : nil
        case .file(let file, let next):
            tail = next + count < file.range.upperBound ? .file(file, next: next + count) : nil
        case nil:
            preconditionFailure("only a body that is there can be sent")
        }
    }

    private static let keptCapacity = 4_096
}

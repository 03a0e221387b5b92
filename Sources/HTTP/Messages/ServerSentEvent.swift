/// One server-sent event.
///
/// - Source: WHATWG HTML, section 9.2.6.
public struct ServerSentEvent: Sendable, Equatable {
    public var id: String?
    public var name: String?
    public var data: String
    public var retry: Duration?

    public init(data: String, name: String? = nil, id: String? = nil, retry: Duration? = nil) {
        self.data = data
        self.name = name
        self.id = id
        self.retry = retry
    }

    static let comment = Array(":\n\n".utf8)

    /// The event's lines. Line ends inside `data` become lines of their own; in `id` and `name` they become blanks,
    /// because there they would start another field.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        if let id { Self.append("id", id, to: &bytes) }
        if let name { Self.append("event", name, to: &bytes) }
        if let retry { Self.append("retry", String(retry.components.seconds * 1_000), to: &bytes) }
        bytes.append(contentsOf: "data: ".utf8)
        var previous: UInt8 = 0
        for octet in data.utf8 {
            defer { previous = octet }
            switch octet {
            case Octet.lineFeed where previous == Octet.carriageReturn: continue
            case Octet.lineFeed, Octet.carriageReturn: bytes.append(contentsOf: "\ndata: ".utf8)
            default: bytes.append(octet)
            }
        }
        bytes.append(contentsOf: "\n\n".utf8)
        return bytes
    }

    private static func append(_ field: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: field.utf8)
        bytes.append(contentsOf: ": ".utf8)
        bytes.append(contentsOf: value.utf8.map { $0 < Octet.space ? Octet.space : $0 })
        bytes.append(Octet.lineFeed)
    }
}

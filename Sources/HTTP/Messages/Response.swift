/// An answer: status, fields and one kind of body.
public struct Response: Sendable {
    public var status: Status
    public var fields: Fields
    public var body: ResponseBody

    public init(_ status: Status, fields: Fields = Fields(), body: ResponseBody = .none) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// An answer from memory.
    public static func bytes(_ bytes: [UInt8], type: String, status: Status = 200) -> Response {
        Response(status, fields: ["Content-Type": type], body: .bytes(bytes))
    }

    public static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: Status = 200)
        -> Response
    {
        bytes(Array(text.utf8), type: type, status: status)
    }

    /// JSON that is encoded already.
    public static func json(_ bytes: [UInt8], status: Status = 200) -> Response {
        var response = Response.bytes(bytes, type: "application/json", status: status)
        // Text of others may stand in it: no browser is to take it for a page.
        response.fields.set("X-Content-Type-Options", "nosniff")
        return response
    }

    /// A file with its entity tag and date; ranges of it are answered.
    public static func file(_ file: FileBody, type: String) -> Response {
        var response = Response(200, fields: ["Content-Type": type], body: .file(file))
        response.fields.add("ETag", file.entityTag.description)
        response.fields.add("Last-Modified", file.lastModified.description)
        response.fields.add("Accept-Ranges", "bytes")
        return response
    }

    /// A body that is written as it is made. The closure runs in a task of its own, which is cancelled when the peer
    /// goes away; the body ends when it returns, and is cut off when it throws.
    public static func stream(
        type: String, _ produce: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> Response {
        Response(
            200, fields: ["Content-Type": type], body: .stream(StreamBody(sendsHeartbeat: false, produce: produce)))
    }

    /// Server-sent events. A comment goes out on its own when the stream is silent.
    ///
    /// - Source: WHATWG HTML, section 9.2.
    public static func events(_ produce: @escaping @Sendable (EventWriter) async throws -> Void) -> Response {
        let body = StreamBody(sendsHeartbeat: true) { writer in try await produce(EventWriter(body: writer)) }
        return Response(
            200, fields: ["Content-Type": "text/event-stream", "Cache-Control": "no-store"], body: .stream(body))
    }
}

/// What follows the head of an answer.
public enum ResponseBody: Sendable {
    case none
    case bytes([UInt8])
    case file(FileBody)
    case stream(StreamBody)

    /// The length when it is known before the body is made.
    var count: Int? {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .file(let file): file.range.count
        case .stream: nil
        }
    }
}

/// A body that a closure writes. Made by ``Response/stream(type:_:)`` and ``Response/events(_:)``.
public struct StreamBody: Sendable {
    let sendsHeartbeat: Bool
    let produce: @Sendable (BodyWriter) async throws -> Void
}

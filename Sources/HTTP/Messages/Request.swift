/// A request as a handler sees it: checked, routed, its body complete.
public struct Request: Sendable {
    package let head: RequestHead
    private let parameters: [(name: String, value: String)]
    /// The pattern of the route that serves it, for logs and metrics.
    public let routePattern: String
    public let body: RequestBody
    public let peer: PeerAddress
    /// The subject of the verified client certificate (RFC 2253 text), when the client showed one.
    public let clientSubject: String?
    /// The trace that it belongs to, for logs.
    public let trace: TraceContext

    package init(
        head: RequestHead, parameters: [(name: String, value: String)], routePattern: String, body: RequestBody,
        peer: PeerAddress, clientSubject: String?, trace: TraceContext
    ) {
        self.head = head
        self.parameters = parameters
        self.routePattern = routePattern
        self.body = body
        self.peer = peer
        self.clientSubject = clientSubject
        self.trace = trace
    }

    public var method: Method { head.method }

    /// The percent-decoded path. It holds no dot segment, no control and no encoded slash.
    public var path: String { String(decoding: head.path, as: UTF8.self) }

    /// The path as it came.
    public var rawPath: String { String(decoding: head.octets[head.target.path], as: UTF8.self) }

    /// The query as it came, without the question mark.
    public var rawQuery: String? { head.target.query.map { String(decoding: head.octets[$0], as: UTF8.self) } }

    /// The part of the path that stands where the pattern says `{name}`.
    public func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }

    /// The first value under a field name, in any case.
    public func header(_ name: String) -> String? { head.value(name) }

    /// All fields in the order they came.
    public var headers: [(name: String, value: String)] { head.fields }

    /// The query as `name=value` pairs, decoded as forms are: `+` is a blank.
    public var queryItems: [QueryItem] {
        guard let range = head.target.query else { return [] }
        return head.octets[range].split(separator: UInt8(ascii: "&")).map { pair in
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            return QueryItem(name: Self.decoded(pair[..<equals]), value: Self.decoded(pair[equals...].dropFirst()))
        }
    }

    /// The first value of a query item.
    public func query(_ name: String) -> String? {
        queryItems.first { $0.name == name }?.value
    }

    /// The body's octets when the route buffers it, else none.
    public var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }

    private static func decoded(_ raw: ArraySlice<UInt8>) -> String {
        // The parser has decoded the whole query once, so a part fails only where it cuts a character in two.
        String(decoding: PercentEncoding.decode(raw, plusIsSpace: true) ?? Array(raw), as: UTF8.self)
    }
}

/// One `name=value` of a query; a name without `=` has an empty value.
public struct QueryItem: Sendable, Equatable {
    public let name: String
    public let value: String
}

/// The body of a request, as its route asked for it.
public enum RequestBody: Sendable {
    case none
    case bytes([UInt8])
    /// The sink that the route opened, finished.
    case sink(any BodySink)
}

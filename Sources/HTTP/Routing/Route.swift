/// One operation of the interface: a method, a path pattern, and who answers.
public struct Route: Sendable {
    public let method: Method
    /// A path whose segments in braces are parameters, as OpenAPI writes them: `/v1/jobs/{id}`.
    public let pattern: String
    public let body: BodyPolicy
    public let handler: Handler
    /// Tried before the handler.
    public let shortcut: Shortcut?
}

/// Takes a request on the event loop, without blocking it, and answers later from any thread by calling once what it is
/// given; false when the handler has to do it. It costs neither a task nor a thread.
public typealias Shortcut = @Sendable (Request, @escaping @Sendable (Response) -> Void) -> Bool

/// What a route does with a request's body.
public enum BodyPolicy: Sendable {
    /// Collected in memory; a longer body is 413.
    case buffered(limit: Int)
    /// Handed to a sink piece by piece. `open` runs on a blocking thread before any of the body is read (and before
    /// 100 Continue), so what it throws answers the request without its body.
    case streamed(limit: Int, open: @Sendable (Request) throws -> any BodySink)

    var limit: Int {
        switch self {
        case .buffered(let limit): limit
        case .streamed(let limit, _): limit
        }
    }
}

/// Where a handler runs.
public enum Handler: Sendable {
    /// On the event loop itself: must not block, and is the cheapest.
    case inline(@Sendable (Request) throws -> Response)
    /// On one of a bounded number of threads; when all are busy and the queue is full the answer is 503.
    case blocking(@Sendable (Request) throws -> Response)
    /// In a task, which is cancelled when the connection breaks.
    case asynchronous(@Sendable (Request) async throws -> Response)
}

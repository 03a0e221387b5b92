/// The routes of a server, and what happens before and after them.
public struct Router: Sendable {
    /// All routes, in the order they were added.
    public private(set) var routes: [Route] = []
    /// Looks at a routed request before its body is read (and before 100 Continue): an answer ends it there. Runs on
    /// the event loop and must not block.
    public var screen: (@Sendable (Request) -> Response?)?
    /// Turns what a handler threw into an answer. A thrown ``Problem`` never comes here.
    public var failure: @Sendable (any Error, Request) -> Response = { _, _ in Problem(500).response }

    public init() {}

    public static let bodyLimitByDefault = 1_048_576

    public mutating func inline(
        _ method: Method, _ pattern: String, body: BodyPolicy = .buffered(limit: bodyLimitByDefault),
        _ handle: @escaping @Sendable (Request) throws -> Response
    ) {
        add(Route(method: method, pattern: pattern, body: body, handler: .inline(handle), shortcut: nil))
    }

    public mutating func blocking(
        _ method: Method, _ pattern: String, body: BodyPolicy = .buffered(limit: bodyLimitByDefault),
        _ handle: @escaping @Sendable (Request) throws -> Response
    ) {
        add(Route(method: method, pattern: pattern, body: body, handler: .blocking(handle), shortcut: nil))
    }

    public mutating func asynchronous(
        _ method: Method, _ pattern: String, body: BodyPolicy = .buffered(limit: bodyLimitByDefault),
        shortcut: Shortcut? = nil, _ handle: @escaping @Sendable (Request) async throws -> Response
    ) {
        add(Route(method: method, pattern: pattern, body: body, handler: .asynchronous(handle), shortcut: shortcut))
    }

    private mutating func add(_ route: Route) {
        precondition(Method.routable.contains(route.method), "no route answers \(route.method.rawValue)")
        let shape = RoutePattern(route.pattern).shape
        precondition(
            !routes.contains { $0.method == route.method && RoutePattern($0.pattern).shape == shape },
            "two routes answer \(route.method.rawValue) \(route.pattern)")
        routes.append(route)
    }

    /// The answer to what a handler threw.
    func answer(to error: any Error, _ request: Request) -> Response {
        (error as? Problem)?.response ?? failure(error, request)
    }
}

/// From a request's head to its handler.
extension EventLoop {
    func begin(_ connection: Connection, _ head: RequestHead) {
        connection.requestCount += 1
        connection.closesAfterAnswer =
            head.closes || isDraining || connection.requestCount >= limits.requestsPerConnectionLimit
        let trace = head.valueOctets("traceparent").flatMap(TraceContext.init(traceparent:)) ?? traceNumbers.next()
        let exchange = Exchange(head: head, number: connection.requestCount, started: clock.now, trace: trace)
        connection.exchange = exchange
        connection.phase = .body
        connection.discardedBytes = 0
        connection.readWindow = head.framing == .none ? nil : ProgressWindow(start: exchange.started)
        if head.target.isAsterisk { return respond(connection, Self.capabilities) }
        switch service.tree.resolve(head.method, head.path) {
        case .notFound:
            respond(connection, Problem(404).response)
        case .otherMethods(let allowed) where head.method == .options:
            respond(connection, Response(204, fields: ["Allow": allowed]))
        case .otherMethods(let allowed):
            // RFC 9110 section 15.5.6: 405 says what would be allowed.
            respond(connection, Problem(405, fields: ["Allow": allowed]).response)
        case .route(let index, let parameters):
            exchange.routeIndex = index
            exchange.parameters = parameters
            admit(connection, head, service.router.routes[index])
        }
    }

    /// The answer to `OPTIONS *` (RFC 9110 section 9.3.7).
    private static let capabilities = Response(
        204, fields: ["Allow": Method.routable.map(\.rawValue).joined(separator: ", ")])

    /// What can be refused before the body is read is refused before it is sent.
    private func admit(_ connection: Connection, _ head: RequestHead, _ route: Route) {
        // RFC 9110 section 10.1.1: unknown expectations are 417; HTTP/1.0 has none.
        let expectation = head.minorVersion > 0 ? head.valueOctets("expect") : nil
        if let expectation, !Octet.match(expectation, "100-continue") {
            return respond(connection, Problem(417).response)
        }
        if case .length(let length) = head.framing, length > route.body.limit {
            return respond(connection, Problem(413).response)
        }
        if let screen = service.router.screen, let answer = screen(request(connection, body: .none)) {
            return respond(connection, answer)
        }
        if case .streamed(_, let open) = route.body { return openSink(connection, open) }
        inviteBody(connection)
    }

    /// Answers `Expect: 100-continue`, unless the body is on its way already.
    func inviteBody(_ connection: Connection) {
        guard let head = connection.exchange?.head, head.minorVersion > 0, head.framing != .none,
            head.valueOctets("expect") != nil, !connection.parser.hasUnreadBytes
        else { return }
        connection.output.append("HTTP/1.1 100 Continue\r\n\r\n" as StaticString)
    }

    func takeBody(_ connection: Connection, _ part: ArraySlice<UInt8>) {
        guard let exchange = connection.exchange else { return }
        switch connection.phase {
        case .discarding:
            connection.discardedBytes += part.count
            if connection.discardedBytes > limits.discardedBodyBytesLimit { connection.phase = .closing }
        case .body, .upload:
            exchange.bodyBytes += part.count
            let limit = exchange.routeIndex.map { service.router.routes[$0].body.limit } ?? 0
            // A length was compared at the head; only chunks can still surprise.
            guard exchange.bodyBytes <= limit else {
                connection.closesAfterAnswer = true
                return respond(connection, Problem(413).response)
            }
            if connection.phase == .body {
                guard service.reserveBody(part.count) else {
                    connection.closesAfterAnswer = true
                    return respond(connection, Self.overload)
                }
                exchange.bufferedBytes += part.count
            }
            exchange.body.append(contentsOf: part)
            if connection.phase == .upload { feedSink(connection) }
        default:
            break
        }
    }

    func endBody(_ connection: Connection) {
        connection.exchange?.isBodyComplete = true
        connection.readWindow = nil
        switch connection.phase {
        case .body: dispatch(connection)
        case .upload: feedSink(connection)
        default: nextRequest(connection)
        }
    }

    func request(_ connection: Connection, body: RequestBody) -> Request {
        guard let exchange = connection.exchange, let index = exchange.routeIndex else {
            preconditionFailure("only a routed request has a handler")
        }
        return Request(
            head: exchange.head, parameters: exchange.parameters,
            routePattern: service.router.routes[index].pattern, body: body, peer: connection.peer,
            clientSubject: connection.clientSubject, trace: exchange.trace)
    }

    /// The body is complete: the handler's turn.
    func dispatch(_ connection: Connection) {
        guard let exchange = connection.exchange, let index = exchange.routeIndex else { return }
        let body: RequestBody
        if let sink = exchange.sink {
            body = .sink(sink)
        } else {
            body = exchange.bodyBytes == 0 ? .none : .bytes(exchange.body)
        }
        let request = request(connection, body: body)
        // From here on the sink and the octets are the handler's.
        exchange.sink = nil
        exchange.body = []
        let (id, number, router) = (connection.id, exchange.number, service.router)
        if let shortcut = router.routes[index].shortcut {
            connection.phase = .handling
            if shortcut(request, { [self] in deliver(DueAnswer(connection: id, number: number, response: $0)) }) {
                return
            }
        }
        switch router.routes[index].handler {
        case .inline(let handle):
            respond(connection, Self.answer(router, request, handle))
        case .blocking(let handle):
            connection.phase = .handling
            let isQueued = service.pool.submit { [self] in
                deliver(
                    DueAnswer(connection: id, number: number, response: Self.answer(router, request, handle)))
            }
            if !isQueued { respond(connection, Self.overload) }
        case .asynchronous(let handle):
            connection.phase = .handling
            connection.task = Task.detached { [self] in
                let answer: Response
                do {
                    answer = try await handle(request)
                } catch {
                    answer = router.answer(to: error, request)
                }
                await complete(id, number, answer)
            }
        }
    }

    static let overload = Problem(503, fields: ["Retry-After": "1"]).response

    private static func answer(
        _ router: Router, _ request: Request, _ handle: (Request) throws -> Response
    ) -> Response {
        do {
            return try handle(request)
        } catch {
            return router.answer(to: error, request)
        }
    }

    /// A handler that ran elsewhere has its answer.
    func complete(_ id: ConnectionID, _ number: Int, _ answer: Response) {
        guard let connection = connections[id], connection.exchange?.number == number, connection.phase == .handling
        else { return }
        connection.task = nil
        respond(connection, answer)
        drive(connection)
    }
}

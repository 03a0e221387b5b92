/// From an answer to the next request.
extension EventLoop {
    /// A body above this is sent from where it lies instead of being copied behind its head.
    private static let copiedBodyLimit = 16_384

    func respond(_ connection: Connection, _ answer: Response) {
        guard let exchange = connection.exchange else { return }
        var answer = answer.fields.areWellFormed ? answer : Problem(500).response
        answer = answer.selected(for: exchange.head)
        closeRatherThanWaitForBody(connection, exchange)
        let framing = framing(of: answer, exchange.head)
        if case .untilClose = framing { connection.closesAfterAnswer = true }
        exchange.status = answer.status
        date.refresh()
        ResponseHead(
            status: answer.status, fields: answer.fields, framing: framing, closes: connection.closesAfterAnswer
        ).write(to: &connection.output, dateLine: date.line)
        if exchange.head.method == .head || answer.status.forbidsBody {
            return finishExchange(connection)
        }
        exchange.answerBytes = answer.body.count ?? 0
        send(connection, answer.body, framing)
    }

    private func send(_ connection: Connection, _ body: ResponseBody, _ framing: ResponseHead.Framing) {
        switch body {
        case .none:
            finishExchange(connection)
        case .bytes(let bytes) where bytes.count <= Self.copiedBodyLimit:
            connection.output.append(bytes)
            finishExchange(connection)
        case .bytes(let bytes):
            connection.output.setTail(.bytes(bytes, next: 0))
            connection.phase = .sending
        case .file(let file):
            if !file.range.isEmpty { connection.output.setTail(.file(file, next: file.range.lowerBound)) }
            connection.phase = .sending
        case .stream(let stream):
            if case .chunked = framing { connection.exchange?.isChunked = true }
            beginStream(connection, stream)
        }
    }

    private func framing(of answer: Response, _ head: RequestHead) -> ResponseHead.Framing {
        if answer.status.forbidsBody { return .none }
        if let count = answer.body.count { return .length(count) }
        return head.minorVersion > 0 ? .chunked : .untilClose
    }

    /// An answer before the body's end: a short rest is read and dropped; a long one, or one that the client holds back
    /// until it is asked for, ends the connection (RFC 9110 section 10.1.1, RFC 9112 section 9.3).
    private func closeRatherThanWaitForBody(_ connection: Connection, _ exchange: Exchange) {
        guard !exchange.isBodyComplete, exchange.head.framing != .none else { return }
        if exchange.head.valueOctets("expect") != nil { connection.closesAfterAnswer = true }
        if case .length(let length) = exchange.head.framing,
            length - exchange.bodyBytes > limits.discardedBodyBytesLimit
        {
            connection.closesAfterAnswer = true
        }
    }

    /// The answer is complete in the connection's output.
    func finishExchange(_ connection: Connection) {
        guard let exchange = connection.exchange else { return }
        record(connection, exchange)
        release(exchange)
        exchange.sink = nil
        if connection.closesAfterAnswer {
            connection.exchange = nil
            connection.phase = .closing
        } else if exchange.isBodyComplete {
            nextRequest(connection)
        } else {
            connection.phase = .discarding
        }
    }

    /// Gives back what an exchange holds: a sink that waits for more learns that there is none.
    func release(_ exchange: Exchange) {
        abandonSink(exchange)
        service.releaseBody(exchange.bufferedBytes)
        exchange.bufferedBytes = 0
    }

    private func record(_ connection: Connection, _ exchange: Exchange) {
        let duration = clock.now - exchange.started
        counters.record(
            route: exchange.routeIndex, method: exchange.head.method, status: exchange.status.code,
            duration: duration)
        guard let log = service.configuration.accessLog else { return }
        log(
            AccessRecord(
                method: exchange.head.method,
                routePattern: exchange.routeIndex.map { service.router.routes[$0].pattern } ?? "",
                status: exchange.status, bodyBytes: exchange.answerBytes, duration: duration, peer: connection.peer,
                trace: exchange.trace))
    }

    func nextRequest(_ connection: Connection) {
        connection.exchange = nil
        connection.readWindow = nil
        connection.phase = .head
        // A pipelined request has begun already.
        connection.hasHeadBegun = !connection.parser.isBetweenRequests
        connection.deadline = clock.now + (connection.hasHeadBegun ? limits.headDeadline : limits.idleDeadline)
    }

    /// Answers what cannot be read any further, and closes.
    func refuse(_ connection: Connection, _ problem: Problem) {
        connection.closesAfterAnswer = true
        switch connection.phase {
        case .discarding:
            // It has its answer.
            connection.exchange = nil
            connection.phase = .closing
        case .head:
            let answer = problem.response
            date.refresh()
            ResponseHead(
                status: answer.status, fields: answer.fields, framing: .length(answer.body.count ?? 0), closes: true
            ).write(to: &connection.output, dateLine: date.line)
            if case .bytes(let bytes) = answer.body { connection.output.append(bytes) }
            counters.record(route: nil, method: nil, status: answer.status.code, duration: .zero)
            service.configuration.accessLog?(
                AccessRecord(
                    method: nil, routePattern: "", status: answer.status, bodyBytes: answer.body.count ?? 0,
                    duration: .zero, peer: connection.peer, trace: nil))
            connection.phase = .closing
        default:
            respond(connection, problem.response)
        }
    }
}

/// Bodies that go to a sink. The sink works on blocking threads, one call at a time; at most one piece is at work and
/// one is gathered, and the connection is not read beyond that.
extension EventLoop {
    func openSink(_ connection: Connection, _ open: @escaping @Sendable (Request) throws -> any BodySink) {
        guard let number = connection.exchange?.number else { return }
        connection.phase = .handling
        let request = request(connection, body: .none)
        let (id, router) = (connection.id, service.router)
        let isQueued = service.pool.submit { [self] in
            do {
                let sink = try open(request)
                enqueue { $0.sinkHasOpened(id, number, sink) }
            } catch {
                let answer = router.answer(to: error, request)
                enqueue { $0.complete(id, number, answer) }
            }
        }
        if !isQueued { respond(connection, Self.overload) }
    }

    private func sinkHasOpened(_ id: ConnectionID, _ number: Int, _ sink: any BodySink) {
        guard let connection = connections[id], connection.exchange?.number == number, connection.phase == .handling
        else { return abandon(sink) }
        connection.exchange?.sink = sink
        connection.phase = .upload
        if connection.readWindow != nil { connection.readWindow = ProgressWindow(start: clock.now) }
        inviteBody(connection)
        drive(connection)
    }

    func uploadHasRoom(_ connection: Connection) -> Bool {
        guard let exchange = connection.exchange, exchange.isSinkBusy else { return true }
        return !exchange.isBodyComplete && exchange.body.count < limits.uploadPieceBytes
    }

    /// Hands the gathered piece over when it is large enough or the last.
    func feedSink(_ connection: Connection) {
        guard let exchange = connection.exchange, let sink = exchange.sink, !exchange.isSinkBusy,
            exchange.isBodyComplete || exchange.body.count >= limits.uploadPieceBytes
        else { return }
        let (id, number, piece, isLast) = (connection.id, exchange.number, exchange.body, exchange.isBodyComplete)
        exchange.body = []
        exchange.isSinkBusy = true
        if isLast { connection.phase = .handling }
        let isQueued = service.pool.submitContinuation { [self] in
            do {
                if !piece.isEmpty { try sink.receive(piece) }
                if isLast { try sink.finish() }
                enqueue { $0.sinkHasTaken(id, number, sink, wasLast: isLast) }
            } catch {
                enqueue { $0.sinkHasFailed(id, number, sink, error) }
            }
        }
        if !isQueued { close(connection) }
    }

    private func sinkHasTaken(_ id: ConnectionID, _ number: Int, _ sink: any BodySink, wasLast: Bool) {
        guard let connection = connections[id], connection.exchange?.number == number,
            connection.exchange?.sink === sink
        else { return abandon(sink) }
        connection.exchange?.isSinkBusy = false
        if connection.readWindow != nil { connection.readWindow = ProgressWindow(start: clock.now) }
        if wasLast {
            dispatch(connection)
        } else if connection.phase == .upload {
            feedSink(connection)
        }
        drive(connection)
    }

    private func sinkHasFailed(_ id: ConnectionID, _ number: Int, _ sink: any BodySink, _ error: any Error) {
        guard let connection = connections[id], connection.exchange?.number == number,
            connection.exchange?.sink === sink
        else { return abandon(sink) }
        connection.exchange?.isSinkBusy = false
        respond(connection, service.router.answer(to: error, request(connection, body: .none)))
        drive(connection)
    }

    /// Tells the sink of an exchange that ends early; one at work learns it when its call returns.
    func abandonSink(_ exchange: Exchange) {
        guard let sink = exchange.sink, !exchange.isSinkBusy else { return }
        abandon(sink)
    }

    private func abandon(_ sink: any BodySink) {
        // When the pool has stopped no thread remains that may block; then this one must.
        if !service.pool.submitContinuation({ sink.abandon() }) { sink.abandon() }
    }
}

/// Bodies that are written while they are sent.
extension EventLoop {
    func beginStream(_ connection: Connection, _ stream: StreamBody) {
        guard let number = connection.exchange?.number else { return }
        connection.phase = .streaming
        connection.lastOutput = clock.now
        connection.exchange?.sendsHeartbeat = stream.sendsHeartbeat
        let id = connection.id
        let writer = BodyWriter(loop: self, connection: id, exchange: number)
        connection.task = Task.detached { [self] in
            do {
                try await stream.produce(writer)
                await endStream(id, number, isComplete: true)
            } catch {
                // An event stream has no length to fall short of, so it may end at any event.
                await endStream(id, number, isComplete: stream.sendsHeartbeat)
            }
        }
    }

    func write(_ bytes: [UInt8], to id: ConnectionID, exchange number: Int) async throws(HTTPError) {
        let connection = try streaming(id, number)
        if bytes.isEmpty { return }
        appendPart(connection, bytes)
        flush(connection)
        while true {
            // Looked up again each time: the connection may have gone while this waited.
            let connection = try streaming(id, number)
            if connection.output.count < limits.outputBytesHighWater { return }
            let hasRoom = await withCheckedContinuation { connection.writers.append($0) }
            guard hasRoom else { throw .disconnected }
        }
    }

    private func streaming(_ id: ConnectionID, _ number: Int) throws(HTTPError) -> Connection {
        guard let connection = connections[id], connection.phase == .streaming,
            connection.exchange?.number == number,
            !(isDraining && connection.exchange?.sendsHeartbeat == true)
        else { throw .disconnected }
        return connection
    }

    private func appendPart(_ connection: Connection, _ bytes: [UInt8]) {
        connection.exchange?.answerBytes += bytes.count
        guard connection.exchange?.isChunked == true else { return connection.output.append(bytes) }
        connection.output.append(number: bytes.count, radix: 16)
        connection.output.append("\r\n" as StaticString)
        connection.output.append(bytes)
        connection.output.append("\r\n" as StaticString)
    }

    private func endStream(_ id: ConnectionID, _ number: Int, isComplete: Bool) {
        guard let connection = connections[id], connection.phase == .streaming,
            connection.exchange?.number == number
        else { return }
        connection.task = nil
        if !isComplete {
            // Without the last chunk the peer can tell that something is missing (RFC 9112 section 8).
            connection.closesAfterAnswer = true
        } else if connection.exchange?.isChunked == true {
            connection.output.append("0\r\n\r\n" as StaticString)
        }
        connection.phase = .sending
        drive(connection)
    }

    /// Keeps a silent event stream alive.
    func sendHeartbeat(_ connection: Connection, now: ContinuousClock.Instant) {
        guard connection.exchange?.sendsHeartbeat == true, connection.output.isEmpty,
            now - connection.lastOutput >= limits.eventStreamHeartbeat
        else { return }
        appendPart(connection, ServerSentEvent.comment)
        flush(connection)
    }
}

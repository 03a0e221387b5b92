/// One connection's steps: read, parse, hand on, send, until it must wait for something.
extension EventLoop {
    /// How often one connection may read in its turn before the others have theirs.
    private static let receivesPerTurn = 16

    func drive(_ connection: Connection) {
        var receives = 0
        while true {
            switch connection.phase {
            case .closed:
                return
            case .handshake:
                guard shakeHands(connection) else { return }
            case .head, .body, .upload, .discarding:
                guard hasRoomToRead(connection) else { return }
                if takeEvent(connection) { continue }
                receives += 1
                if receives > Self.receivesPerTurn, connection.isReadable {
                    deferred.append(connection.id)
                    _ = flush(connection)
                    return
                }
                guard receive(connection) else {
                    _ = flush(connection)
                    return
                }
            case .handling, .streaming:
                _ = flush(connection)
                if connection.phase == .streaming { noticeLostReader(connection) }
                return
            case .sending:
                guard flush(connection), connection.output.isEmpty else { return }
                finishExchange(connection)
            case .closing:
                guard flush(connection), connection.output.isEmpty else { return }
                beginLingering(connection)
            case .lingering:
                guard linger(connection) else { return }
            }
        }
    }

    /// Back-pressure: a peer that does not read its answers, or whose upload is not yet stored, is not read.
    private func hasRoomToRead(_ connection: Connection) -> Bool {
        if connection.output.count >= limits.outputBytesHighWater {
            guard flush(connection), connection.output.count < limits.outputBytesHighWater else { return false }
        }
        return connection.phase != .upload || uploadHasRoom(connection)
    }

    private func shakeHands(_ connection: Connection) -> Bool {
        switch connection.tls?.handshake() {
        case .blocked:
            return false
        case .failed:
            close(connection)
        case .done, nil:
            connection.clientSubject = connection.tls?.clientSubject
            connection.isReadable = true
            connection.phase = .head
        }
        return true
    }

    /// - Returns: whether something happened that is worth another step.
    private func receive(_ connection: Connection) -> Bool {
        switch connection.receive(into: received.room) {
        case .bytes(let count):
            connection.parser.append(UnsafeRawBufferPointer(rebasing: received.room[..<count]))
            connection.readWindow?.add(count)
            if connection.phase == .head, !connection.hasHeadBegun {
                connection.hasHeadBegun = true
                // The first request's time runs from the connection's beginning.
                if connection.requestCount > 0 { connection.deadline = clock.now + limits.headDeadline }
            }
            return true
        case .blocked:
            return false
        case .ended:
            // What is answered already still goes out: the peer may have closed its own direction only.
            connection.phase = .closing
            return true
        case .failed:
            close(connection)
            return true
        }
    }

    private func takeEvent(_ connection: Connection) -> Bool {
        do {
            switch try connection.parser.next() {
            case nil: return false
            case .head(let head): begin(connection, head)
            case .body(let part): takeBody(connection, part)
            case .end: endBody(connection)
            }
        } catch {
            refuse(connection, Problem(error.status, detail: error.explanation))
        }
        return true
    }

    /// Sends what waits.
    ///
    /// - Returns: whether the connection is still there.
    @discardableResult
    func flush(_ connection: Connection) -> Bool {
        if connection.output.isEmpty { return true }
        guard let sent = connection.flush() else {
            close(connection)
            return false
        }
        if connection.output.isEmpty {
            connection.writeWindow = nil
        } else {
            let start = clock.now
            if connection.writeWindow == nil { connection.writeWindow = ProgressWindow(start: start) }
            connection.writeWindow?.add(sent)
        }
        if connection.phase == .streaming {
            connection.lastOutput = clock.now
            if connection.output.count < limits.outputBytesHighWater / 2 { connection.resumeWriters(hasRoom: true) }
        }
        return true
    }

    // MARK: The end of a connection

    private func beginLingering(_ connection: Connection) {
        connection.endSending()
        if connection.peerHasEnded && !connection.isReadable { return close(connection) }
        connection.phase = .lingering
        connection.discardedBytes = 0
        connection.deadline = clock.now + limits.lingerDeadline
    }

    /// Reads and drops until the peer has closed: closing with unread octets would reset the connection and could
    /// take our last answer with it (RFC 9112 section 9.6).
    private func linger(_ connection: Connection) -> Bool {
        switch connection.receive(into: received.room) {
        case .bytes(let count):
            connection.discardedBytes += count
            if connection.discardedBytes > limits.lingerBytesLimit { close(connection) }
            return true
        case .blocked:
            return false
        case .ended, .failed:
            close(connection)
            return true
        }
    }

    /// The reader of an event stream that has closed its direction is gone: it has nothing more to ask.
    private func noticeLostReader(_ connection: Connection) {
        if connection.peerHasEnded, connection.exchange?.sendsHeartbeat == true { close(connection) }
    }
}

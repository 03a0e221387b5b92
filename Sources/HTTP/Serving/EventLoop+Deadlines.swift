/// What a peer may keep waiting, and for how long.
extension EventLoop {
    /// Looks at every connection. Ten thousand take less than a millisecond, twice a second; a request then pays
    /// nothing for its deadline but an assignment.
    func enforceDeadlines() {
        let now = clock.now
        for connection in connections.all { enforceDeadline(connection, now) }
        // Descriptors may have become free again since accepting stopped for want of them.
        acceptAll()
    }

    private func enforceDeadline(_ connection: Connection, _ now: ContinuousClock.Instant) {
        let minimum = limits.transferBytesPerSecondMinimum
        if connection.writeWindow?.hasStalled(at: now, length: limits.writeWindow, bytesPerSecond: minimum) == true {
            return close(connection)
        }
        switch connection.phase {
        case .handshake, .lingering:
            if now >= connection.deadline { close(connection) }
        case .head where now >= connection.deadline:
            if connection.parser.isBetweenRequests {
                connection.phase = .closing
            } else {
                refuse(connection, Problem(408, detail: "The head took too long."))
            }
            drive(connection)
        case .body, .upload, .discarding:
            if connection.phase == .upload, !uploadHasRoom(connection) {
                // It is we who do not read.
                connection.readWindow = ProgressWindow(start: now)
            } else if connection.readWindow?.hasStalled(
                at: now, length: limits.bodyWindow, bytesPerSecond: minimum) == true
            {
                refuse(connection, Problem(408, detail: "The body came too slowly."))
                drive(connection)
            }
        case .streaming:
            sendHeartbeat(connection, now: now)
        default:
            break
        }
    }
}

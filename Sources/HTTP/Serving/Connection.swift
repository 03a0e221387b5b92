internal import CSockets
import Glibc

/// One connection: its descriptor, what was read, what is to be sent, and where in an exchange it stands.
///
/// It belongs to one event loop and is touched by it alone. The descriptor closes with ``close()``.
final class Connection {
    enum Phase {
        case handshake
        /// Between requests or within a head.
        case head
        /// The body is collected.
        case body
        /// The body goes to a sink.
        case upload
        /// A handler, or a sink that opens or finishes, is at work elsewhere.
        case handling
        /// The answer is complete and waits to be sent.
        case sending
        /// A closure writes the answer's body.
        case streaming
        /// The answer is sent; the rest of the request's body is thrown away.
        case discarding
        /// Nothing more will be read; what waits is sent, then the sending direction ends.
        case closing
        /// Only the peer's end is awaited, so that it can read our last answer (RFC 9112 section 9.6).
        case lingering
        case closed
    }

    let id: ConnectionID
    let descriptor: Int32
    let peer: PeerAddress
    let tls: TLSSession?
    var clientSubject: String?

    var phase: Phase
    var parser: RequestParser
    var output = OutputQueue()
    var exchange: Exchange?
    var requestCount = 0
    var closesAfterAnswer = false
    /// The handler's or the stream's task.
    var task: Task<Void, Never>?
    /// Writers of a stream that wait for room; resumed with false when there will be none.
    var writers: [CheckedContinuation<Bool, Never>] = []

    // Readiness: events come once per change, so it is kept until a call says otherwise.
    var isReadable = false
    var isWritable = true
    var peerHasEnded = false

    // Deadlines.
    var deadline: ContinuousClock.Instant
    var hasHeadBegun = false
    var readWindow: ProgressWindow?
    var writeWindow: ProgressWindow?
    var lastOutput: ContinuousClock.Instant
    var discardedBytes = 0

    init(
        id: ConnectionID, descriptor: Int32, peer: PeerAddress, tls: TLSSession?, limits: Limits,
        now: ContinuousClock.Instant
    ) {
        self.id = id
        self.descriptor = descriptor
        self.peer = peer
        self.tls = tls
        phase = tls == nil ? .head : .handshake
        parser = RequestParser(limits: limits)
        deadline = now + limits.headDeadline
        lastOutput = now
    }

    func receive(into room: UnsafeMutableRawBufferPointer) -> Transfer {
        guard isReadable else { return .blocked }
        let transfer =
            tls?.receive(into: room) ?? plainTransfer(sockets_receive(descriptor, room.baseAddress, room.count))
        switch transfer {
        case .bytes(let count):
            // A short read has emptied the socket; what comes later is an event. TLS reads end with each record.
            if tls == nil, count < room.count, !peerHasEnded { isReadable = false }
        case .blocked, .ended, .failed:
            isReadable = false
        }
        return transfer
    }

    /// Sends as much as the peer takes.
    ///
    /// - Returns: how many octets went out, or nil when the connection is broken.
    func flush() -> Int? {
        var total = 0
        while isWritable, !output.isEmpty {
            let transfer = output.count > 0 ? sendBytes() : sendTail()
            switch transfer {
            case .bytes(let count): total += count
            case .blocked: isWritable = false
            case .ended, .failed: return nil
            }
        }
        return total
    }

    private func sendBytes() -> Transfer {
        let more = output.tail != nil
        let transfer = output.bytes.withUnsafeBytes { bytes in
            send(UnsafeRawBufferPointer(rebasing: bytes[output.sent...]), more: more)
        }
        if case .bytes(let count) = transfer { output.advance(count) }
        return transfer
    }

    private func sendTail() -> Transfer {
        let transfer: Transfer
        switch output.tail {
        case .bytes(let body, let next):
            transfer = body.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[next...]), more: false) }
        case .file(let file, let next):
            transfer = sendFile(file, from: next)
        case nil:
            return .bytes(0)
        }
        if case .bytes(let count) = transfer { output.advanceTail(count) }
        return transfer
    }

    private func sendFile(_ file: FileBody, from next: Int) -> Transfer {
        let left = file.range.upperBound - next
        if tls == nil {
            let count = min(left, Self.fileStepBytes)
            let result = sockets_send_file(descriptor, file.handle.descriptor, Int64(next), count)
            // The file has become shorter than its length said: only the end of the connection can tell.
            return result == 0 ? .failed : plainTransfer(result)
        }
        let count = min(left, Self.recordBytes)
        return withUnsafeTemporaryAllocation(byteCount: count, alignment: 16) { room in
            let read = pread(file.handle.descriptor, room.baseAddress, count, next)
            guard read > 0 else { return .failed }
            return send(UnsafeRawBufferPointer(rebasing: room[..<read]), more: false)
        }
    }

    private static let fileStepBytes = 262_144
    /// The most that a TLS record holds (RFC 8446 section 5.1), so nothing is read twice.
    private static let recordBytes = 16_384

    private func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Transfer {
        tls?.send(bytes) ?? plainTransfer(sockets_send(descriptor, bytes.baseAddress, bytes.count, more ? 1 : 0))
    }

    private func plainTransfer(_ result: Int) -> Transfer {
        if result > 0 { return .bytes(result) }
        if result == 0 { return .ended }
        return -result == Int(EAGAIN) ? .blocked : .failed
    }

    func endSending() {
        tls?.endSending()
        sockets_end_sending(descriptor)
    }

    /// Resumes the writers that wait for room.
    func resumeWriters(hasRoom: Bool) {
        let waiting = writers
        writers = []
        for writer in waiting { writer.resume(returning: hasRoom) }
    }

    /// Ends everything that belongs to the connection.
    func close() {
        phase = .closed
        task?.cancel()
        task = nil
        resumeWriters(hasRoom: false)
        Glibc.close(descriptor)
    }
}

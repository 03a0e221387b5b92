internal import CSockets
internal import Dispatch
internal import Synchronization
import Glibc

/// Waits for events of its connections and serves them, all on one serial queue.
///
/// The epoll descriptor is itself readable while events are waiting, so one Dispatch source stands for all
/// connections, and one wake-up serves every event that has gathered meanwhile.
actor EventLoop {
    nonisolated let executor: LoopExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let service: Service
    let epoll: Int32
    let received: ReceiveBuffer
    /// Answers from elsewhere that the loop has not looked at.
    nonisolated let answers = Mutex<[DueAnswer]>([])
    let clock = ContinuousClock()
    var connections = ConnectionTable()
    var counters: LoopCounters
    var date = DateField()
    var traceNumbers = TraceNumbers()
    /// Connections that used up their turn with octets still to be read.
    var deferred: [ConnectionID] = []
    var listener: Listener?
    var isDraining = false
    private var isStopped = false
    private var emptinessWaiters: [CheckedContinuation<Void, Never>] = []
    private var source: (any DispatchSourceRead)?
    private var timer: (any DispatchSourceTimer)?

    var limits: Limits { service.limits }

    init(_ service: Service, label: String) throws(HTTPError) {
        executor = try LoopExecutor(label: label)
        let descriptor = sockets_epoll()
        guard descriptor >= 0 else { throw .cannotWatch(code: -descriptor) }
        epoll = descriptor
        self.service = service
        received = ReceiveBuffer(count: service.limits.receiveBufferBytes)
        counters = LoopCounters(routeCount: service.router.routes.count)
    }

    /// Runs work on the loop's queue.
    nonisolated func enqueue(_ work: @escaping @Sendable (isolated EventLoop) -> Void) {
        executor.run { self.assumeIsolated(work) }
    }

    /// Hands over an answer that was made elsewhere. Those that come closely together wake the loop once.
    nonisolated func deliver(_ answer: DueAnswer) {
        let isFirst = answers.withLock { answers in
            answers.append(answer)
            return answers.count == 1
        }
        if isFirst { enqueue { $0.takeAnswers() } }
    }

    private func takeAnswers() {
        let due = answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        for answer in due { complete(answer.connection, answer.number, answer.response) }
    }

    func open() {
        _ = sockets_watch(
            epoll, executor.wakeup, sockets_readable | sockets_edge_triggered, ConnectionID.wakeup.token)
        let source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: executor.queue)
        source.setEventHandler { self.assumeIsolated { $0.collect() } }
        let descriptor = epoll
        source.setCancelHandler { Glibc.close(descriptor) }
        source.activate()
        self.source = source

        let resolution = limits.deadlineResolution / .nanoseconds(1)
        let timer = DispatchSource.makeTimerSource(queue: executor.queue)
        timer.setEventHandler { self.assumeIsolated { $0.enforceDeadlines() } }
        timer.schedule(
            deadline: .now() + .nanoseconds(Int(resolution)), repeating: .nanoseconds(Int(resolution)),
            leeway: .nanoseconds(Int(resolution / 10)))
        timer.activate()
        self.timer = timer
    }

    // A loop that is always busy must still let its timer and its handlers' answers in.
    private static let roundLimit = 32
    private static let eventCapacity = 256
    /// After a round with events the loop waits this long for more on its queue, because going back through Dispatch
    /// costs four context switches: under load that was a third of a request's time.
    private static let waitMilliseconds: Int32 = 1

    /// Serves the events that are there, and those that follow closely.
    private func collect() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventCapacity) { room in
            for round in 0..<Self.roundLimit {
                let waits = round > 0 && deferred.isEmpty && executor.beginWaiting()
                let count = Int(
                    sockets_collect(epoll, room.baseAddress, Int32(room.count), waits ? Self.waitMilliseconds : 0))
                if waits { executor.endWaiting() }
                for index in 0..<max(0, count) { serve(room[index]) }
                let hadDeferred = serveDeferred()
                if count <= 0 && !hadDeferred { return }
            }
            if !deferred.isEmpty { enqueue { $0.collect() } }
        }
    }

    private func serve(_ event: epoll_event) {
        let id = ConnectionID(token: event.data.u64)
        if id == .listener { return acceptAll() }
        // A wake-up has no connection either: it has done its work by ending the wait.
        guard let connection = connections[id] else { return }
        let flags = event.events
        if flags & sockets_broken != 0 { return close(connection) }
        if flags & (sockets_readable | sockets_half_closed) != 0 { connection.isReadable = true }
        if flags & sockets_half_closed != 0 { connection.peerHasEnded = true }
        if flags & sockets_writable != 0 { connection.isWritable = true }
        drive(connection)
    }

    private func serveDeferred() -> Bool {
        guard !deferred.isEmpty else { return false }
        let ready = deferred
        deferred = []
        for id in ready { connections[id].map(drive) }
        return true
    }

    /// Takes a connection over from the accepting loop.
    func adopt(_ descriptor: Int32, _ peer: PeerAddress) {
        guard !isStopped, !isDraining else { return turnAway(descriptor, peer) }
        var session: TLSSession?
        if let context = service.tls.withLock({ $0 }) {
            session = context.makeSession(descriptor: descriptor)
            guard session != nil else { return turnAway(descriptor, peer) }
        }
        let connection = Connection(
            id: connections.reserve(), descriptor: descriptor, peer: peer, tls: session, limits: limits,
            now: clock.now)
        connections.insert(connection)
        counters.accepted += 1
        let events = sockets_readable | sockets_writable | sockets_half_closed | sockets_edge_triggered
        if sockets_watch(epoll, descriptor, events, connection.id.token) < 0 { close(connection) }
    }

    private func turnAway(_ descriptor: Int32, _ peer: PeerAddress) {
        Glibc.close(descriptor)
        service.gate.release(peer)
    }

    /// Ends a connection and what belongs to it.
    func close(_ connection: Connection) {
        guard connection.phase != .closed else { return }
        if let exchange = connection.exchange { release(exchange) }
        connection.close()
        connections.remove(connection.id)
        service.gate.release(connection.peer)
        if connections.count == 0 { resumeEmptinessWaiters() }
    }

    func snapshot() -> CountersSnapshot {
        counters.snapshot(patterns: service.router.routes.map(\.pattern), open: connections.count)
    }

    // MARK: The end

    func beginDraining(within deadline: Duration) {
        isDraining = true
        closeListener()
        for connection in connections.all { drain(connection) }
        let nanoseconds = Int(max(.zero, deadline) / .nanoseconds(1))
        executor.queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
            self.assumeIsolated { $0.shutDown() }
        }
    }

    private func drain(_ connection: Connection) {
        connection.closesAfterAnswer = true
        switch connection.phase {
        case .head where connection.parser.isBetweenRequests:
            connection.phase = .closing
            drive(connection)
        case .streaming where connection.exchange?.sendsHeartbeat == true:
            // An event stream has no end of its own; its client comes back to another server.
            connection.task?.cancel()
            connection.resumeWriters(hasRoom: false)
        default:
            break
        }
    }

    func waitUntilEmpty() async {
        guard connections.count > 0 else { return }
        await withCheckedContinuation { emptinessWaiters.append($0) }
    }

    private func resumeEmptinessWaiters() {
        let waiting = emptinessWaiters
        emptinessWaiters = []
        for waiter in waiting { waiter.resume() }
    }

    func shutDown() {
        guard !isStopped else { return }
        isStopped = true
        closeListener()
        for connection in connections.all { close(connection) }
        resumeEmptinessWaiters()
        timer?.cancel()
        timer = nil
        // The descriptor closes with the source.
        source?.cancel()
        source = nil
    }
}

/// The answer to a connection's exchange of that number.
struct DueAnswer: Sendable {
    let connection: ConnectionID
    let number: Int
    let response: Response
}

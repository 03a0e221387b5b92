internal import CSockets
internal import Glibc
internal import Synchronization

/// An HTTP/1.1 server on epoll and Dispatch.
///
/// A fixed number of event loops read, parse and answer; a connection belongs to one of them for its life. A server
/// starts once and stops once.
public final class Server: Sendable {
    private enum State {
        case fresh
        case starting
        case running([EventLoop])
        case stopped
    }

    private let service: Service
    private let state = Mutex(State.fresh)

    /// - Throws: ``HTTPError/tls(file:reason:)`` when a certificate file is refused.
    public init(configuration: Configuration, router: Router) throws(HTTPError) {
        service = try Service(configuration, router)
    }

    /// Opens the socket and starts to serve. SIGPIPE is ignored in the process from here on, because OpenSSL writes
    /// without the flag that suppresses it.
    ///
    /// - Returns: the port that is listened on.
    /// - Throws: ``HTTPError/cannotListen(host:port:code:)`` or ``HTTPError/notStartable``.
    public func start() throws(HTTPError) -> UInt16 {
        let isFirst = state.withLock { state in
            guard case .fresh = state else { return false }
            state = .starting
            return true
        }
        guard isFirst else { throw .notStartable }
        signal(SIGPIPE, SIG_IGN)
        let configuration = service.configuration
        var port: UInt16 = 0
        let listener = sockets_listen(configuration.host, configuration.port, service.limits.listenBacklog, &port)
        guard listener >= 0 else {
            throw .cannotListen(host: configuration.host, port: configuration.port, code: -listener)
        }
        let loops: [EventLoop]
        do {
            loops = try makeLoops()
        } catch {
            close(listener)
            throw error
        }
        state.withLock { $0 = .running(loops) }
        service.pool.start()
        for loop in loops { loop.enqueue { $0.open() } }
        loops[0].enqueue { $0.listen(on: listener, among: loops) }
        return port
    }

    private func makeLoops() throws(HTTPError) -> [EventLoop] {
        var loops: [EventLoop] = []
        for index in 0..<max(1, service.configuration.loopCount) {
            loops.append(try EventLoop(service, label: "http-loop-\(index)"))
        }
        return loops
    }

    /// Takes no more connections, lets what is under way finish, ends event streams, and stops. What is not done by
    /// the deadline is cut off.
    public func drain(within deadline: Duration) async {
        for loop in loops { loop.enqueue { $0.beginDraining(within: deadline) } }
        for loop in loops { await loop.waitUntilEmpty() }
        await stop()
    }

    /// Closes every connection and stops.
    public func stop() async {
        let loops = state.withLock { state -> [EventLoop] in
            defer { state = .stopped }
            if case .running(let loops) = state { return loops }
            return []
        }
        for loop in loops { await loop.shutDown() }
        service.pool.stop()
    }

    /// Reads the certificate files again. New connections use them; on an error the old ones stay.
    public func reloadTLS() throws(HTTPError) {
        guard let files = service.configuration.tls else { return }
        let context = try TLSContext(files)
        service.tls.withLock { $0 = context }
    }

    /// The counters of all loops.
    public func counters() async -> CountersSnapshot {
        var total = CountersSnapshot()
        for loop in loops { total.add(await loop.snapshot()) }
        return total
    }

    private var loops: [EventLoop] {
        state.withLock { if case .running(let loops) = $0 { loops } else { [] } }
    }
}

internal import Synchronization

/// What all event loops of a server share; none of it changes after the start but the certificates.
final class Service: Sendable {
    let configuration: Configuration
    let router: Router
    let tree: RouteTree
    let pool: BlockingPool
    let gate: ConnectionGate
    let tls: Mutex<TLSContext?>
    private let bufferedBodyBytes = Atomic(0)

    var limits: Limits { configuration.limits }

    init(_ configuration: Configuration, _ router: Router) throws(HTTPError) {
        self.configuration = configuration
        self.router = router
        tree = RouteTree(router.routes)
        pool = BlockingPool(
            threadCount: configuration.limits.blockingThreadCount, queueLimit: configuration.limits.blockingQueueLimit)
        gate = ConnectionGate(configuration.limits)
        var context: TLSContext?
        if let files = configuration.tls { context = try TLSContext(files) }
        tls = Mutex(context)
    }

    /// Takes room for a part of a body, or refuses when all bodies together would hold too much.
    func reserveBody(_ count: Int) -> Bool {
        let total = bufferedBodyBytes.add(count, ordering: .relaxed).newValue
        if total <= limits.bufferedBodyBytesLimit { return true }
        releaseBody(count)
        return false
    }

    func releaseBody(_ count: Int) {
        bufferedBodyBytes.subtract(count, ordering: .relaxed)
    }
}

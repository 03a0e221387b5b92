internal import Synchronization

/// What all event loops of a server share; none of it changes after the start but the certificates.
final class Service: Sendable {
    let configuration: Configuration
    let router: Router
    let tree: RouteTree
    let pool: BlockingPool
    let gate: ConnectionGate
    let tls: Mutex<TLSContext?>

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
}

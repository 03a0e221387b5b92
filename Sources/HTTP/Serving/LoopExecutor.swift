internal import CSockets
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Runs an actor on one serial Dispatch queue, so that the compiler proves what the queue promises: the state of an
/// event loop is touched by its queue alone.
///
/// It also knows whether work is queued, and wakes a loop that waits for events, so that none waits behind it.
final class LoopExecutor: SerialExecutor {
    let queue: DispatchQueue
    /// Readable for the loop's epoll after a wake.
    let wakeup: Int32
    private let queuedCount = Atomic(0)
    private let isWaiting = Atomic(false)

    init(label: String) throws(HTTPError) {
        let descriptor = sockets_wakeup()
        guard descriptor >= 0 else { throw .cannotWatch(code: -descriptor) }
        wakeup = descriptor
        queue = DispatchQueue(label: label)
    }

    deinit { close(wakeup) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        run { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    func run(_ work: @escaping @Sendable () -> Void) {
        queuedCount.add(1, ordering: .sequentiallyConsistent)
        queue.async { [self] in
            queuedCount.subtract(1, ordering: .sequentiallyConsistent)
            work()
        }
        if isWaiting.load(ordering: .sequentiallyConsistent) { sockets_wake(wakeup) }
    }

    /// Says that the loop is about to wait on its queue.
    ///
    /// Whoever queues work counts it before looking here, and this looks at the count after saying so: one of the two
    /// sees the other.
    /// - Returns: whether it may, because nothing is queued.
    func beginWaiting() -> Bool {
        isWaiting.store(true, ordering: .sequentiallyConsistent)
        if queuedCount.load(ordering: .sequentiallyConsistent) == 0 { return true }
        endWaiting()
        return false
    }

    func endWaiting() {
        isWaiting.store(false, ordering: .sequentiallyConsistent)
    }
}

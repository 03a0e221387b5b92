internal import Foundation
internal import Synchronization

/// A fixed number of threads that may block, with a bounded queue before them.
///
/// Neither Dispatch's global queues nor Swift's cooperative pool will do: the one grows threads without bound when
/// they block, the other stands still.
final class BlockingPool: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)
    private let queueLimit: Int
    private let threadCount: Int

    init(threadCount: Int, queueLimit: Int) {
        self.threadCount = threadCount
        self.queueLimit = queueLimit
    }

    func start() {
        for _ in 0..<threadCount {
            let thread = Thread { [self] in work() }
            thread.name = "http-blocking"
            thread.start()
        }
    }

    /// Queues work, or refuses it when the queue is full or the pool has stopped.
    func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        enqueue(limit: queueLimit, work)
    }

    /// Queues the next step of an accepted upload. There is at most one per connection, so their cap bounds these.
    func submitContinuation(_ work: @escaping @Sendable () -> Void) -> Bool {
        enqueue(limit: .max, work)
    }

    private func enqueue(limit: Int, _ work: @escaping @Sendable () -> Void) -> Bool {
        let isAccepted = state.withLock { state in
            guard !state.isStopped, state.waiting.count < limit else { return false }
            state.waiting.append(work)
            return true
        }
        if isAccepted { signal.signal() }
        return isAccepted
    }

    /// Lets what is queued finish, then ends the threads.
    func stop() {
        state.withLock { $0.isStopped = true }
        for _ in 0..<threadCount { signal.signal() }
    }

    private func work() {
        while true {
            signal.wait()
            let next = state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() }
            guard let next else { return }
            next()
        }
    }
}

import Dispatch
import Synchronization

/// A fixed number of threads for calls that block, with a bounded queue before them.
///
/// Each thread is a serial Dispatch queue: those get a thread of their own at once, where a concurrent queue would wait
/// for one of as many threads as there are cores.
final class BlockingThreads: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var idleThreads: [Int]
    }

    private let queues: [DispatchQueue]
    private let queueLimit: Int
    private let state: Mutex<State>

    init(label: String, countLimit: Int, queueLimit: Int) {
        queues = (0..<countLimit).map { DispatchQueue(label: "\(label).\($0)") }
        self.queueLimit = queueLimit
        state = Mutex(State(idleThreads: Array(0..<countLimit)))
    }

    /// - Returns: false when the queue is full; `work` is then never run.
    func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        let (accepted, thread) = state.withLock { state -> (Bool, Int?) in
            if let thread = state.idleThreads.popLast() {
                state.waiting.append(work)
                return (true, thread)
            }
            guard state.waiting.count < queueLimit else { return (false, nil) }
            state.waiting.append(work)
            return (true, nil)
        }
        if let thread { queues[thread].async { self.drain(thread) } }
        return accepted
    }

    private func drain(_ thread: Int) {
        while let work = next(thread) { work() }
    }

    private func next(_ thread: Int) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.idleThreads.append(thread)
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

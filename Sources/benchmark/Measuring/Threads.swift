import Dispatch
import Foundation
import Synchronization

/// Threads that run at the same time, as many as asked for.
enum Threads {
    /// Blocks until all have ended. The first error is thrown on.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let group = DispatchGroup()
        let failure = FirstFailure()
        for number in 0..<count {
            group.enter()
            let thread = Thread {
                do { try body(number) } catch { failure.error.withLock { $0 = $0 ?? error } }
                group.leave()
            }
            thread.start()
        }
        group.wait()
        if let error = failure.error.withLock({ $0 }) { throw error }
    }

    private final class FirstFailure: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }
}

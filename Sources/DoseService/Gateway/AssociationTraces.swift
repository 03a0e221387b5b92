import HTTP
import Synchronization

/// The trace of each association: one number for everything that it brings. The cases of its planar images, their jobs
/// and their exports bear it in every line of log.
final class AssociationTraces: Sendable {
    /// By association; as many as are open at most.
    private let traces = Mutex<[Int: String]>([:])

    /// Begins one with the first question.
    func trace(of association: Int) -> String {
        traces.withLock { traces in
            if let known = traces[association] { return known }
            let made = TraceContext.random().traceID
            traces[association] = made
            return made
        }
    }

    /// - Returns: its trace, which is forgotten.
    func end(_ association: Int) -> String {
        traces.withLock { $0.removeValue(forKey: association) } ?? TraceContext.random().traceID
    }
}

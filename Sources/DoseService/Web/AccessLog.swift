import Dispatch
package import HTTP
package import Logging
import Synchronization

/// Writes a line for every exchange without making an event loop wait for the reader of the log.
package final class AccessLog: Sendable {
    /// Lines that may wait; more are dropped, and counted.
    static let waitingLimit = 10_000

    private let log: Logger
    private let queue = DispatchQueue(label: "service.access-log")
    private let waiting = Atomic(0)
    private let droppedCount = Atomic(0)

    package init(_ log: Logger) { self.log = log }

    package var dropped: Int { droppedCount.load(ordering: .relaxed) }

    package func take(_ record: AccessRecord) {
        // Probes that succeed say nothing, every few seconds.
        if ["/livez", "/readyz", "/metrics"].contains(record.routePattern), record.status == 200 { return }
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.waitingLimit else {
            waiting.subtract(1, ordering: .relaxed)
            droppedCount.add(1, ordering: .relaxed)
            return
        }
        queue.async { [self] in
            log.info("request", metadata: Self.fields(record))
            waiting.subtract(1, ordering: .relaxed)
        }
    }

    /// The route's pattern stands for the path, which may name a patient.
    static func fields(_ record: AccessRecord) -> Logger.Metadata {
        [
            "method": "\(record.method?.rawValue ?? "")", "route": "\(record.routePattern)",
            "status": "\(record.status.code)", "bytes": "\(record.bodyBytes)",
            "microseconds": "\(Int((record.duration / .microseconds(1)).rounded()))", "peer": "\(record.peer)",
            "trace": "\(record.trace?.traceID ?? "")",
        ]
    }
}

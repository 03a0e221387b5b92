package import DICOM
import HTTP
package import Jobs
import Synchronization

/// What dashboards poll, as Prometheus text. No label identifies anybody.
///
/// - Source: Prometheus text exposition format 0.0.4.
package final class Metrics: Sendable {
    private let queue: JobQueue
    private let listener: StorageListener?
    private let server = Mutex<Server?>(nil)
    private let outcomes = Mutex<[String: Int]>([:])

    package init(queue: JobQueue, listener: StorageListener?) {
        (self.queue, self.listener) = (queue, listener)
    }

    /// The server exists only after its routes.
    func observe(_ server: Server) { self.server.withLock { $0 = server } }

    func count(_ event: WorkerEvent) {
        let label: String? =
            switch event {
            case .ended(_, let kind, let state): "ended\",kind=\"\(kind)\",state=\"\(state.rawValue)"
            case .fenced(_, let kind): "fenced\",kind=\"\(kind)\",state=\""
            case .stopped(_, let kind, let reason): "stopped\",kind=\"\(kind)\",state=\"\(reason.rawValue)"
            case .claimed, .swept, .failed: nil
            }
        if let label { outcomes.withLock { $0[label, default: 0] += 1 } }
    }

    func text() async throws -> String {
        var text = Exposition()
        let counts = try await queue.counts()
        text.family("scintivol_jobs", "gauge", "Jobs by kind and state.")
        for count in counts {
            text.sample(
                "scintivol_jobs", "kind=\"\(count.kind)\",state=\"\(count.state.rawValue)\"", Double(count.count))
        }
        text.family("scintivol_oldest_job_wait_seconds", "gauge", "How long the oldest waiting job has waited.")
        let waiting = counts.filter { $0.state == .available }.map(\.oldestWaitSeconds).max() ?? 0
        text.sample("scintivol_oldest_job_wait_seconds", nil, waiting)
        text.family("scintivol_job_rescues", "gauge", "Rescues of the jobs that are kept.")
        text.sample("scintivol_job_rescues", nil, Double(counts.reduce(0) { $0 + $1.rescueCount }))
        text.family("scintivol_job_attempts_total", "counter", "Attempts of this worker by how they ended.")
        for (label, count) in outcomes.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            text.sample("scintivol_job_attempts_total", "event=\"\(label)\"", Double(count))
        }
        if let counters = listener?.counters { listenerSamples(counters, &text) }
        if let server = server.withLock({ $0 }) { httpSamples(await server.counters(), &text) }
        return text.text
    }

    private func listenerSamples(_ counters: ListenerCounters, _ text: inout Exposition) {
        text.family("scintivol_dicom_associations_open", "gauge", "Open associations.")
        text.sample("scintivol_dicom_associations_open", nil, Double(counters.openAssociations))
        text.family("scintivol_dicom_associations_total", "counter", "Associations by answer.")
        text.sample("scintivol_dicom_associations_total", "answer=\"accepted\"", Double(counters.acceptedAssociations))
        text.sample("scintivol_dicom_associations_total", "answer=\"rejected\"", Double(counters.rejectedAssociations))
        text.family("scintivol_dicom_objects_total", "counter", "C-STORE requests by outcome.")
        text.sample("scintivol_dicom_objects_total", "outcome=\"stored\"", Double(counters.storedObjects))
        text.sample("scintivol_dicom_objects_total", "outcome=\"refused\"", Double(counters.refusedObjects))
        text.sample("scintivol_dicom_objects_total", "outcome=\"interrupted\"", Double(counters.interruptedObjects))
        text.family("scintivol_dicom_received_bytes_total", "counter", "Bytes of received objects.")
        text.sample("scintivol_dicom_received_bytes_total", nil, Double(counters.receivedBytes))
    }

    private func httpSamples(_ counters: CountersSnapshot, _ text: inout Exposition) {
        text.family("scintivol_http_connections_open", "gauge", "Open connections.")
        text.sample("scintivol_http_connections_open", nil, Double(counters.connectionsOpen))
        text.family("scintivol_http_requests_total", "counter", "Requests by route, method and status.")
        for (key, count) in counters.requests.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let method = key.method?.rawValue.uppercased() ?? ""
            text.sample(
                "scintivol_http_requests_total",
                "route=\"\(key.routePattern)\",method=\"\(method)\",status=\"\(key.status)\"", Double(count))
        }
    }
}

/// Lines of Prometheus text.
struct Exposition {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: String?, _ value: Double) {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        text += labels.map { "\(name){\($0)} \(number)\n" } ?? "\(name) \(number)\n"
    }
}

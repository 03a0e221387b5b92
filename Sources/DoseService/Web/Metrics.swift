package import DICOM
import HTTP
package import Jobs
import Postgres
import Synchronization

/// What dashboards poll, as Prometheus text. No label identifies anybody; `docs/metrics.md` lists every family.
package final class Metrics: Sendable {
    private let queue: JobQueue
    private let listener: StorageListener?
    private let server = Mutex<Server?>(nil)
    private let accessLog = Mutex<AccessLog?>(nil)
    private let tally = JobTally()

    package init(queue: JobQueue, listener: StorageListener?) {
        (self.queue, self.listener) = (queue, listener)
    }

    /// Counters of jobs count from here on.
    func begin() async throws(PostgresError) {
        _ = try await queue.pool.run { [tally] (connection) throws(PostgresError) in try tally.update(connection) }
    }

    /// The server exists only after its routes.
    func observe(_ server: Server) { self.server.withLock { $0 = server } }

    func observe(_ log: AccessLog) { accessLog.withLock { $0 = log } }

    private static let cases = Statement("metrics_cases", "SELECT state, count(*) AS n FROM dose_case GROUP BY state")
    private static let exports = Statement(
        "metrics_exports", "SELECT destination, state, count(*) AS n FROM export_item GROUP BY destination, state")

    private struct Reading: Sendable {
        var tally = JobTally.Counts()
        var cases: [String: Int] = [:]
        var exports: [[String]: Int] = [:]
    }

    func text() async throws -> String {
        let counts = try await queue.counts()
        let reading = try await queue.pool.run { [tally] (connection) throws(PostgresError) in
            var reading = Reading(tally: try tally.update(connection))
            for row in try connection.query(Self.cases) { reading.cases[try row["state"]] = try row["n"] }
            for row in try connection.query(Self.exports) {
                reading.exports[[try row["destination"], try row["state"]]] = try row["n"]
            }
            return reading
        }
        var text = Exposition()
        text.family("scintivol_build_info", "gauge", "What this process is; the value is 1.")
        text.sample("scintivol_build_info", "version=\"\(Version.number)\",commit=\"\(Version.commit)\"", 1)
        jobSamples(counts, reading.tally, &text)
        text.family("scintivol_cases", "gauge", "Cases by state.")
        for (state, count) in reading.cases.sorted(by: { $0.key < $1.key }) {
            text.sample("scintivol_cases", "state=\"\(state)\"", Double(count))
        }
        text.family("scintivol_exports", "gauge", "Objects for archives by destination and state.")
        for (key, count) in reading.exports.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            text.sample("scintivol_exports", "destination=\"\(key[0])\",state=\"\(key[1])\"", Double(count))
        }
        if let counters = listener?.counters { listenerSamples(counters, &text) }
        if let server = server.withLock({ $0 }) { httpSamples(await server.counters(), &text) }
        return text.text
    }

    private func jobSamples(_ counts: [JobCount], _ tally: JobTally.Counts, _ text: inout Exposition) {
        text.family("scintivol_jobs", "gauge", "Jobs by kind and state.")
        for count in counts {
            text.sample(
                "scintivol_jobs", "kind=\"\(count.kind)\",state=\"\(count.state.rawValue)\"", Double(count.count))
        }
        let waiting = counts.filter { $0.state == .available }.map(\.oldestWaitSeconds).max() ?? 0
        text.value(
            "scintivol_oldest_job_wait_seconds", "gauge", "How long the oldest waiting job has waited.", waiting)
        text.value(
            "scintivol_job_rescues", "gauge", "Rescues of the jobs that are kept.",
            Double(counts.reduce(0) { $0 + $1.rescueCount }))
        text.family(
            "scintivol_job_events_total", "counter", "Steps of jobs on all machines since this process started.")
        for (key, count) in tally.events.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            text.sample("scintivol_job_events_total", "kind=\"\(key.kind)\",event=\"\(key.event)\"", Double(count))
        }
        for (name, help, histograms) in [
            (
                "scintivol_job_wait_seconds", "From a job's enqueueing or return to its claim, backoff included.",
                tally.waits
            ),
            ("scintivol_job_run_seconds", "From a job's claim to the end of the attempt.", tally.runs),
        ] {
            text.family(name, "histogram", help)
            for (kind, histogram) in histograms.sorted(by: { $0.key < $1.key }) {
                text.histogram(
                    name, "kind=\"\(kind)\"", bounds: JobTally.Counts.boundsSeconds, counts: histogram.counts,
                    sum: histogram.sumSeconds)
            }
        }
    }

    private func listenerSamples(_ counters: ListenerCounters, _ text: inout Exposition) {
        text.value(
            "scintivol_dicom_associations_open", "gauge", "Open associations.", Double(counters.openAssociations))
        text.family("scintivol_dicom_associations_total", "counter", "Associations by answer.")
        text.sample("scintivol_dicom_associations_total", "answer=\"accepted\"", Double(counters.acceptedAssociations))
        text.sample("scintivol_dicom_associations_total", "answer=\"rejected\"", Double(counters.rejectedAssociations))
        text.family("scintivol_dicom_objects_total", "counter", "C-STORE requests by outcome.")
        text.sample("scintivol_dicom_objects_total", "outcome=\"stored\"", Double(counters.storedObjects))
        text.sample("scintivol_dicom_objects_total", "outcome=\"refused\"", Double(counters.refusedObjects))
        text.sample("scintivol_dicom_objects_total", "outcome=\"interrupted\"", Double(counters.interruptedObjects))
        text.family("scintivol_dicom_store_responses_total", "counter", "Answers to C-STORE by DIMSE status.")
        for (code, count) in counters.storeResponses.merging([0: 0], uniquingKeysWith: +).sorted(by: { $0.key < $1.key }
        ) {
            let status = String(code, radix: 16, uppercase: true)
            let digits = String(repeating: "0", count: 4 - status.count) + status
            text.sample("scintivol_dicom_store_responses_total", "status=\"\(digits)\"", Double(count))
        }
        text.value(
            "scintivol_dicom_received_bytes_total", "counter", "Bytes of received objects.",
            Double(counters.receivedBytes))
    }

    private func httpSamples(_ counters: CountersSnapshot, _ text: inout Exposition) {
        text.value("scintivol_http_connections_open", "gauge", "Open connections.", Double(counters.connectionsOpen))
        text.family("scintivol_http_connections_total", "counter", "Connections by answer.")
        text.sample("scintivol_http_connections_total", "answer=\"accepted\"", Double(counters.connectionsAccepted))
        text.sample("scintivol_http_connections_total", "answer=\"refused\"", Double(counters.connectionsRefused))
        text.family("scintivol_http_requests_total", "counter", "Requests by route, method and status.")
        for (key, count) in counters.requests.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let method = key.method?.rawValue.uppercased() ?? ""
            text.sample(
                "scintivol_http_requests_total",
                "route=\"\(key.routePattern)\",method=\"\(method)\",status=\"\(key.status)\"", Double(count))
        }
        text.family("scintivol_http_request_seconds", "histogram", "From a request's head to its answer's last octet.")
        for (pattern, histogram) in counters.durations.sorted(by: { $0.key < $1.key }) {
            text.histogram(
                "scintivol_http_request_seconds", "route=\"\(pattern)\"", bounds: DurationHistogram.upperBoundsSeconds,
                counts: histogram.counts, sum: histogram.sum / .seconds(1))
        }
        text.value(
            "scintivol_access_log_dropped_total", "counter", "Lines that the reader of the log was too slow for.",
            Double(accessLog.withLock { $0?.dropped } ?? 0))
    }
}

import Jobs
import Logging

/// What a worker tells, as lines of log that name the job and the trace of what it is about.
struct WorkerLog: Sendable {
    let log: Logger

    func take(_ event: WorkerEvent) {
        switch event {
        case .claimed(let job): say("job claimed", of: job)
        case .ended(let job, let state): say("job ended", of: job, ["state": "\(state.rawValue)"])
        case .fenced(let job): say("job fenced", of: job)
        case .stopped(let job, let reason): say("job stopped", of: job, ["reason": "\(reason.rawValue)"])
        case .swept(let outcome):
            for (event, ids) in [("rescued", outcome.rescued), ("quarantined", outcome.quarantined)] {
                for id in ids { log.warning("job \(event)", metadata: ["job": "\(id.rawValue)"]) }
            }
        case .failed(let error): log.failure("worker failed", error)
        }
    }

    private func say(_ message: Logger.Message, of job: ClaimedJob, _ more: Logger.Metadata = [:]) {
        log.info(message, metadata: Self.fields(of: job).merging(more) { $1 })
    }

    /// Whatever a job is about, its payload may say which trace it belongs to.
    private struct Traced: Decodable { let trace: String? }

    /// What every line about an attempt bears.
    static func fields(of job: ClaimedJob) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "job": "\(job.id.rawValue)", "kind": "\(job.kind)", "attempt": "\(job.attempt)",
        ]
        if let trace = JSONText.decode(Traced.self, from: job.payload)?.trace { fields["trace"] = "\(trace)" }
        return fields
    }
}

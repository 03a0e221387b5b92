import Jobs

/// A job as REST shows it.
struct JobView: Codable, Equatable {
    let id: Int64
    let kind, state: String
    let priority, attempt, attemptLimit, rescueCount: Int
    let progress: Double?
    let stage, reason: String?
    let revision: Int64
    /// Seconds since 1970.
    let createdAt: Double
    let startedAt, finishedAt: Double?

    enum CodingKeys: String, CodingKey {
        case id, kind, state, priority, attempt, progress, stage, reason, revision
        case attemptLimit = "attempt_limit"
        case rescueCount = "rescue_count"
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
    }

    init(_ job: Job) {
        id = job.id.rawValue
        (kind, state) = (job.kind, job.state.rawValue)
        (priority, attempt, attemptLimit, rescueCount) = (job.priority, job.attempt, job.attemptLimit, job.rescueCount)
        (progress, stage, reason, revision) = (job.progress, job.stage, job.reason, job.revision)
        (createdAt, startedAt, finishedAt) = (job.createdAt, job.startedAt, job.finishedAt)
    }
}

struct JobPage: Codable, Equatable {
    let jobs: [JobView]
    /// Give it as `before` for the next page; absent on an empty page.
    let next: Int64?
}

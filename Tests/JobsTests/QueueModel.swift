import Jobs

/// What the queue should hold, kept beside the database by the same steps.
struct QueueModel {
    struct Entry: Equatable {
        var state: JobState = .available
        let key: String?
        let priority: Int16
        let attemptLimit: Int
        let dependsOn: JobID?
        var attempt = 0
        var rescueCount = 0
        var token: LeaseToken?
        var isCancelRequested = false
        var hasResult = false
        /// The order of start times; nil while the start lies ahead.
        var position: Int?
        var isExpired = false
    }

    var entries: [JobID: Entry] = [:]
    private(set) var live: Set<JobID> = []
    private(set) var lastToken = LeaseToken(rawValue: 0)
    private var nextPosition = 0

    mutating func add(_ id: JobID, _ job: NewJob) {
        nextPosition += 1
        entries[id] = Entry(
            key: job.key, priority: job.priority, attemptLimit: Int(job.attemptLimit), dependsOn: job.dependsOn,
            position: nextPosition)
        live.insert(id)
    }

    func live(withKey key: String?) -> JobID? {
        key.flatMap { key in live.first { entries[$0]?.key == key } }
    }

    /// What a claim must give: due, not waiting for a live job, by priority and then first in, first out.
    func claimable(limit: Int) -> [JobID] {
        live.compactMap { id -> (Int16, Int, JobID)? in
            guard let entry = entries[id], entry.state == .available, let position = entry.position else { return nil }
            if let dependency = entry.dependsOn, live.contains(dependency) { return nil }
            return (entry.priority, position, id)
        }
        .sorted { $0 < $1 }.prefix(limit).map(\.2)
    }

    /// - Returns: whether the token is higher than every one before.
    mutating func claim(_ job: ClaimedJob) -> Bool {
        defer { lastToken = max(lastToken, job.lease.token) }
        entries[job.id]?.state = .running
        entries[job.id]?.attempt += 1
        entries[job.id]?.token = job.lease.token
        entries[job.id]?.isExpired = false
        return job.lease.token > lastToken
    }

    func holds(_ lease: Lease) -> Bool {
        entries[lease.job]?.state == .running && entries[lease.job]?.token == lease.token
    }

    mutating func finish(_ lease: Lease, _ ending: JobEnding) -> FinishOutcome {
        guard holds(lease), var entry = entries[lease.job] else { return .fenced }
        switch ending {
        case _ where entry.isCancelRequested: entry.state = .cancelled
        case .completed(let result):
            entry.state = .completed
            entry.hasResult = result != nil
        case .retry:
            entry.state = entry.attempt >= entry.attemptLimit ? .discarded : .retryable
            entry.position = nil
        case .discard: entry.state = .discarded
        case .cancelled: entry.state = .cancelled
        case .snooze:
            entry.state = .available
            entry.attempt -= 1
            entry.position = nil
        case .giveBack:
            entry.state = .available
            entry.attempt -= 1
        }
        store(entry, lease.job)
        return .written(entry.state)
    }

    mutating func cancel(_ id: JobID) -> CancelOutcome {
        guard var entry = entries[id], !entry.state.isEnd else {
            return .alreadyEnded(entries[id]?.state ?? .cancelled)
        }
        entry.isCancelRequested = true
        if entry.state != .running { entry.state = .cancelled }
        store(entry, id)
        return entry.state == .running ? .requested : .cancelled
    }

    /// The lease of a running job ends, or the wait of another is over.
    mutating func passTime(_ id: JobID) {
        guard var entry = entries[id], !entry.state.isEnd else { return }
        if entry.state == .running {
            entry.isExpired = true
        } else if entry.position == nil {
            nextPosition += 1
            entry.position = nextPosition
        }
        store(entry, id)
    }

    mutating func renew(_ lease: Lease) { if holds(lease) { entries[lease.job]?.isExpired = false } }

    mutating func sweep(rescueLimit: Int) -> SweepOutcome {
        var rescued: [JobID] = []
        var quarantined: [JobID] = []
        var cancelled: [JobID] = []
        var promotedCount = 0
        for id in live.sorted() {
            guard var entry = entries[id] else { continue }
            if entry.state == .retryable && entry.position != nil {
                entry.state = .available
                promotedCount += 1
            } else if entry.state == .running && entry.isExpired {
                entry.rescueCount += 1
                if entry.isCancelRequested {
                    entry.state = .cancelled
                    cancelled.append(id)
                } else if entry.rescueCount >= rescueLimit {
                    entry.state = .discarded
                    quarantined.append(id)
                } else {
                    entry.state = .available
                    entry.attempt -= 1
                    rescued.append(id)
                }
            }
            store(entry, id)
        }
        return SweepOutcome(
            rescued: rescued, quarantined: quarantined, cancelled: cancelled, promotedCount: promotedCount)
    }

    private mutating func store(_ entry: Entry, _ id: JobID) {
        precondition(!(entries[id]?.state.isEnd ?? true), "the model itself must not leave an end")
        entries[id] = entry
        if entry.state.isEnd { live.remove(id) }
    }
}

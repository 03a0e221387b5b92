import Synchronization

/// The attempts that one worker holds, and until when by its own clock.
final class ActiveJobs: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Attempt {
        let job: ClaimedJob
        let deadline: Instant
        var leaseEnd: Instant
        var progress: Double?
        var stage: String?
        var stop: StopReason?
        /// Its work is done and its end is being written: nothing stops it any more, and its row may be gone from under it.
        var isEnding = false
        var task: Task<Void, Never>?
    }

    private let attempts = Mutex<[Lease: Attempt]>([:])

    var count: Int { attempts.withLock { $0.count } }

    /// - Parameter start: read before the claim was sent, so that our lease ends before the database's.
    func insert(_ job: ClaimedJob, claimedAt start: Instant, timing: JobTiming) {
        attempts.withLock {
            $0[job.lease] = Attempt(
                job: job, deadline: start + timing.runLimit, leaseEnd: start + timing.lease - timing.leaseMargin)
        }
    }

    /// Attaches the task, which may be over already.
    func attach(_ task: Task<Void, Never>, to lease: Lease) {
        let stop = attempts.withLock { attempts in
            attempts[lease]?.task = task
            return attempts[lease]?.stop
        }
        if stop != nil { task.cancel() }
    }

    func remove(_ lease: Lease) { _ = attempts.withLock { $0.removeValue(forKey: lease) } }

    func report(_ lease: Lease, progress: Double, stage: String?) {
        attempts.withLock {
            $0[lease]?.progress = progress
            $0[lease]?.stage = stage
        }
    }

    func stopReason(_ lease: Lease) -> StopReason? { attempts.withLock { $0[lease]?.stop } }

    /// Why the attempt was stopped, if it was; from now on nothing stops it.
    func beginEnding(_ lease: Lease) -> StopReason? {
        attempts.withLock { attempts in
            attempts[lease]?.isEnding = true
            return attempts[lease]?.stop
        }
    }

    /// When this worker must consider the attempt another's; `nil` when it no longer holds it.
    func leaseEnd(_ lease: Lease) -> Instant? { attempts.withLock { $0[lease]?.leaseEnd } }

    func holds(_ job: JobID) -> Bool { attempts.withLock { $0.keys.contains { $0.job == job } } }

    func heartbeats() -> [Heartbeat] {
        attempts.withLock { attempts in
            attempts.map { Heartbeat(lease: $0.key, progress: $0.value.progress, stage: $0.value.stage) }
        }
    }

    /// Applies the answer to heartbeats whose sending began at `start`.
    ///
    /// - Returns: what was stopped by it.
    func apply(_ answer: HeartbeatAnswer, to beats: [Heartbeat], sentAt start: Instant, timing: JobTiming) -> [Stopped]
    {
        beats.compactMap { beat in
            let job = beat.lease.job
            if answer.lost.contains(job) { return stop(beat.lease, .leaseLost) }
            attempts.withLock { $0[beat.lease]?.leaseEnd = start + timing.lease - timing.leaseMargin }
            return answer.cancelRequested.contains(job) ? stop(beat.lease, .cancelRequested) : nil
        }
    }

    /// Stops what has outlived its lease or its time by this worker's clock.
    func stopOverdue(now: Instant) -> [Stopped] {
        let overdue = attempts.withLock { attempts in
            attempts.compactMap { lease, attempt -> (Lease, StopReason)? in
                now >= attempt.leaseEnd ? (lease, .leaseLost) : now >= attempt.deadline ? (lease, .runLimit) : nil
            }
        }
        return overdue.compactMap { stop($0.0, $0.1) }
    }

    func stopAll(_ reason: StopReason) -> [Stopped] {
        attempts.withLock { Array($0.keys) }.compactMap { stop($0, reason) }
    }

    struct Stopped {
        let job: ClaimedJob
        let reason: StopReason
    }

    /// The first reason stands, except that a lost lease overrules every other.
    private func stop(_ lease: Lease, _ reason: StopReason) -> Stopped? {
        let (job, task) = attempts.withLock { attempts -> (ClaimedJob?, Task<Void, Never>?) in
            guard let attempt = attempts[lease] else { return (nil, nil) }
            guard !attempt.isEnding, attempt.stop == nil || (reason == .leaseLost && attempt.stop != .leaseLost) else {
                return (nil, nil)
            }
            attempts[lease]?.stop = reason
            return (attempt.job, attempt.task)
        }
        task?.cancel()
        return job.map { Stopped(job: $0, reason: reason) }
    }
}

import Postgres

/// Claims jobs and runs each through a closure, renews their leases meanwhile, and writes how they ended.
///
/// A worker stops an attempt by its own monotonic clock before the lease ends, so that even one that was frozen for
/// minutes does not work beside its successor. Whatever it still writes carries the token of its attempt.
public final class Worker: Sendable {
    /// Performs a job; what it throws says how the attempt ends (``JobDecision``).
    public typealias Perform = @Sendable (ClaimedJob, JobContext) async throws -> JobResult

    public struct Settings: Sendable {
        public var kinds: [String]
        /// Names the worker in rows and logs.
        public var owner: String
        /// How many jobs run at once.
        public var slotCount: Int

        public init(kinds: [String], owner: String, slotCount: Int = 1) {
            self.kinds = kinds
            self.owner = owner
            self.slotCount = slotCount
        }
    }

    private let queue: JobQueue
    private let settings: Settings
    private let perform: Perform
    private let observe: @Sendable (WorkerEvent) -> Void
    private let chance: @Sendable () -> Double
    private let active = ActiveJobs()
    private let claims = Pulse()
    private let heartbeats = Pulse()

    /// - Parameters:
    ///   - observe: told what happens, for logs and metrics; it must not block.
    ///   - chance: a number from 0 to 1 that spreads the waits after failures.
    public init(
        queue: JobQueue, settings: Settings, observe: @escaping @Sendable (WorkerEvent) -> Void = { _ in },
        chance: @escaping @Sendable () -> Double = { .random(in: 0...1) }, perform: @escaping Perform
    ) {
        precondition(settings.slotCount > 0, "a worker has at least one slot")
        self.queue = queue
        self.settings = settings
        self.observe = observe
        self.chance = chance
        self.perform = perform
    }

    /// Works until the task is cancelled; then stops its jobs and gives them back.
    public func run() async {
        let listener = listen()
        let timing = queue.timing
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.claims.run(every: timing.poll) { await self.claim() } }
            group.addTask { await self.heartbeats.run(every: timing.heartbeat) { await self.heartbeat() } }
            group.addTask { await Pulse().run(every: timing.watch) { self.watch() } }
            group.addTask { await Pulse().run(every: timing.sweep) { await self.sweep() } }
        }
        listener?.stop()
        await shutDown()
    }

    /// Notifications only shorten waits: without a listener everything still happens, at the pace of the polls.
    private func listen() -> Listener? {
        try? Listener(queue.pool.settings, channels: ["job_available", "job_changed"]) {
            [claims, heartbeats, active] event in
            switch event {
            case .notification("job_changed", let id):
                // An ended job may free those that waited for it; a running one of ours may be asked to stop.
                if let id = Int64(id), active.holds(JobID(rawValue: id)) { heartbeats.fire() } else { claims.fire() }
            case .connected, .notification: claims.fire()
            case .disconnected: break
            }
        }
    }

    private func claim() async {
        let free = settings.slotCount - active.count
        guard free > 0 else { return }
        let start = ContinuousClock.now
        do throws(JobsError) {
            for job in try await queue.claim(kinds: settings.kinds, limit: free, owner: settings.owner) {
                active.insert(job, claimedAt: start, timing: queue.timing)
                observe(.claimed(job))
                // Not a child of this task: it is stopped by its own reason, and bounded by its lease.
                active.attach(Task { await self.attempt(job) }, to: job.lease)
            }
        } catch { observe(.failed(error)) }
    }

    private func heartbeat() async {
        let beats = active.heartbeats()
        guard !beats.isEmpty else { return }
        let start = ContinuousClock.now
        do throws(JobsError) {
            let answer = try await queue.heartbeat(beats)
            report(active.apply(answer, to: beats, sentAt: start, timing: queue.timing))
        } catch { observe(.failed(error)) }
    }

    private func watch() {
        report(active.stopOverdue(now: .now))
    }

    private func sweep() async {
        do throws(JobsError) {
            let outcome = try await queue.sweep()
            observe(.swept(outcome))
        } catch { observe(.failed(error)) }
    }

    private func shutDown() async {
        report(active.stopAll(.shutdown))
        let end = ContinuousClock.now + queue.timing.shutdownGrace
        // What does not stop in time is left to the sweep; its writes are fenced by then.
        while active.count > 0 && ContinuousClock.now < end {
            await pause(.milliseconds(20))
        }
    }

    private func report(_ stopped: [ActiveJobs.Stopped]) {
        for stop in stopped { observe(.stopped(stop.job, stop.reason)) }
    }

    /// One attempt from its claim to the row that says how it ended.
    private func attempt(_ job: ClaimedJob) async {
        defer {
            active.remove(job.lease)
            claims.fire()
        }
        let outcome: Result<JobResult, any Error>
        do {
            outcome = .success(
                try await perform(
                    job, JobContext(lease: job.lease, active: active, failpoint: queue.failpoint ?? { _ in })))
        } catch {
            outcome = .failure(error)
        }
        let stop = active.beginEnding(job.lease)
        // A lost attempt has nothing to say; the sweep or its successor decides.
        guard stop != .leaseLost else { return observe(.fenced(job)) }
        switch outcome {
        case .success(let result):
            await write(.completed(result: result.json), of: job, alongside: result.alongside)
        case .failure(let error):
            await write(ending(of: job, after: error, stop: stop), of: job, alongside: nil)
        }
    }

    /// The reason to stop explains an error that it caused; otherwise the error is the decision.
    private func ending(of job: ClaimedJob, after error: any Error, stop: StopReason?) -> JobEnding {
        let wait = queue.timing.retryWait(afterAttempt: job.attempt, chance: chance())
        switch (stop, error as? JobDecision) {
        case (.cancelRequested, _): return .cancelled(reason: "cancelled")
        case (.shutdown, _): return .giveBack
        case (.runLimit, _): return .retry(after: wait, reason: "run_limit")
        case (_, .retry(let delay, let reason)): return .retry(after: delay ?? wait, reason: reason)
        case (_, .discard(let reason)): return .discard(reason: reason)
        case (_, .snooze(let delay, let reason)): return .snooze(delay, reason: reason)
        case (_, .cancel(let reason)): return .cancelled(reason: reason)
        case (_, nil): return .retry(after: wait, reason: "unexpected")
        }
    }

    /// Writes until the database has answered or the lease is over.
    private func write(
        _ ending: JobEnding, of job: ClaimedJob,
        alongside: (@Sendable (Transaction) throws(PostgresError) -> Void)?
    ) async {
        var ending = ending
        var alongside = alongside
        while true {
            do throws(JobsError) {
                switch try await queue.finish(job.lease, ending, alongside: alongside) {
                case .written(let state): observe(.ended(job, state))
                case .fenced: observe(.fenced(job))
                }
                return
            } catch {
                observe(.failed(error))
                if error.postgresError?.isTransient != true {
                    // The result itself is refused, and would be again; the attempt has failed.
                    guard case .completed = ending else { return }
                    let wait = queue.timing.retryWait(afterAttempt: job.attempt, chance: chance())
                    (ending, alongside) = (.retry(after: wait, reason: "result_refused"), nil)
                }
            }
            guard let end = active.leaseEnd(job.lease), ContinuousClock.now < end else {
                return observe(.fenced(job))
            }
            await pause(.milliseconds(250))
        }
    }

    /// Sleeps even when this task has been cancelled.
    private func pause(_ length: Duration) async {
        // The inner task is never cancelled, so its sleep cannot fail.
        await Task { try? await Task.sleep(for: length) }.value
    }
}

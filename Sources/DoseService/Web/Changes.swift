package import HTTP
package import Jobs
package import Postgres
import Synchronization

/// What the database says has changed, for those who wait for it, and revisions of jobs that are known to be the latest.
///
/// A revision is only remembered while the connection that would tell of a newer one stands.
package final class Changes: Sendable {
    /// What somebody waits for.
    package enum Topic: Equatable, Sendable {
        case job(JobID)
        case dosecase(Int64)
        case everything
    }

    private struct Subscriber {
        let topic: Topic
        let continuation: AsyncStream<Void>.Continuation
    }

    private struct State {
        var isListening = false
        /// Grows with every notification.
        var generation: UInt64 = 0
        var revisions: [JobID: Int64] = [:]
        var subscribers: [UInt64: Subscriber] = [:]
        var lastNumber: UInt64 = 0
    }

    static let subscriberLimit = 256
    private static let revisionLimit = 10_000

    private let ring: KeyRing
    private let state = Mutex(State())
    private let listener = Mutex<Listener?>(nil)

    package init(ring: KeyRing) { self.ring = ring }

    func listen(_ settings: ConnectionSettings) throws(PostgresError) {
        let channels = ["job_available", "job_revised", "case_revised", "api_key_revised"]
        let started = try Listener(settings, channels: channels) { [weak self] event in self?.take(event) }
        listener.withLock { $0 = started }
    }

    func stop() { listener.withLock { $0?.stop() } }

    package func take(_ event: Listener.Event) {
        var topic = Topic.everything
        switch event {
        case .notification("job_revised", let text): if let id = Int64(text) { topic = .job(JobID(rawValue: id)) }
        case .notification("case_revised", let text): if let id = Int64(text) { topic = .dosecase(id) }
        case .notification("job_available", _): break
        case .notification, .connected, .disconnected: ring.forget()
        }
        let awoken = state.withLock { state in
            state.generation += 1
            switch (event, topic) {
            case (.notification, .job(let id)): state.revisions[id] = nil
            case (.notification, _): break
            case (.connected, _), (.disconnected, _):
                state.isListening = event == .connected
                state.revisions.removeAll()
            }
            return state.subscribers.values.filter { subscriber in
                subscriber.topic == topic || subscriber.topic == .everything
                    || (event == .connected || event == .disconnected)
            }
        }
        awoken.forEach { $0.continuation.yield() }
    }

    /// What ``remember(_:of:readAt:)`` goes by; taken before the database is read.
    package var generation: UInt64 { state.withLock { $0.generation } }

    package func revision(of job: JobID) -> Int64? { state.withLock { $0.revisions[job] } }

    /// What was changed by this process itself is known to be old before its notification comes.
    func forgetRevisions() {
        state.withLock { state in
            state.generation += 1
            state.revisions.removeAll()
        }
    }

    /// Remembers a revision that was read after `generation` was taken, unless something has changed since.
    package func remember(_ revision: Int64, of job: JobID, readAt generation: UInt64) {
        state.withLock { state in
            guard state.isListening, state.generation == generation else { return }
            if state.revisions.count >= Self.revisionLimit { state.revisions.removeAll() }
            state.revisions[job] = revision
        }
    }

    /// Begins to wait. What changes from now on is not missed, so the database is read after this.
    ///
    /// - Throws: the problem that too many wait.
    package func subscribe(_ topic: Topic) throws(Problem) -> Subscription {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state -> UInt64? in
            guard state.subscribers.count < Self.subscriberLimit else { return nil }
            state.lastNumber += 1
            state.subscribers[state.lastNumber] = Subscriber(topic: topic, continuation: continuation)
            return state.lastNumber
        }
        guard let number else { throw ProblemType.tooManyWaiting.problem() }
        return Subscription(stream: stream, continuation: continuation) { [weak self] in
            self?.state.withLock { $0.subscribers[number] = nil }
        }
    }

    /// Ends with its owner.
    package final class Subscription: Sendable {
        /// A notification is only a hint: after so long one looks anyway.
        private static let pollTime = Duration.seconds(2)

        private let stream: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation
        private let end: @Sendable () -> Void

        init(
            stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation, end: @escaping @Sendable () -> Void
        ) {
            (self.stream, self.continuation, self.end) = (stream, continuation, end)
        }

        deinit { end() }

        /// Returns when something has changed since the last call, when the time is over, or when the task is cancelled.
        package func next(atMost limit: Duration) async {
            let timer = Task { [continuation] in
                do {
                    try await Task.sleep(for: min(limit, Self.pollTime))
                    continuation.yield()
                } catch { /* Something has changed before. */  }
            }
            defer { timer.cancel() }
            for await _ in stream { return }
        }
    }
}

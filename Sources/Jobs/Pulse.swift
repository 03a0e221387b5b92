/// Runs something again and again: at an interval, and at once whenever it is fired. Fires that come while it runs
/// count as one.
struct Pulse: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func fire() { continuation.yield() }

    /// Returns when the task is cancelled.
    func run(every interval: Duration, _ work: @Sendable () async -> Void) async {
        fire()
        let ticker = Task { [continuation] in
            // Sleeping fails only when the ticker is cancelled, which ends the loop as well.
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                continuation.yield()
            }
        }
        defer { ticker.cancel() }
        for await _ in stream { await work() }
    }
}

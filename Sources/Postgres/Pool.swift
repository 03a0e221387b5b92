import Dispatch
import Synchronization

/// A bounded number of connections, opened when first needed and lent to one caller at a time.
///
/// A connection that comes back broken or inside a transaction is closed. Plain threads use ``withConnection(_:)``,
/// tasks use ``run(_:)``, which works on threads of its own and never blocks Swift's cooperative threads.
public final class Pool: Sendable {
    public let settings: ConnectionSettings
    private let waitLimit: Duration
    private let permits: DispatchSemaphore
    private let idle = Mutex<[IdleConnection]>([])
    private let threads: BlockingThreads

    /// - Parameters:
    ///   - countLimit: how many connections may be open at once.
    ///   - waitLimit: how long a caller waits for one.
    ///   - queueLimit: how many tasks may wait for a thread of ``run(_:)``.
    public init(
        _ settings: ConnectionSettings, countLimit: Int, waitLimit: Duration = .seconds(5), queueLimit: Int = 1000
    ) {
        precondition(countLimit > 0, "a pool holds at least one connection")
        self.settings = settings
        self.waitLimit = waitLimit
        permits = DispatchSemaphore(value: countLimit)
        threads = BlockingThreads(label: "postgres.pool", countLimit: countLimit, queueLimit: queueLimit)
    }

    /// Lends a connection to `body` on the calling thread, which must not be one of Swift's cooperative threads.
    ///
    /// - Throws: ``PostgresError/poolExhausted`` when none came free in time, and what `body` throws.
    public func withConnection<Value, Failure: PostgresFailure>(
        _ body: (Connection) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard permits.wait(timeout: .now() + waitLimit.seconds) == .success else { throw Failure(.poolExhausted) }
        defer { permits.signal() }
        let connection: Connection
        do throws(PostgresError) { connection = try lend() } catch { throw Failure(error) }
        defer { takeBack(connection) }
        return try body(connection)
    }

    /// Lends a connection to `body` on one of the pool's own threads.
    ///
    /// It is not cut short when the task is cancelled: the deadlines of ``ConnectionSettings`` bound it.
    public func run<Value: Sendable, Failure: PostgresFailure>(
        _ body: @escaping @Sendable (Connection) throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let deadline = ContinuousClock.now + waitLimit
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            let accepted = threads.submit {
                // Waiting for a thread is waiting for a connection, since there are as many of both.
                if ContinuousClock.now > deadline {
                    continuation.resume(returning: .failure(Failure(.poolExhausted)))
                    return
                }
                let result: Result<Value, Failure>
                do throws(Failure) {
                    result = .success(try self.withConnection(body))
                } catch {
                    result = .failure(error)
                }
                continuation.resume(returning: result)
            }
            if !accepted { continuation.resume(returning: .failure(Failure(.poolExhausted))) }
        }
        return try result.get()
    }

    /// Lends a connection with an open transaction; see ``Connection/transaction(isolation:attemptLimit:beforeCommit:commitSent:_:)``.
    public func transaction<Value: Sendable, Failure: PostgresFailure>(
        isolation: IsolationLevel = .readCommitted, attemptLimit: Int = 1,
        beforeCommit: @escaping @Sendable () -> Void = {}, commitSent: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (Transaction) throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await run { (connection) throws(Failure) in
            try connection.transaction(
                isolation: isolation, attemptLimit: attemptLimit, beforeCommit: beforeCommit,
                commitSent: commitSent, body)
        }
    }

    /// Closes the connections nobody holds.
    public func closeIdle() {
        idle.withLock { $0.removeAll() }
    }

    private func lend() throws(PostgresError) -> Connection {
        while let candidate = idle.withLock({ $0.popLast() }) {
            if candidate.connection.isReusable { return candidate.connection }
        }
        return try Connection(settings)
    }

    private func takeBack(_ connection: Connection) {
        guard connection.isReusable else { return }
        idle.withLock { $0.append(IdleConnection(connection: connection)) }
    }
}

/// A connection that nobody holds. Sendable because it is either in the pool's list, behind a lock, or with the one
/// caller it was lent to.
private struct IdleConnection: @unchecked Sendable {
    let connection: Connection
}

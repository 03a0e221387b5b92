import CPostgres

/// An open transaction: what its statements change becomes visible together or not at all.
public struct Transaction: StatementRunner {
    let connection: Connection

    @discardableResult
    public func query(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
        try connection.query(statement, parameters)
    }
}

/// How much of others' work a transaction sees.
public enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

extension Connection {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// The closure states its error type, for example `{ (transaction) throws(JobsError) in … }`.
    ///
    /// - Parameters:
    ///   - attemptLimit: how often `body` may run; it is run again only after a serialization failure or a deadlock.
    ///   - beforeCommit: a seam for fault tests, called when all statements have run.
    ///   - commitSent: another, called when COMMIT is on its way and its answer has not been read.
    /// - Throws: what `body` throws, or the database's error. After ``PostgresError/connectionLost(statement:)`` of
    ///   `COMMIT` it is unknown whether the transaction took effect.
    public func transaction<Value, Failure: PostgresFailure>(
        isolation: IsolationLevel = .readCommitted, attemptLimit: Int = 1, beforeCommit: () -> Void = {},
        commitSent: () -> Void = {}, _ body: (Transaction) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        var attempt = 1
        while true {
            do throws(Failure) {
                return try runOnce(isolation, beforeCommit, commitSent, body)
            } catch {
                guard error.postgresError?.isConflict == true, attempt < attemptLimit else { throw error }
                attempt += 1
            }
        }
    }

    private func runOnce<Value, Failure: PostgresFailure>(
        _ isolation: IsolationLevel, _ beforeCommit: () -> Void, _ commitSent: () -> Void,
        _ body: (Transaction) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        markInTransaction(true)
        defer { markInTransaction(false) }
        do throws(PostgresError) {
            try runSimple(Statement("BEGIN", "BEGIN ISOLATION LEVEL \(isolation.rawValue)"))
        } catch { throw Failure(error) }

        let value: Value
        do throws(Failure) {
            value = try body(Transaction(connection: self))
        } catch {
            rollBack()
            throw error
        }
        beforeCommit()
        do throws(PostgresError) { try commit(commitSent) } catch { throw Failure(error) }
        return value
    }

    private func commit(_ sent: () -> Void) throws(PostgresError) {
        let rows = try query(Statement("COMMIT", "COMMIT"), [], sent: sent)
        // A transaction that failed before answers COMMIT with ROLLBACK and without an error.
        if String(cString: PQcmdStatus(rows.result)) != "COMMIT" { throw .transactionAborted }
    }

    /// The first error is the one to report; a session that cannot roll back is dropped by the pool.
    private func rollBack() {
        do throws(PostgresError) {
            try runSimple(Statement("ROLLBACK", "ROLLBACK"))
        } catch {}
    }
}

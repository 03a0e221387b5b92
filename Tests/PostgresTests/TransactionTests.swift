import Dispatch
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
    private let settings: ConnectionSettings
    private let connection: Connection

    init() throws {
        settings = try PrivatePostgres.makeDatabase(migrated: false)
        connection = try Connection(settings)
        try connection.runSimple(
            Statement("test.table", "CREATE TABLE item (n bigint UNIQUE); INSERT INTO item VALUES (0)"))
    }

    private static let add = Statement("test.add", "INSERT INTO item VALUES ($1)")
    private static let increment = Statement("test.increment", "UPDATE item SET n = n + 1")
    private static let count = Statement("test.count", "SELECT count(*) AS n FROM item")
    private static let sum = Statement("test.sum", "SELECT sum(n)::bigint AS n FROM item")

    private func itemCount() throws -> Int { try connection.queryOne(TransactionTests.count)["n"] }

    @Test func rollsBackWhatThrows() throws {
        #expect(throws: PostgresError.migrationChanged(number: 7)) {
            try connection.transaction { (transaction) throws(PostgresError) in
                try transaction.query(TransactionTests.add, [1])
                throw PostgresError.migrationChanged(number: 7)
            }
        }
        #expect(try itemCount() == 1)
    }

    @Test func namesStateAndConstraintAndNoValue() throws {
        try connection.query(TransactionTests.add, [77])
        let error = PostgresError.statementFailed(
            statement: "test.add", sqlState: .uniqueViolation, constraint: "item_n_key")
        #expect(throws: error) { try connection.query(TransactionTests.add, [77]) }
        do throws(PostgresError) { try connection.query(TransactionTests.add, ["Jane Doe"]) } catch {
            #expect(error.sqlState == SQLState("22P02"))
            #expect(!"\(error)".contains("Jane"))
        }
    }

    @Test func aSwallowedErrorDoesNotLookCommitted() throws {
        #expect(throws: PostgresError.transactionAborted) {
            try connection.transaction { (transaction) throws(PostgresError) in
                do throws(PostgresError) { try transaction.query(TransactionTests.add, [0]) } catch {}
            }
        }
    }

    @Test func conflictsAreRunAgain() throws {
        let settings = settings
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            do {
                let connection = try Connection(settings)
                for _ in 0..<10 {
                    try connection.transaction(isolation: .repeatableRead, attemptLimit: 1000) {
                        (transaction) throws(PostgresError) in
                        try transaction.query(TransactionTests.sum)
                        try transaction.query(TransactionTests.increment)
                    }
                }
            } catch { Issue.record(error) }
        }
        #expect(try connection.queryOne(TransactionTests.sum)["n"] == Int64(40))
    }

    @Test func aStatementEndsAtItsDeadline() throws {
        var impatient = settings
        impatient.statementTimeout = .milliseconds(50)
        let connection = try Connection(impatient)
        let sleep = Statement("test.sleep", "SELECT pg_sleep(60)::text")
        let error = PostgresError.statementFailed(statement: "test.sleep", sqlState: .queryCanceled, constraint: nil)
        #expect(throws: error) { try connection.query(sleep) }
        #expect(try connection.queryOne(TransactionTests.count)["n"] == 1)
    }

    @Test func aPeerThatSaysNothingIsGivenUp() throws {
        var impatient = settings
        impatient.statementTimeout = .milliseconds(50)
        impatient.answerMargin = .milliseconds(50)
        let connection = try Connection(impatient)
        // As if the server's own limit did not reach us.
        try connection.runSimple(Statement("test.unlimited", "SET statement_timeout = 0"))
        let sleep = Statement("test.sleep", "SELECT pg_sleep(5)::text")
        #expect(throws: PostgresError.timedOut(statement: "test.sleep")) { try connection.query(sleep) }
        #expect(throws: PostgresError.connectionLost(statement: "test.count")) {
            try connection.query(TransactionTests.count)
        }
    }

    @Test func anotherThreadCancels() async throws {
        let settings = settings
        let handle = Mutex<StatementCancellation?>(nil)
        async let failure: PostgresError? = onThread {
            let connection = try Connection(settings)
            handle.withLock { $0 = connection.cancellation() }
            do throws(PostgresError) {
                try connection.query(Statement("test.sleep", "SELECT pg_sleep(20)::text"))
                return nil
            } catch { return error }
        }
        // A request that comes before the statement stops nothing, so it is repeated.
        let isStopped = try await eventually {
            let sleeping = try connection.query(
                Statement(
                    "test.sleeping",
                    """
                    SELECT 1 FROM pg_stat_activity
                    WHERE wait_event = 'PgSleep' AND datname = current_database()
                    """))
            if !sleeping.isEmpty { handle.withLock { $0 }?.cancel() }
            return !sleeping.isEmpty
        }
        #expect(isStopped)
        #expect(try await failure?.sqlState == .queryCanceled)
    }

    @Test func refusesTextThatWouldBeCutOff() {
        #expect(throws: PostgresError.parameterHoldsNUL(statement: "test.add", parameter: 1)) {
            try connection.query(TransactionTests.add, ["1\u{0}2"])
        }
    }

    @Test func misreadColumnsAreErrors() throws {
        let row = try connection.queryOne(Statement("test.row", "SELECT 1::bigint AS n, NULL::text AS t"))
        #expect(throws: PostgresError.columnMissing(statement: "test.row", column: "x")) { try row["x"] as Int }
        #expect(throws: PostgresError.columnNull(statement: "test.row", column: "t")) { try row["t"] as String }
        #expect(throws: PostgresError.columnType(statement: "test.row", column: "n", typeOID: 20)) {
            try row["n"] as String
        }
        #expect(throws: PostgresError.rowCount(statement: "test.none", count: 0)) {
            try connection.queryOne(Statement("test.none", "SELECT 1 WHERE false"))
        }
    }

    @Test func passwordsAreNotPrinted() {
        let settings = ConnectionSettings(url: "postgresql://u:secret@h/d")
        #expect(!"\(settings) \(String(reflecting: settings))".contains("secret"))
    }
}

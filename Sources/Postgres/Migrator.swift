/// Brings a database to this program's schema: every migration once, in order, each in a transaction of its own.
///
/// Several programs may start at once: one migrates and the others wait. A number above the program's last belongs to a
/// newer program and is left alone, since the previous version must keep working on the next schema.
public struct Migrator: Sendable {
    private let settings: ConnectionSettings
    private let migrations: [Migration]

    /// - Parameter settings: a direct connection; a statement-level pooler would lose the session's lock.
    public init(_ settings: ConnectionSettings, migrations: [Migration] = Migration.all) {
        self.settings = settings
        self.migrations = migrations.sorted { $0.number < $1.number }
    }

    /// What a migration's number stands for in the database.
    public enum State: String, Equatable, Sendable {
        case pending, applied
        /// The file differs from what was applied.
        case changed
        /// Applied by a newer program.
        case unknown
    }

    public struct Status: Equatable, Sendable {
        public let number: Int
        public let name: String
        public let state: State
        /// Seconds since 1970 UTC.
        public let appliedAt: Double?
    }

    /// Applies what is pending. Blocks the calling thread.
    ///
    /// - Returns: the numbers applied now.
    /// - Throws: ``PostgresError/migrationChanged(number:)``, ``PostgresError/migrationOutOfOrder(number:)``,
    ///   ``PostgresError/migrationFailed(number:line:sqlState:)``; nothing of the failed file stays.
    @discardableResult
    public func up() throws(PostgresError) -> [Int] {
        let connection = try openLocked()
        try connection.query(Statements.createTable)
        let status = try status(on: connection)
        if let changed = status.first(where: { $0.state == .changed }) {
            throw .migrationChanged(number: changed.number)
        }
        let lastApplied = status.last { $0.state == .applied }?.number ?? 0
        let pending = migrations.filter { migration in
            status.contains { $0.number == migration.number && $0.state == .pending }
        }
        if let late = pending.first(where: { $0.number < lastApplied }) {
            throw .migrationOutOfOrder(number: late.number)
        }
        for migration in pending { try apply(migration, on: connection) }
        return pending.map(\.number)
    }

    /// The state of every known number, in order; changes nothing.
    public func status() throws(PostgresError) -> [Status] {
        try status(on: Connection(settings))
    }

    /// The SQL of every file, in order, each under its name.
    public func printed() -> String {
        migrations.map { "-- \($0.fileName)\n\($0.sql)" }.joined(separator: "\n")
    }

    /// The lock is the session's: closing the connection, or dying, frees it.
    private func openLocked() throws(PostgresError) -> Connection {
        var patient = settings
        // Migrations of a full table may take long, and so may waiting for another program's.
        patient.statementTimeout = .seconds(600)
        patient.idleInTransactionTimeout = .seconds(600)
        let connection = try Connection(patient)
        try connection.runSimple(Statements.waitLong)
        try connection.query(Statements.lock)
        try connection.runSimple(
            Statement("lock timeout", "SET lock_timeout = \(settings.lockTimeout.milliseconds)"))
        return connection
    }

    private func status(on connection: Connection) throws(PostgresError) -> [Status] {
        let exists: Bool = try connection.queryOne(Statements.tableExists)["present"]
        let applied = exists ? try connection.query(Statements.applied) : nil
        var rest: [Int: (name: String, checksum: String, at: Double)] = [:]
        for row in applied.map(Array.init) ?? [] {
            rest[try row["number"]] = (try row["name"], try row["checksum"], try row["applied_at"])
        }
        var status: [Status] = []
        for migration in migrations {
            guard let row = rest.removeValue(forKey: migration.number) else {
                status.append(
                    Status(number: migration.number, name: migration.name, state: .pending, appliedAt: nil))
                continue
            }
            let checksum: String = try connection.queryOne(
                Statements.checksum, [.bytes(Array(migration.sql.utf8))])["checksum"]
            status.append(
                Status(
                    number: migration.number, name: migration.name,
                    state: checksum == row.checksum ? .applied : .changed, appliedAt: row.at))
        }
        status += rest.map { Status(number: $0.key, name: $0.value.name, state: .unknown, appliedAt: $0.value.at) }
        return status.sorted { $0.number < $1.number }
    }

    private func apply(_ migration: Migration, on connection: Connection) throws(PostgresError) {
        do throws(PostgresError) {
            try connection.transaction { (transaction) throws(PostgresError) in
                try transaction.connection.runSimple(Statement(migration.fileName, migration.sql))
                try transaction.query(
                    Statements.record,
                    [.integer(Int64(migration.number)), .text(migration.name), .bytes(Array(migration.sql.utf8))])
            }
        } catch {
            guard let state = error.sqlState else { throw error }
            throw .migrationFailed(
                number: migration.number, line: connection.lastErrorLine(in: migration.sql), sqlState: state)
        }
    }

    private enum Statements {
        static let waitLong = Statement("wait for the migrator", "SET lock_timeout = '600s'")
        /// The number is arbitrary and belongs to this program's migrations alone.
        static let lock = Statement("migration.lock", "SELECT pg_advisory_lock(7310298811500617)")
        static let tableExists = Statement(
            "migration.table_exists", "SELECT to_regclass('schema_migration') IS NOT NULL AS present")
        static let createTable = Statement(
            "migration.create_table",
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                number integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """)
        static let applied = Statement(
            "migration.applied", "SELECT number, name, checksum, applied_at FROM schema_migration ORDER BY number")
        static let checksum = Statement(
            "migration.checksum", "SELECT encode(sha256($1::bytea), 'hex') AS checksum")
        static let record = Statement(
            "migration.record",
            """
            INSERT INTO schema_migration (number, name, checksum)
            VALUES ($1, $2, encode(sha256($3::bytea), 'hex'))
            """)
    }
}

import FoundationEssentials
import Glibc

/// A PostgreSQL server of our own in a folder, reached only through a socket that nobody else can reach.
///
/// The server outlives this object and this process; the next ``start(in:deadline:)`` takes it over. Whoever wants it
/// gone calls ``stop(_:)``.
public struct PrivateServer: Sendable {
    /// How the server treats its clients when it stops.
    public enum StopMode: String, Sendable {
        /// Waits for clients to leave.
        case smart
        /// Rolls back what is open and writes everything out.
        case fast
        /// As after a power cut: the next start recovers.
        case immediate
    }

    let layout: ServerLayout
    let commands: ServerCommands

    /// Starts the server of a folder, or takes over the one that runs there; initialises the folder when it is empty.
    /// Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - folder: an absolute path; it gets a subfolder `postgres` with mode 0700. When this process is root the server
    ///     runs as the account `postgres`, which must be able to reach the folder.
    ///   - deadline: how long starting, with recovery after a crash, may take.
    /// - Throws: ``PostgresError/serverProgramsMissing``, ``PostgresError/serverAccountMissing``,
    ///   ``PostgresError/serverFolderUnusable(errno:)``, ``PostgresError/serverFolderBusy``,
    ///   ``PostgresError/serverCommandFailed(program:status:)``, ``PostgresError/serverNotReady``.
    public static func start(
        in folder: String, deadline: Duration = .seconds(60)
    ) throws(PostgresError) -> PrivateServer {
        let end = ContinuousClock.now + deadline
        let owner = try ServerOwner.current()
        let layout = try ServerLayout(folder: folder, owner: owner)
        let lock = try FolderLock(layout.root + "/lock", until: end)
        defer { lock.release() }
        let commands = try ServerCommands(layout: layout, owner: owner)
        let server = PrivateServer(layout: layout, commands: commands)
        try server.initialiseWhenEmpty(owner, until: end)
        try layout.writeConfiguration(owner: owner)
        if server.isRunning {
            if server.answers { return server }
            // It runs but does not answer: stuck, or started with another socket. Recovery makes this safe.
            try commands.stop(.immediate)
        }
        try server.launch(until: end)
        return server
    }

    /// A connection string for a database on this server; the default one exists.
    public func url(database: String = "scintivol") -> String {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
        let host = layout.socketFolder.utf8.map { byte in
            allowed.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "postgresql:///\(database)?host=\(host.joined())&user=scintivol"
    }

    /// Stops the server and waits until it is gone. Blocks the calling thread.
    public func stop(_ mode: StopMode = .fast) throws(PostgresError) {
        let lock = try FolderLock(layout.root + "/lock", until: .now + .seconds(60))
        defer { lock.release() }
        if isRunning { try commands.stop(mode) }
    }

    /// Whether the server process exists.
    public var isRunning: Bool { layout.runningProcess != nil }

    /// The postmaster's process number while it lives.
    public var processIdentifier: Int32? { layout.runningProcess }

    private func initialiseWhenEmpty(_ owner: ServerOwner, until end: ContinuousClock.Instant) throws(PostgresError) {
        if layout.isInitialised { return }
        // A half-made cluster of a killed initdb never gets the final name.
        try layout.removeUnfinished()
        try commands.initialise(layout.unfinishedData, until: end)
        guard rename(layout.unfinishedData, layout.data) == 0 else { throw .serverFolderUnusable(errno: errno) }
    }

    private func launch(until end: ContinuousClock.Instant) throws(PostgresError) {
        try layout.disownLockFile(owner: commands.owner)
        while true {
            // Sessions of a killed server hold its memory for a moment, and a server in recovery refuses sessions.
            let status = try commands.start(until: end)
            if status == 0 && answers { return try createDatabase() }
            guard ContinuousClock.now < end else {
                throw status == 0 ? .serverNotReady : .serverCommandFailed(program: "pg_ctl", status: status)
            }
            usleep(100_000)
        }
    }

    private var answers: Bool { (try? Connection(administration)) != nil }  // Only whether it answers matters here.

    private var administration: ConnectionSettings {
        var settings = ConnectionSettings(url: url(database: "postgres"))
        settings.connectTimeout = .seconds(5)
        return settings
    }

    private func createDatabase() throws(PostgresError) {
        let connection = try Connection(administration)
        let exists = try connection.query(
            Statement("database.exists", "SELECT 1 FROM pg_database WHERE datname = 'scintivol'"))
        if exists.isEmpty { try connection.runSimple(Statement("database.create", "CREATE DATABASE scintivol")) }
    }
}

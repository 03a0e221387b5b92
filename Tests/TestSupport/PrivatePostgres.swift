public import Postgres
import Synchronization

/// One private PostgreSQL per test process, a fresh database per test.
public enum PrivatePostgres {
    private static let databaseCount = Atomic<Int>(0)
    private static let template = Mutex<Bool>(false)
    private static let shared = Result { try TemporaryServer() }

    /// A new database; with this program's schema unless asked for an empty one.
    public static func makeDatabase(migrated: Bool = true) throws -> ConnectionSettings {
        let server = try shared.get().server
        let name = "test_\(databaseCount.add(1, ordering: .relaxed).newValue)"
        try template.withLock { isMade in
            let administration = try Connection(ConnectionSettings(url: server.url(database: "postgres")))
            if !isMade {
                try administration.runSimple(Statement("template", "CREATE DATABASE migrated"))
                try Migrator(ConnectionSettings(url: server.url(database: "migrated"))).up()
                isMade = true
            }
            try administration.runSimple(
                Statement("create", "CREATE DATABASE \(name) TEMPLATE \(migrated ? "migrated" : "template1")"))
        }
        return ConnectionSettings(url: server.url(database: name))
    }
}

/// A private server in a temporary folder; both are gone soon after this process ends, however it ends.
public final class TemporaryServer: Sendable {
    public let server: PrivateServer
    private let state: StateFolder

    public init() throws {
        state = try StateFolder()
        server = try PrivateServer.start(in: state.path)
    }

    public var folder: String { state.path }
}

import Glibc
import Logging
import Postgres

/// The service's database: one that is given, or a private one in the state folder.
struct Database: Sendable {
    let url: String
    private let server: PrivateServer?
    /// Held while the private server is ours; the system lets go of it when the process ends.
    private let claim: Int32?

    /// Opens it and brings its schema up to date.
    ///
    /// - Throws: ``ServiceError/database(_:)``, ``ServiceError/stateFolderInUse(_:)``.
    static func open(_ settings: ServiceSettings) throws(ServiceError) -> Database {
        let claim = settings.databaseURL == nil ? try Self.claim(settings.stateFolder) : nil
        do throws(PostgresError) {
            let database: Database
            if let url = settings.databaseURL {
                database = Database(url: url, server: nil, claim: nil)
            } else {
                let server = try PrivateServer.start(in: folder(settings))
                database = Database(url: server.url(), server: server, claim: claim)
            }
            _ = try Migrator(ConnectionSettings(url: database.url)).up()
            return database
        } catch { throw .database(error) }
    }

    /// How often is looked whether the private server lives.
    private static let lookPeriod = Duration.seconds(2)
    /// A start that takes longer is tried again: nobody waits for it who wants to end.
    private static let startDeadline = Duration.seconds(15)

    /// Starts the private server anew when it has died, until the task is cancelled: nobody else looks after it. A given
    /// one is left to whoever gives it.
    func keep(_ settings: ServiceSettings, _ log: Logger) async {
        guard let server else { return }
        while !Task.isCancelled {
            // Cancelled meanwhile: the loop's condition ends it.
            guard (try? await Task.sleep(for: Self.lookPeriod)) != nil, !server.isRunning else { continue }
            log.error("database gone")
            await Service.onThread {
                do throws(PostgresError) {
                    // The same folder gives the same address.
                    _ = try PrivateServer.start(in: Self.folder(settings), deadline: Self.startDeadline)
                    log.info("database started anew")
                } catch { log.failure("database not started", error) }
            }
        }
    }

    private static func folder(_ settings: ServiceSettings) -> String { "\(settings.stateFolder)/postgres" }

    /// Stops the private server; a given one is left alone.
    func close() {
        // A server that does not stop now is adopted at the next start.
        try? server?.stop()
        if let claim { Glibc.close(claim) }
    }

    /// How long a process that is just ending may take to let go, in steps of a tenth of a second.
    private static let claimTries = 50

    /// Two processes with one private server would stop it under each other.
    private static func claim(_ folder: String) throws(ServiceError) -> Int32 {
        let descriptor = Glibc.open("\(folder)/owner.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .stateFolder(folder) }
        for _ in 0..<claimTries {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            usleep(100_000)
        }
        Glibc.close(descriptor)
        throw .stateFolderInUse(folder)
    }
}

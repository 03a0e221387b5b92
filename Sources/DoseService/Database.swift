import Postgres

/// The service's database: one that is given, or a private one in the state folder.
struct Database: Sendable {
    let url: String
    private let server: PrivateServer?

    /// Opens it and brings its schema up to date.
    ///
    /// - Throws: ``ServiceError/database(_:)``.
    static func open(_ settings: ServiceSettings) throws(ServiceError) -> Database {
        do throws(PostgresError) {
            let database: Database
            if let url = settings.databaseURL {
                database = Database(url: url, server: nil)
            } else {
                let server = try PrivateServer.start(in: "\(settings.stateFolder)/postgres")
                database = Database(url: server.url(), server: server)
            }
            _ = try Migrator(ConnectionSettings(url: database.url)).up()
            return database
        } catch { throw .database(error) }
    }

    /// Stops the private server; a given one is left alone.
    func close() {
        // A server that does not stop now is adopted at the next start.
        try? server?.stop()
    }
}

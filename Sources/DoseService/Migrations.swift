import Postgres

/// The migrations as the command shows them.
public enum Migrations {
    /// - Throws: ``ServiceError/database(_:)``.
    public static func up(_ url: String) throws(ServiceError) -> String {
        do throws(PostgresError) {
            let applied = try Migrator(ConnectionSettings(url: url)).up()
            return applied.isEmpty ? "nothing to do" : "applied \(applied.map(String.init).joined(separator: ", "))"
        } catch { throw .database(error) }
    }

    /// - Throws: ``ServiceError/database(_:)``.
    public static func status(_ url: String) throws(ServiceError) -> String {
        do throws(PostgresError) {
            return try Migrator(ConnectionSettings(url: url)).status().map { "\($0.number) \($0.name) \($0.state)" }
                .joined(separator: "\n")
        } catch { throw .database(error) }
    }

    public static func printed() -> String { Migrator(ConnectionSettings(url: "")).printed() }
}

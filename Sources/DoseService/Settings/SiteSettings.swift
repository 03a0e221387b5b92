import Foundation
import Postgres
import Synchronization

/// The settings as they are now: a site's description that comes by REST goes before the file, and takes effect while
/// the service runs.
///
/// Peers, rules, cameras, times and the handling of conflicts change at once; what the listener and the forwarding of the
/// audit were started with changes with the next start.
public final class SiteSettings: Sendable {
    /// Everything but the site's description stays as it is, whatever the description says.
    public typealias Make = @Sendable (SiteConfiguration?) throws -> ServiceSettings

    /// How often the database is asked for a newer description.
    static let period = Duration.seconds(2)
    /// Keys of the description that are read at the start alone.
    static let keysOfStart = ["title", "listener", "retention_days", "audit", "dose"]

    private struct State {
        var settings: ServiceSettings
        /// The row that is in use; 0 for the file.
        var row: Int64 = 0
        var document: JSONValue?
        /// What is wrong with the newest row, which is not in use then.
        var problems: [ConfigurationProblem] = []
        /// What the listener was started with.
        var startDocument: JSONValue?
        var observers: [@Sendable (ServiceSettings) -> Void] = []
    }

    private let make: Make?
    /// What the service was started with.
    let file: SiteConfiguration?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - file: the description that the service was started with.
    ///   - make: the settings with a description, or without one.
    /// - Throws: what `make` throws.
    public init(file: SiteConfiguration?, make: @escaping Make) throws {
        (self.file, self.make) = (file, make)
        state = Mutex(State(settings: try make(file), startDocument: file?.document))
    }

    /// Settings that nothing changes.
    public init(_ settings: ServiceSettings) {
        (file, make) = (nil, nil)
        state = Mutex(State(settings: settings))
    }

    public var current: ServiceSettings { state.withLock { $0.settings } }
    var startDocument: JSONValue? { state.withLock { $0.startDocument } }
    var problems: [ConfigurationProblem] { state.withLock { $0.problems } }

    /// Told of every change, on the thread that makes it.
    func observe(_ observer: @escaping @Sendable (ServiceSettings) -> Void) {
        state.withLock { $0.observers.append(observer) }
    }

    /// Takes what the database has, when that is newer.
    func refresh(_ pool: Pool) async throws(PostgresError) {
        let row = state.withLock { $0.row }
        let newest = try await pool.run { (connection) throws(PostgresError) in
            try StoredConfiguration.newest(after: row, connection)
        }
        if let newest { take(newest) }
    }

    /// Takes what the database has before anything is started with it.
    func begin(_ pool: Pool) async throws(PostgresError) {
        try await refresh(pool)
        state.withLock { $0.startDocument = $0.document ?? file?.document }
    }

    /// Follows the database until the task is cancelled; when it does not answer, everything stays as it is.
    func follow(_ pool: Pool) async {
        while !Task.isCancelled {
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
            try? await refresh(pool)
        }
    }

    private func take(_ stored: StoredConfiguration) {
        guard let make else { return }
        let site = stored.document.map { SiteConfiguration(json: Data(JSONText.encode($0).utf8)) } ?? file
        var made: ServiceSettings?
        var problems = site?.problems ?? []
        do { made = try make(site) } catch ServiceError.configuration(let found) { problems = found } catch {
            problems = [ConfigurationProblem(path: ".", code: "unusable")]
        }
        let (settings, observers) = state.withLock { state in
            guard stored.id > state.row else { return (nil as ServiceSettings?, state.observers) }
            // What was good when it was stored may have lost its certificates since: then the former stays in use.
            (state.row, state.problems) = (stored.id, made == nil ? problems : [])
            if let made { (state.settings, state.document) = (made, stored.document) }
            return (made, state.observers)
        }
        if let settings { for observer in observers { observer(settings) } }
    }
}

/// A site's description as a row.
struct StoredConfiguration: Sendable {
    let id: Int64
    /// Nil when the description by REST was withdrawn.
    let document: JSONValue?
    let createdBy: String
    /// Seconds since 1970.
    let createdAt: Double

    private static let columns = "id, document::text AS document, created_by, created_at"

    private static let newest = Statement(
        "site_configuration_newest",
        "SELECT \(columns) FROM site_configuration WHERE id > $1 ORDER BY id DESC LIMIT 1")

    private static let insert = Statement(
        "site_configuration_insert",
        "INSERT INTO site_configuration (document, created_by) VALUES ($1, $2) RETURNING \(columns)")

    private init(_ row: Row) throws(PostgresError) {
        let value = JSONText.decode(JSONValue.self, from: try row["document"])
        document = value == .null ? nil : value
        (id, createdBy, createdAt) = (try row["id"], try row["created_by"], try row["created_at"])
    }

    static func newest(after row: Int64, _ runner: some StatementRunner) throws(PostgresError) -> StoredConfiguration? {
        guard let row = try runner.query(newest, [.integer(row)]).first else { return nil }
        return try StoredConfiguration(row)
    }

    /// - Parameter document: nil withdraws the description.
    static func add(
        _ document: JSONValue?, by name: String, _ runner: some StatementRunner
    ) throws(PostgresError) -> StoredConfiguration {
        try StoredConfiguration(
            runner.queryOne(insert, [.json(JSONText.encode(document ?? .null)), .text(name)]))
    }
}

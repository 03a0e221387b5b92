import HTTP
package import Postgres

/// Whether this service can do its work now, dependency by dependency.
package struct Readiness: Sendable {
    let pool: Pool
    let store: ObjectStore
    let diskReserveBytes: Int64

    package init(pool: Pool, store: ObjectStore, diskReserveBytes: Int64) {
        (self.pool, self.store, self.diskReserveBytes) = (pool, store, diskReserveBytes)
    }

    private static let probe = Statement("ready_probe", "SELECT 1 AS one")

    struct Answer: Codable, Equatable {
        let ready: Bool
        let database, disk: String
    }

    func answer() -> Response {
        let isDatabaseUp: Bool
        do throws(PostgresError) {
            _ = try pool.withConnection { (connection) throws(PostgresError) in
                _ = try connection.query(Self.probe)
            }
            isDatabaseUp = true
        } catch { isDatabaseUp = false }
        let hasSpace = store.freeBytes() > diskReserveBytes
        let answer = Answer(
            ready: isDatabaseUp && hasSpace, database: isDatabaseUp ? "ok" : "unavailable",
            disk: hasSpace ? "ok" : "below-reserve")
        return .json(Array(JSONText.encode(answer).utf8), status: answer.ready ? 200 : 503)
    }
}

import Postgres

/// A place in the order of events: transaction, log, row.
///
/// Row numbers alone would not do: one may be handed out early and committed late. Events are read only when every
/// transaction up to theirs has ended, so none appears before the cursor.
struct EventCursor: Equatable, CustomStringConvertible {
    let transaction: UInt64
    let log: Int
    let row: Int64

    init(transaction: UInt64, log: Int, row: Int64) { (self.transaction, self.log, self.row) = (transaction, log, row) }

    /// Nil when the text is no event's.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard parts.count == 3, isPlain, let transaction = UInt64(parts[0]), let log = Int(parts[1]), log < 2,
            let row = Int64(parts[2])
        else { return nil }
        self.init(transaction: transaction, log: log, row: row)
    }

    var description: String { "\(transaction)-\(log)-\(row)" }

    private static let latest = Statement("event_now", "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid")

    /// Before everything that is still to come.
    static func now(_ connection: Connection) throws(PostgresError) -> EventCursor {
        let text: String = try connection.queryOne(latest)["xid"]
        return EventCursor(transaction: UInt64(text) ?? 0, log: 0, row: 0)
    }
}

/// A step of a job or a case, for those who watch.
struct FlowEvent: Equatable {
    let cursor: EventCursor
    /// `job` or `case`.
    let name: String
    /// JSON on one line.
    let data: String

    private static let list = Statement(
        "event_list",
        """
        SELECT xid::text AS xid, log, id, data FROM (
            (SELECT xid, 0 AS log, id, json_build_object('job', job_id, 'event', event, 'attempt', attempt,
                'reason', reason, 'at', extract(epoch FROM at))::text AS data FROM job_log
             WHERE (xid, 0, id) > ($1::xid8, $2::int, $3::bigint) AND xid >= $1::xid8
               AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id LIMIT $4)
            UNION ALL
            (SELECT xid, 1, id, json_build_object('case', case_id, 'state', state, 'reason', reason,
                'revision', revision, 'at', extract(epoch FROM at))::text FROM case_log
             WHERE (xid, 1, id) > ($1::xid8, $2::int, $3::bigint) AND xid >= $1::xid8
               AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id LIMIT $4)
        ) AS both_logs ORDER BY both_logs.xid, log, id LIMIT $4
        """)

    static func list(
        after cursor: EventCursor, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [FlowEvent] {
        let rows = try connection.query(
            list,
            [
                .text(String(cursor.transaction)), .integer(Int64(cursor.log)), .integer(cursor.row),
                .integer(Int64(limit)),
            ])
        return try rows.map { row throws(PostgresError) in
            let transaction: String = try row["xid"]
            let log: Int = try row["log"]
            return FlowEvent(
                cursor: EventCursor(transaction: UInt64(transaction) ?? 0, log: log, row: try row["id"]),
                name: log == 0 ? "job" : "case", data: try row["data"])
        }
    }
}

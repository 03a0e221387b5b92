import HTTP
import Postgres
import Synchronization

/// What has happened to jobs, on whichever machine, since this process started; read from the jobs' log.
final class JobTally: Sendable {
    struct Counts: Equatable, Sendable {
        struct Key: Hashable, Sendable { let kind, event: String }
        /// A histogram with ``boundsSeconds`` and a last bucket without bound.
        struct Histogram: Equatable, Sendable {
            var counts = [Int](repeating: 0, count: Counts.boundsSeconds.count + 1)
            var sumSeconds = 0.0

            mutating func record(_ seconds: Double) {
                counts[Counts.boundsSeconds.firstIndex { seconds <= $0 } ?? Counts.boundsSeconds.count] += 1
                sumSeconds += max(0, seconds)
            }
        }

        static let boundsSeconds: [Double] = [0.05, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600]

        var events: [Key: Int] = [:]
        /// By kind.
        var waits: [String: Histogram] = [:]
        var runs: [String: Histogram] = [:]
    }

    private struct State {
        var cursor: EventCursor?
        var counts = Counts()
    }

    private static let batch = 1000
    /// A scrape reads no more than this; the rest is left to the next.
    private static let batchLimit = 20
    private static let ends: Set = ["completed", "retryable", "discarded", "cancelled", "snooze", "give_back"]

    private let state = Mutex(State())

    private static let read = Statement(
        "job_tally",
        """
        SELECT l.xid::text AS xid, l.id, j.kind, l.event, extract(epoch FROM l.at - p.at)::float8 AS seconds
        FROM job_log l JOIN job j ON j.id = l.job_id
        LEFT JOIN LATERAL (
            SELECT at FROM job_log WHERE job_id = l.job_id AND id < l.id
              AND event NOT IN ('fenced', 'cancel_requested', 'prioritised') ORDER BY id DESC LIMIT 1) p ON true
        WHERE (l.xid, 0, l.id) > ($1::xid8, $2::int, $3::bigint) AND l.xid >= $1::xid8
          AND l.xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY l.xid, l.id LIMIT $4
        """)

    /// Reads what has been added to the log. Two scrapes at once count nothing twice: the later one gives up its rows.
    func update(_ connection: Connection) throws(PostgresError) -> Counts {
        for _ in 0..<Self.batchLimit {
            guard let cursor = state.withLock({ $0.cursor }) else {
                let now = try EventCursor.now(connection)
                state.withLock { $0.cursor = $0.cursor ?? now }
                break
            }
            let parameters: [Parameter] = [
                .text(String(cursor.transaction)), .integer(Int64(cursor.log)), .integer(cursor.row),
                .integer(Int64(Self.batch)),
            ]
            let entries = try connection.query(Self.read, parameters).map { row throws(PostgresError) in
                try Entry(row)
            }
            guard let last = entries.last else { break }
            state.withLock { state in
                guard state.cursor == cursor else { return }
                state.cursor = last.cursor
                for entry in entries { Self.count(entry, in: &state.counts) }
            }
            if entries.count < Self.batch { break }
        }
        return state.withLock { $0.counts }
    }

    private struct Entry: Sendable {
        let cursor: EventCursor
        let kind, event: String
        /// Since the step before.
        let seconds: Double?

        init(_ row: Row) throws(PostgresError) {
            let transaction: String = try row["xid"]
            cursor = EventCursor(transaction: UInt64(transaction) ?? 0, log: 0, row: try row["id"])
            (kind, event, seconds) = (try row["kind"], try row["event"], try row["seconds"])
        }
    }

    private static func count(_ entry: Entry, in counts: inout Counts) {
        counts.events[.init(kind: entry.kind, event: entry.event), default: 0] += 1
        guard let seconds = entry.seconds else { return }
        if entry.event == "claimed" {
            counts.waits[entry.kind, default: .init()].record(seconds)
        } else if ends.contains(entry.event) {
            counts.runs[entry.kind, default: .init()].record(seconds)
        }
    }
}

import Postgres
import Synchronization

/// Looks after rows whose commit has not reached the database's disk yet.
///
/// A received object's file is durable when it is acknowledged, its row a moment later. When the database dies in that
/// moment the row is gone although nobody was told; so every row is looked for once more after the database says that
/// its log was flushed beyond it, and is made anew when it is not there.
final class RowWatch: Sendable {
    /// Beyond this many rows one look through the whole store is cheaper.
    static let countLimit = 50_000

    private struct State {
        /// Written since the last look.
        var fresh: Set<String> = []
        /// Written before the position below.
        var waiting: Set<String> = []
        var position = "0/0"
        var isOverflown = false
    }

    private let state = Mutex(State())

    /// What a look found.
    enum Finding: Equatable {
        case missing([String])
        /// More was written than is remembered: every file has to be looked at.
        case unknown
    }

    func note(_ sopInstance: String, fileName: String) {
        state.withLock { state in
            if state.fresh.count + state.waiting.count < Self.countLimit {
                state.fresh.insert("\(sopInstance) \(fileName)")
            } else {
                state.isOverflown = true
            }
        }
    }

    private static let look = Statement(
        "row_watch_look",
        """
        SELECT name FROM unnest($1::text[]) AS name
        WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.sop_instance_uid = split_part(name, ' ', 1))
        """)

    private static let flushed = Statement(
        "row_watch_flushed",
        """
        SELECT pg_current_wal_insert_lsn()::text AS inserted,
               pg_current_wal_flush_lsn() >= $1::pg_lsn AS is_flushed
        """)

    /// - Returns: the files whose rows are gone. Those that are there and on the disk are forgotten.
    func look(_ connection: Connection) throws(PostgresError) -> Finding {
        // Taken before the database says how far it has written: what comes later lies behind that position.
        let (fresh, waiting, position, isOverflown) = state.withLock {
            ($0.fresh, $0.waiting, $0.position, $0.isOverflown)
        }
        if isOverflown {
            state.withLock { $0 = State() }
            return .unknown
        }
        var missing: [String] = []
        if !waiting.isEmpty {
            for row in try connection.query(Self.look, [.texts(waiting.sorted())]) { missing.append(try row["name"]) }
        }
        let row = try connection.queryOne(Self.flushed, [.text(position)])
        let isFlushed: Bool = try row["is_flushed"]
        let inserted: String = try row["inserted"]
        state.withLock { state in
            state.waiting.subtract(missing)
            guard isFlushed else { return }
            state.waiting = fresh
            state.fresh.subtract(fresh)
            state.position = inserted
        }
        return .missing(missing.compactMap { $0.split(separator: " ").last.map(String.init) })
    }
}

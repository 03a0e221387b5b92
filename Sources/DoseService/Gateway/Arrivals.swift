import Postgres
import Synchronization

/// Which patients' objects the open associations of this service bring.
///
/// Their rows tell the assembly of cases, wherever it runs, that more may come: a case is not put together while an
/// association brings its patient's objects, however slowly. Rows are renewed while their association lives, so that
/// those of a dead service end by themselves.
final class Arrivals: Sendable {
    /// A row is good for so long after its last renewal.
    static let lifeSeconds = 60.0
    static let renewalPeriod = Duration.seconds(15)
    /// A row renewed longer ago than this may have been taken for dead meanwhile.
    static let trust = Duration.seconds(30)

    private struct Open {
        let row: Int64
        let patientKey: String
        var renewedAt: ContinuousClock.Instant
    }

    private struct State {
        /// By association: the patient whose objects came last.
        var open: [Int: Open] = [:]
        /// Ended, but the database has not been told.
        var ended: Set<Int64> = []
    }

    private let pool: Pool
    private let receiver: String
    private let state = Mutex(State())

    init(pool: Pool, receiver: String) { (self.pool, self.receiver) = (pool, receiver) }

    /// Ends what the same service held open when it died.
    func forgetFormerLife() throws(PostgresError) {
        try run { (connection) throws(PostgresError) in
            _ = try connection.query(ArrivalStatements.endAll, [.text(self.receiver)])
        }
    }

    /// Called on an association's thread before a row of the patient is written.
    func bring(_ patientKey: String, association: Int) throws(PostgresError) {
        let known = state.withLock { $0.open[association] }
        if let known, known.patientKey == patientKey, known.renewedAt.duration(to: .now) < Self.trust { return }
        if let known, known.patientKey == patientKey, try renew([known.row]).contains(known.row) { return }
        let row: Int64 = try run { (connection) throws(PostgresError) in
            try connection.queryOne(
                ArrivalStatements.begin, [.text(self.receiver), .text(patientKey), .double(Self.lifeSeconds)])["id"]
        }
        state.withLock { state in
            if let former = state.open[association] { state.ended.insert(former.row) }
            state.open[association] = Open(row: row, patientKey: patientKey, renewedAt: .now)
        }
        try tellEnded()
    }

    /// Called once after an association's last object; when the database does not answer, it is told later.
    func end(association: Int) throws(PostgresError) {
        state.withLock { state in
            if let last = state.open.removeValue(forKey: association) { state.ended.insert(last.row) }
        }
        try tellEnded()
    }

    /// Notes rows that were written outside of an association.
    func note(_ patientKeys: Set<String>) throws(PostgresError) {
        guard !patientKeys.isEmpty else { return }
        try run { (connection) throws(PostgresError) in
            _ = try connection.query(
                ArrivalStatements.note, [.text(self.receiver), .texts(patientKeys.sorted()), .bool(false)])
        }
    }

    /// Renews what is open and tells what could not be told before.
    func keepAlive() throws(PostgresError) {
        try renew(state.withLock { $0.open.values.map(\.row) })
        try tellEnded()
    }

    /// - Returns: the rows that are still held open.
    @discardableResult
    private func renew(_ rows: [Int64]) throws(PostgresError) -> Set<Int64> {
        guard !rows.isEmpty else { return [] }
        // Taken before the database looks at its own clock: rather too early than too late.
        let asked = ContinuousClock.now
        let renewed: Set<Int64> = try run { (connection) throws(PostgresError) in
            var renewed: Set<Int64> = []
            for row in try connection.query(ArrivalStatements.renew, [.integers(rows), .double(Self.lifeSeconds)]) {
                renewed.insert(try row["id"])
            }
            return renewed
        }
        state.withLock { state in
            for (association, entry) in state.open where renewed.contains(entry.row) {
                state.open[association]?.renewedAt = asked
            }
        }
        return renewed
    }

    private func tellEnded() throws(PostgresError) {
        let ended = state.withLock { $0.ended }
        guard !ended.isEmpty else { return }
        try run { (connection) throws(PostgresError) in
            _ = try connection.query(ArrivalStatements.end, [.integers(ended.sorted())])
        }
        state.withLock { $0.ended.subtract(ended) }
    }

    private func run<Value>(
        _ body: (Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try pool.withConnection { (connection) throws(PostgresError) in try body(connection) }
    }
}

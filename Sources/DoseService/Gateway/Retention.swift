import Glibc
package import Logging
package import Postgres

/// Removes source files some time after every case that uses them was delivered, never before.
///
/// Rows stay: they say what a result was made of, and that the instance is known.
package struct Retention: Sendable {
    static let period = Duration.seconds(60)
    static let batchLimit: Int64 = 500

    let pool: Pool
    let store: ObjectStore
    let age: Duration
    let log: Logger

    /// An instance of which no delivered case is old enough, or that any other case uses or could still use, stays: as
    /// long as a case of its patient is not delivered, late instances may ask for it again. A SPECT is used by doses: it
    /// stays while one of its patient's cycles is under way.
    private static let due = Statement(
        "retention_due",
        """
        SELECT i.id, i.file_name FROM instance i
        WHERE i.purged_at IS NULL
          AND EXISTS (SELECT 1 FROM dose_case c WHERE c.patient_key = i.patient_key
                      AND (i.id = ANY (c.instance_ids)
                           OR i.is_tomographic AND NOT EXISTS (
                               SELECT 1 FROM cycle y
                               WHERE y.patient_key = i.patient_key AND y.state NOT IN ('delivered', 'failed')))
                      AND c.state = 'delivered' AND c.delivered_at < now() - make_interval(secs => $1))
          AND NOT EXISTS (SELECT 1 FROM dose_case c WHERE c.patient_key = i.patient_key
                          AND (c.state <> 'delivered' OR c.delivered_at IS NULL
                               OR c.delivered_at >= now() - make_interval(secs => $1)))
          AND NOT EXISTS (SELECT 1 FROM arrival a WHERE a.patient_key = i.patient_key)
        ORDER BY i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED
        """)

    private static let mark = Statement("retention_mark", "UPDATE instance SET purged_at = now() WHERE id = ANY ($1)")

    package init(
        pool: Pool, store: ObjectStore, age: Duration, log: Logger = Logger(label: "retention")
    ) {
        (self.pool, self.store, self.age, self.log) = (pool, store, age, log)
    }

    func run() async {
        while !Task.isCancelled {
            do throws(PostgresError) {
                while try await purge() == Self.batchLimit {}
            } catch { log.failure("retention failed", error) }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    /// - Returns: how many instances' files are gone now.
    package func purge() async throws(PostgresError) -> Int {
        let (store, age) = (store, age)
        let names: [String] = try await pool.transaction { (transaction) throws(PostgresError) in
            var ids: [Int64] = []
            var names: [String] = []
            for row in try transaction.query(Self.due, [.seconds(age), .integer(Self.batchLimit)]) {
                ids.append(try row["id"])
                names.append(try row["file_name"])
            }
            guard !ids.isEmpty else { return [] }
            _ = try transaction.query(Self.mark, [.integers(ids)])
            try AuditTrail.write(
                .init(
                    actor: "retention", action: .sourcesPurged, subject: "instances",
                    detail: ["count": "\(ids.count)"]), transaction)
            return names
        }
        // The row first: a file that outlives it is harmless, a row without its file would not be.
        for name in names { unlink(store.path(name)) }
        return names.count
    }
}

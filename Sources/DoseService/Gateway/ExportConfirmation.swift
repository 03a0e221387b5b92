package import DICOM
import Logging
import Postgres

/// Asks an archive whether it has what it said that it has stored, before that counts as delivered.
package struct ExportConfirmation: Sendable {
    static let firstWaitSeconds = 2.0
    /// An archive that still has not got an object then gets it once more.
    package static let checkLimit = 8
    static let batchLimit = 20

    let pool: Pool
    let store: ObjectStore
    /// Destinations whose word counts.
    let trusted: [String]
    let log: Logger

    struct Item: Equatable, Sendable {
        let id: Int64
        let checkCount: Int
        let path: String
        let dosecase: Int64
        let trace: String
    }

    package enum Verdict: Equatable, Sendable {
        case confirmed
        case again(afterSeconds: Double, reason: String)
        /// It goes out once more.
        case missing

        fileprivate var reason: String {
            switch self {
            case .confirmed: ""
            case .again(_, let reason): reason
            case .missing: "lost-by-archive"
            }
        }
    }

    /// - Returns: how many objects were asked for.
    func confirmDue(at destination: ServiceSettings.Destination) async throws(PostgresError) -> Int {
        let items = try await Self.due(destination.name, atMost: Self.batchLimit, pool: pool, store: store)
        for item in items {
            let found = await Service.onThread { Self.ask(for: item.path, at: destination.peer) }
            let verdict = Self.verdict(found, checkCount: item.checkCount)
            Self.tell(
                verdict, of: item.id, case: item.dosecase, trace: item.trace, at: destination.name, log)
            try await record(verdict, of: item)
        }
        return items.count
    }

    /// - Parameter checkCount: how often it was asked for before.
    package static func verdict(_ found: Result<Bool, NetworkError>, checkCount: Int) -> Verdict {
        let wait = firstWaitSeconds * Double(1 << min(checkCount, 10))
        switch found {
        case .success(true): return .confirmed
        case .success(false):
            return checkCount + 1 >= checkLimit ? .missing : .again(afterSeconds: wait, reason: "not-found-yet")
        case .failure(.noAcceptedContext): return .again(afterSeconds: wait, reason: "cannot-be-asked")
        case .failure: return .again(afterSeconds: wait, reason: "not-asked")
        }
    }

    private static func ask(for path: String, at peer: StoragePeer) -> Result<Bool, NetworkError> {
        guard let object = try? ObjectScanner().scan(path: path) else { return .success(false) }
        var question = QueryIdentifier()
        question[.studyInstance] = object.studyInstance.description
        question[.seriesInstance] = object.seriesInstance.description
        question[.sopInstance] = object.sopInstance.description
        do throws(NetworkError) {
            let found = try ArchiveQuery(peer: peer).find(.image, question)
            return .success(found.contains { $0[.sopInstance] == object.sopInstance.description })
        } catch { return .failure(error) }
    }

    /// What is stored at a destination and has not been confirmed.
    static func due(
        _ destination: String, atMost limit: Int, pool: Pool, store: ObjectStore
    ) async throws(PostgresError) -> [Item] {
        try await pool.run { (connection) throws(PostgresError) in
            var items: [Item] = []
            for row in try connection.query(
                ExportStatements.dueChecks, [.text(destination), .integer(Int64(limit))])
            {
                let name: String = try row["file_name"]
                items.append(
                    Item(
                        id: try row["id"], checkCount: try row["check_count"], path: "\(store.results)/\(name)",
                        dosecase: try row["case_id"], trace: try row["trace"]))
            }
            return items
        }
    }

    private func record(_ verdict: Verdict, of item: Item) async throws(PostgresError) {
        let trusted = trusted
        try await pool.transaction { (transaction) throws(PostgresError) in
            try Self.record(verdict, of: item.id, trusted: trusted, transaction)
        }
    }

    /// Writes to the log what became of an item that was asked about.
    static func tell(
        _ verdict: Verdict, of item: Int64, case dosecase: Int64, trace: String, at destination: String, _ log: Logger
    ) {
        log.log(
            level: verdict == .confirmed ? .info : .warning,
            verdict == .confirmed ? "export confirmed" : "export not confirmed",
            metadata: [
                "item": "\(item)", "case": "\(dosecase)", "trace": "\(trace)", "destination": "\(destination)",
                "verdict": "\(LogWord.of(verdict))", "reason": "\(verdict.reason)",
            ])
    }

    /// - Parameter trusted: destinations whose word counts.
    static func record(
        _ verdict: Verdict, of item: Int64, trusted: [String], _ transaction: Transaction
    ) throws(PostgresError) {
        let parameters: [Parameter] =
            switch verdict {
            case .confirmed: [.text("confirmed"), .null, .double(0)]
            case .again(let seconds, let reason): [.text("stored"), .text(reason), .double(seconds)]
            case .missing: [.text("pending"), .text("lost-by-archive"), .double(0)]
            }
        _ = try transaction.query(
            ExportStatements.check,
            [.integer(item)] + parameters + [.integer(Int64(ExportOutbox.attemptLimit))])
        _ = try transaction.query(ExportStatements.closeCase, [.integer(item), .texts(trusted)])
        _ = try transaction.query(CycleStatements.close, [.integer(item), .texts(trusted)])
    }
}

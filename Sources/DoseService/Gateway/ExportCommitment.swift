import DICOM
import Foundation
import Logging
import Postgres

/// Asks an archive to commit itself to keep what it said that it has stored; its report makes that delivered.
///
/// The report comes on the association of the request or, minutes or hours later, on one that the archive opens. An
/// archive that does not report is asked again, ever more rarely, and for as long as it takes.
package struct ExportCommitment: Sendable {
    /// How long a report is waited for before the archive is asked once more; it doubles.
    package static let firstWaitSeconds = 60.0
    package static let waitLimitSeconds = 3600.0
    /// Objects of one request.
    package static let batchLimit = 500

    let pool: Pool
    let store: ObjectStore
    /// Destinations whose word counts.
    let trusted: [String]
    let log: Logger

    private typealias Question = (item: ExportConfirmation.Item, instance: StorageCommitment.Instance)

    /// - Returns: how many objects the archive was asked about.
    func askDue(at destination: ServiceSettings.Destination) async throws(PostgresError) -> Int {
        let items = try await ExportConfirmation.due(
            destination.name, atMost: Self.batchLimit, pool: pool, store: store)
        guard !items.isEmpty else { return 0 }
        let questions = await Service.onThread { items.compactMap(Self.question) }
        let transactionUID = Self.newTransaction()
        // The report may be here before the request's answer: what was asked is written down first.
        try await note(questions, transactionUID)
        // What a file no longer says cannot be asked about: its object stays unconfirmed.
        let readable = Set(questions.map(\.item.id))
        for item in items where !readable.contains(item.id) { try await again(item, "file-unreadable") }
        let peer = destination.peer
        let instances = questions.map(\.instance)
        guard !instances.isEmpty else { return 0 }
        let outcome = await Service.onThread { () -> Result<CommitmentReport?, NetworkError> in
            Result { () throws(NetworkError) in
                try StorageCommitment(peer: peer).request(instances, transaction: transactionUID)
            }
        }
        switch outcome {
        case .success(let report?): try await take(report)
        case .success(nil):
            log.info(
                "commitment asked",
                metadata: ["destination": "\(destination.name)", "objects": "\(instances.count)"])
        case .failure(let error):
            log.warning(
                "commitment not asked", metadata: ["destination": "\(destination.name)", "error": "\(error.code)"])
            let reason = error == .noAcceptedContext ? "cannot-be-asked" : "not-asked"
            for question in questions { try await again(question.item, reason) }
        }
        return instances.count
    }

    private static func question(_ item: ExportConfirmation.Item) -> Question? {
        guard let object = try? ObjectScanner().scan(path: item.path) else { return nil }
        return (item, StorageCommitment.Instance(sopClass: object.sopClass, sopInstance: object.sopInstance))
    }

    /// Nobody can guess one and so report what nobody has committed to.
    private static func newTransaction() -> UID {
        var number: UInt128 = 0
        for _ in 0..<2 { number = number << 64 | UInt128(UInt64.random(in: 0...UInt64.max)) }
        // `2.25.` and a decimal number without leading zeros is always a UID.
        return UID("2.25.\(number)")!
    }

    private func note(_ questions: [Question], _ transactionUID: UID) async throws(PostgresError) {
        let rows = questions.map { ($0.item, $0.instance.sopInstance.description) }
        let trusted = trusted
        try await pool.transaction { (transaction) throws(PostgresError) in
            for (item, instance) in rows {
                _ = try transaction.query(
                    ExportStatements.ask, [.text(transactionUID.description), .integer(item.id), .text(instance)])
                try ExportConfirmation.record(
                    Self.wait(item, "commitment-asked"), of: item.id, trusted: trusted, transaction)
            }
        }
    }

    private static func wait(_ item: ExportConfirmation.Item, _ reason: String) -> ExportConfirmation.Verdict {
        let seconds = firstWaitSeconds * Double(1 << min(item.checkCount, 10))
        return .again(afterSeconds: min(seconds, waitLimitSeconds), reason: reason)
    }

    private func again(_ item: ExportConfirmation.Item, _ reason: String) async throws(PostgresError) {
        let trusted = trusted
        try await pool.transaction { (transaction) throws(PostgresError) in
            try ExportConfirmation.record(Self.wait(item, reason), of: item.id, trusted: trusted, transaction)
        }
    }

    private func take(_ report: CommitmentReport) async throws(PostgresError) {
        let trusted = trusted
        let settled = try await pool.transaction { (transaction) throws(PostgresError) in
            try Self.take(report, trusted: trusted, transaction)
        }
        Self.tell(settled, log)
    }

    /// An object of which an archive has said whether it keeps it.
    struct Settled {
        let item, dosecase: Int64
        let trace, destination: String
        let verdict: ExportConfirmation.Verdict
    }

    /// Takes what an archive has reported: what it keeps is confirmed, what it does not keep goes out once more.
    ///
    /// - Returns: nil when nothing is waited for under the transaction's name.
    static func take(
        _ report: CommitmentReport, trusted: [String], _ transaction: Transaction
    ) throws(PostgresError) -> [Settled]? {
        let rows = try transaction.query(ExportStatements.asked, [.text(report.transaction.description)])
        guard !rows.isEmpty else { return nil }
        let verdicts = Dictionary(
            report.committed.map { ($0.description, ExportConfirmation.Verdict.confirmed) }
                + report.failed.map { ($0.instance.description, .missing) },
            // Of two answers the one that keeps nothing is believed.
            uniquingKeysWith: { _, last in last })
        var settled: [Settled] = []
        for row in rows {
            let instance: String = try row["sop_instance_uid"]
            guard let verdict = verdicts[instance] else { continue }
            settled.append(
                Settled(
                    item: try row["item_id"], dosecase: try row["case_id"], trace: try row["trace"],
                    destination: try row["destination"], verdict: verdict))
        }
        for one in settled {
            try ExportConfirmation.record(one.verdict, of: one.item, trusted: trusted, transaction)
        }
        _ = try transaction.query(ExportStatements.forget, [.integers(settled.map(\.item))])
        return settled
    }

    static func tell(_ settled: [Settled]?, _ log: Logger) {
        for one in settled ?? [] {
            ExportConfirmation.tell(
                one.verdict, of: one.item, case: one.dosecase, trace: one.trace, at: one.destination, log)
        }
    }
}

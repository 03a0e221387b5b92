import DICOM
import Logging
import Postgres

/// Asks archives how much of a series they have, and has them send what a case misses.
struct ArchiveSearch: Sendable {
    static let period = Duration.seconds(2)
    static let attemptLimit = 6
    static let firstWaitSeconds = 60.0
    /// An archive sends what it was asked for before it answers for the last time.
    static let moveDeadline = Duration.seconds(600)

    let pool: Pool
    let store: ObjectStore
    let site: SiteSettings
    /// Takes what comes on our own associations.
    let intake: Intake
    let log: Logger

    var archives: [GatewayPeer] { site.current.archives }
    /// Our own title, by which archives know where to send.
    private var title: String { site.current.title }

    /// A case that misses something and the archive that may have it.
    struct Wanted: Equatable {
        let id: Int64
        let revision, attempt: Int
        let reason, trace: String
    }

    func run() async {
        while !Task.isCancelled {
            for archive in archives {
                do throws(PostgresError) {
                    for wanted in try await claim(archive.name) { try await fetch(wanted, from: archive) }
                } catch { log.failure("search failed", error, ["peer": "\(archive.name)"]) }
            }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    // MARK: - How much of a series there is

    /// Asks every archive; the largest answer counts. One that does not answer is left out.
    func countSeries(_ series: [CaseContent.Series]) async {
        for series in series {
            for archive in archives {
                guard let address = archive.address else { continue }
                let count = await Service.onThread { Self.count(series, at: address) }
                guard let count, count > 0 else { continue }
                do throws(PostgresError) {
                    try await pool.run { (connection) throws(PostgresError) in
                        _ = try connection.query(
                            SearchStatements.noteCount,
                            [.text(series.series), .integer(Int64(count)), .text(archive.name)])
                    }
                } catch { log.failure("count not kept", error) }
            }
        }
    }

    private static func count(_ series: CaseContent.Series, at peer: StoragePeer) -> Int? {
        var question = QueryIdentifier()
        question[.studyInstance] = series.study
        question[.seriesInstance] = series.series
        question.set(.seriesInstanceCount)
        let query = ArchiveQuery(peer: peer)
        // An archive that does not answer leaves the case as it would be without it.
        guard let found = try? query.find(.series, question), found.count == 1 else { return nil }
        if let stated = found[0][.seriesInstanceCount].flatMap({ Int($0) }) { return stated }
        question = QueryIdentifier()
        question[.studyInstance] = series.study
        question[.seriesInstance] = series.series
        question.set(.sopInstance)
        return (try? query.find(.image, question))?.count
    }

    // MARK: - What a case misses

    private func claim(_ archive: String) async throws(PostgresError) -> [Wanted] {
        try await pool.run { (connection) throws(PostgresError) in
            var wanted: [Wanted] = []
            let parameters: [Parameter] = [
                .text(archive), .double(Self.firstWaitSeconds), .integer(Int64(Self.attemptLimit)),
            ]
            for row in try connection.query(SearchStatements.claim, parameters) {
                wanted.append(
                    Wanted(
                        id: try row["case_id"], revision: try row["revision"], attempt: try row["attempt"],
                        reason: try row["reason"], trace: try row["trace"]))
            }
            return wanted
        }
    }

    private func fetch(_ wanted: Wanted, from archive: GatewayPeer) async throws(PostgresError) {
        guard let address = archive.address else { return }
        let held = try await heldSeries(wanted)
        let source = try await planarPath(wanted)
        let (title, isOfHeld) = (title, Self.reasonsOfHeld.contains(wanted.reason))
        let (way, intake) = (archive.retrieval, intake)
        let bring: @Sendable (ArchiveQuery, QueryIdentifier) throws(NetworkError) -> (sent: Int, failed: Int) = {
            (query, selection) throws(NetworkError) in
            switch way {
            case .move: try query.move(.series, selection, to: title)
            case .get: try query.get(.series, selection, into: intake, number: intake.nextOwnAssociation())
            }
        }
        let outcome = await Service.onThread { () -> String in
            guard let source, let planar = try? ObjectScanner().scan(path: source) else { return "no-source" }
            do throws(NetworkError) {
                let retrieval = Retrieval(peer: address, bring: bring, planar: planar)
                return try isOfHeld ? retrieval.fetch(held) : retrieval.fetchAnatomy()
            } catch { return "failed-\(error.code)" }
        }
        log.info(
            "archive asked",
            metadata: [
                "case": "\(wanted.id)", "trace": "\(wanted.trace)", "peer": "\(archive.name)", "outcome": "\(outcome)",
            ])
        try await pool.transaction { (transaction) throws(PostgresError) in
            _ = try transaction.query(
                SearchStatements.record,
                [.integer(wanted.id), .integer(Int64(wanted.revision)), .text(archive.name), .text(outcome)])
            try AuditTrail.write(
                .init(
                    actor: title, action: .queried, subject: "case/\(wanted.id)", peer: archive.name,
                    detail: ["outcome": outcome, "reason": wanted.reason]), transaction)
        }
    }

    private static let reasonsOfHeld = ["series-incomplete", "sources-purged", "ct-shorter-than-pt"]

    /// Series of which more is wanted; none when whole series are.
    private func heldSeries(_ wanted: Wanted) async throws(PostgresError) -> [CaseContent.Series] {
        guard Self.reasonsOfHeld.contains(wanted.reason) else { return [] }
        return try await pool.run { (connection) throws(PostgresError) in
            var series: [CaseContent.Series] = []
            for row in try connection.query(SearchStatements.series, [.integer(wanted.id), .text(wanted.reason)]) {
                series.append(
                    .init(
                        study: try row["study_instance_uid"], series: try row["series_instance_uid"],
                        modality: try row["modality"], count: 0))
            }
            return series
        }
    }

    private func planarPath(_ wanted: Wanted) async throws(PostgresError) -> String? {
        let store = store
        return try await pool.run { (connection) throws(PostgresError) in
            guard let row = try connection.query(SearchStatements.planar, [.integer(wanted.id)]).first else {
                return nil
            }
            return store.path(try row["file_name"])
        }
    }
}

extension NetworkError {
    /// A word without any text of the peer's.
    var code: String {
        switch self {
        case .connectFailed, .connectDeadline: "unreachable"
        case .associationRejected: "rejected"
        case .secureConnectionFailed: "not-secure"
        case .noAcceptedContext: "not-offered"
        case .refused(let status): "status-\(String(status, radix: 16))"
        case .tooManyAnswers: "too-many-answers"
        default: "broken-off"
        }
    }
}

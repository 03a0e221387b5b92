import Foundation
import Jobs
import Logging
import Postgres

/// Removes what nobody asks for any more: old jobs with their logs, answers to repetitions, and folders of attempts that
/// came too late.
struct Housekeeping: Sendable {
    static let period = Duration.seconds(3600)
    /// How long an answer is kept for a repetition.
    private static let repetitionTime = Duration.seconds(86_400)
    /// An attempt's folder is younger than this while its rows may still be on their way.
    private static let orphanAge: TimeInterval = 86_400

    let queue: JobQueue
    let store: ObjectStore
    let site: SiteSettings
    let log: Logger

    private static let repetitions = Statement(
        "idempotency_prune", "DELETE FROM idempotency WHERE created_at < now() - make_interval(secs => $1)")

    private static let folders = Statement(
        "result_folders",
        """
        SELECT folder FROM result WHERE folder = ANY ($1) UNION SELECT folder FROM dose_result WHERE folder = ANY ($1)
        UNION SELECT split_part(file_name, '/', 1) FROM model
        WHERE retired_at IS NULL AND split_part(file_name, '/', 1) = ANY ($1)
        """)

    private static let live = Statement(
        "result_live_attempts",
        "SELECT id, lease_token FROM job WHERE state = 'running' AND lease_token IS NOT NULL")

    /// Tidies until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await tidy()
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    func tidy() async {
        do {
            var pruned = 0
            while case let count = try await queue.prune(endedBefore: site.current.historyTime), count > 0 {
                pruned += count
            }
            try await queue.pool.run { (connection) throws(PostgresError) in
                _ = try connection.query(Self.repetitions, [.seconds(Self.repetitionTime)])
            }
            let retired = try await retireModels()
            let swept = try await sweepOrphans(now: Date()) + sweepTrainings()
            if pruned + swept + retired > 0 {
                log.info(
                    "tidied", metadata: ["jobs": "\(pruned)", "folders": "\(swept)", "models": "\(retired)"])
            }
        } catch { log.failure("tidying failed", error) }
    }

    /// Patients' models that no reconstruction has used for as long as the site keeps them. Their files go with the folders
    /// that nobody names any more.
    ///
    /// - Returns: how many went.
    func retireModels() async throws -> Int {
        let days = site.current.networks.keepDays
        return try await queue.pool.transaction { (transaction) throws(PostgresError) in
            let retired = try transaction.query(ModelStatements.retire, [.double(days * 86_400)]).count
            if retired > 0 {
                try AuditTrail.write(
                    .init(
                        actor: "retention", action: .modelsRetired, subject: "model", detail: ["count": "\(retired)"]),
                    transaction)
            }
            return retired
        }
    }

    private static let liveTrainings = Statement(
        "training_live",
        """
        SELECT DISTINCT key FROM job WHERE kind = $1 AND (state IN ('available', 'running', 'retryable')
          OR state = 'discarded' AND finished_at > now() - make_interval(days => 7))
        """)

    /// What trainings left that will not be gone on with: somebody may ask for one again that was given up.
    private func sweepTrainings() async throws -> Int {
        let live = try await queue.pool.run { (connection) throws(PostgresError) in
            var live: Set<String> = []
            for row in try connection.query(Self.liveTrainings, [.text(ModelAssembly.jobKind)]) {
                if let key: String = try row["key"] { live.insert(ModelJobs.workFolder(key: key)) }
            }
            return live
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: store.training)) ?? []
        let outdated = names.filter { !live.contains($0) }
        for name in outdated { try? FileManager.default.removeItem(atPath: "\(store.training)/\(name)") }
        return outdated.count
    }

    /// Folders that no result names and no running attempt writes to.
    ///
    /// - Returns: how many went.
    func sweepOrphans(now: Date) async throws -> Int {
        let old = Self.folders(in: store.results, olderThan: now.addingTimeInterval(-Self.orphanAge))
        guard !old.isEmpty else { return 0 }
        let kept = try await queue.pool.run { (connection) throws(PostgresError) in
            var kept: Set<String> = []
            for row in try connection.query(Self.folders, [.texts(old)]) { kept.insert(try row["folder"]) }
            for row in try connection.query(Self.live) {
                let (job, token): (Int64, Int64) = (try row["id"], try row["lease_token"])
                kept.insert("\(job)-\(token)")
            }
            return kept
        }
        let orphans = old.filter { !kept.contains($0) }
        for name in orphans {
            // What cannot be removed now is tried again in an hour.
            try? FileManager.default.removeItem(atPath: "\(store.results)/\(name)")
        }
        return orphans.count
    }

    /// Only names that this program gives: `JOB-TOKEN`.
    private static func folders(in path: String, olderThan limit: Date) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { name in
            guard name.wholeMatch(of: #/\d+-\d+/#) != nil,
                let facts = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)"),
                let changed = facts[.modificationDate] as? Date
            else { return false }
            return changed < limit
        }
    }
}

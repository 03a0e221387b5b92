import DICOM
import Foundation
import Glibc
import Logging
import Postgres

/// Sends the audit's rows to a repository, in order. Rows wait as long as the repository is away.
struct AuditForwarding: Sendable {
    static let period = Duration.seconds(5)
    static let batchLimit = 200

    let pool: Pool
    let receiver: AuditReceiver
    let log: Logger

    private static let unsent = Statement(
        "audit_unsent",
        """
        SELECT id, actor, action, subject, detail, peer, outcome,
               to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time
        FROM audit WHERE sent_at IS NULL ORDER BY id LIMIT $1
        """)

    private static let mark = Statement(
        "audit_mark", "UPDATE audit SET sent_at = now() WHERE id = ANY ($1) AND sent_at IS NULL")

    func run() async {
        var isAway = false
        while !Task.isCancelled {
            do {
                while try await forward() == Self.batchLimit {}
                isAway = false
            } catch {
                // Said once: the rows stay, and so does the reason.
                if !isAway { log.failure("audit not forwarded", error) }
                isAway = true
            }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    /// - Returns: how many rows went out.
    func forward() async throws -> Int {
        let messages = try await unsent()
        guard !messages.isEmpty else { return 0 }
        let frames = messages.flatMap { $0.frame(host: ProcessInfo.processInfo.hostName, process: getpid()) }
        let transport = receiver.transport
        try await Service.onThread { () throws(NetworkError) in try transport.send(frames) }
        let ids = messages.map(\.id)
        try await pool.run { (connection) throws(PostgresError) in
            _ = try connection.query(Self.mark, [.integers(ids)])
        }
        return messages.count
    }

    private func unsent() async throws(PostgresError) -> [AuditMessage] {
        try await pool.run { (connection) throws(PostgresError) in
            var messages: [AuditMessage] = []
            for row in try connection.query(Self.unsent, [.integer(Int64(Self.batchLimit))]) {
                let detail: String = try row["detail"]
                messages.append(
                    AuditMessage(
                        id: try row["id"], time: try row["time"], actor: try row["actor"], action: try row["action"],
                        subject: try row["subject"], peer: try row["peer"], outcome: try row["outcome"],
                        detail: JSONText.decode([String: String].self, from: detail) ?? [:]))
            }
            return messages
        }
    }
}

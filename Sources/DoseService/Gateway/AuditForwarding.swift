import Foundation
import Glibc
import Logging
import Postgres

/// Sends the audit's rows to a repository, in order. Rows wait as long as the repository is away.
struct AuditForwarding: Sendable {
    static let period = Duration.seconds(5)
    static let batchLimit = 200
    static let deadlineSeconds = 10

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
                if !isAway { log.error("audit not forwarded", metadata: ["error": "\(error)"]) }
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
        let (host, port) = (receiver.host, receiver.port)
        try await Service.onThread { () throws(DurableFile.Failure) in try Self.send(frames, to: host, port) }
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

    /// Sends over a connection of its own and waits until the other side has taken everything and closed: what a
    /// repository that breaks off has not read is sent again.
    private static func send(_ bytes: [UInt8], to host: String, _ port: UInt16) throws(DurableFile.Failure) {
        let descriptor = try connected(host, port)
        defer { close(descriptor) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw .init(operation: "audit-send", errno: errno) }
            sent += count
        }
        shutdown(descriptor, Int32(SHUT_WR))
        var answer = [UInt8](repeating: 0, count: 512)
        while true {
            let count = recv(descriptor, &answer, answer.count, 0)
            if count == 0 { return }
            guard count > 0 else { throw .init(operation: "audit-end", errno: errno) }
        }
    }

    private static func connected(_ host: String, _ port: UInt16) throws(DurableFile.Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let lookup = getaddrinfo(host, String(port), &hints, &found)
        guard lookup == 0, let first = found else { throw .init(operation: "audit-name", errno: lookup) }
        defer { freeaddrinfo(first) }
        let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype | closeOnExec, 0)
        guard descriptor >= 0 else { throw .init(operation: "audit-socket", errno: errno) }
        var limit = timeval(tv_sec: deadlineSeconds, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            let code = errno
            close(descriptor)
            throw .init(operation: "audit-connect", errno: code)
        }
        return descriptor
    }
}

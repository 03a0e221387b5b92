package import DICOM
import Dispatch
import Logging
import Postgres

/// Sends results to the archives, one association for what is due at a destination, and looks at the status of each
/// instance.
///
/// What fails for a while waits twice as long each time; what a retry cannot mend is refused and blocks nothing.
/// Objects keep their UIDs, so that sending one again after a crash stores it once.
package struct ExportOutbox: Sendable {
    /// The wait after the first failure; it doubles.
    package static let firstWaitSeconds = 30.0
    package static let attemptLimit = 10
    static let period = Duration.seconds(1)
    /// A sender that has said nothing for so long is taken to be dead.
    static let sendingSeconds = 60.0
    static let renewalPeriod = Duration.seconds(15)
    static let batchLimit = 50

    let pool: Pool
    let store: ObjectStore
    let site: SiteSettings
    /// The name of this service, which at most one process has at a time.
    let owner: String
    let log: Logger

    struct Item: Equatable, Sendable {
        let id: Int64
        let attempt: Int
        let path: String
        let dosecase: Int64
        let trace: String
    }

    /// Sends until the task is cancelled; a slow destination delays no other.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var known: Set<String> = []
            while !Task.isCancelled {
                for name in destinations.map(\.name) where known.insert(name).inserted {
                    group.addTask { await serve(name) }
                }
                // Cancelled meanwhile: the loop's condition ends it.
                try? await Task.sleep(for: Self.period)
            }
        }
    }

    private var destinations: [ServiceSettings.Destination] { site.current.destinations }

    /// Serves a destination as it is configured now; one that is no longer waits until it is again.
    private func serve(_ name: String) async {
        await takeBack(name)
        while !Task.isCancelled {
            var sent = 0
            if let destination = destinations.first(where: { $0.name == name }) {
                sent = await sendDue(to: destination)
                await confirmDue(at: destination)
            }
            // Cancelled meanwhile: the loop's condition ends it.
            if sent == 0 { try? await Task.sleep(for: Self.period) }
        }
    }

    /// - Returns: how many objects were tried.
    func sendDue(to destination: ServiceSettings.Destination) async -> Int {
        do {
            let items = try await claim(destination.name)
            guard !items.isEmpty else { return 0 }
            let outcomes = await send(items, to: destination.peer)
            for (item, outcome) in zip(items, outcomes) {
                try await record(outcome, of: item, sentTo: destination)
            }
            return items.count
        } catch {
            log.failure("export failed", error, ["destination": "\(destination.name)"])
            return 0
        }
    }

    private func confirmDue(at destination: ServiceSettings.Destination) async {
        do {
            switch destination.verification {
            case .none: break
            case .query:
                _ = try await ExportConfirmation(pool: pool, store: store, trusted: trusted, log: log).confirmDue(
                    at: destination)
            case .commitment:
                _ = try await ExportCommitment(pool: pool, store: store, trusted: trusted, log: log).askDue(
                    at: destination)
            }
        } catch { log.failure("exports not confirmed", error, ["destination": "\(destination.name)"]) }
    }

    /// The destinations whose Success is taken for delivery.
    private var trusted: [String] { destinations.filter { $0.verification == .none }.map(\.name) }

    /// What this service was sending when it died.
    private func takeBack(_ destination: String) async {
        let parameters: [Parameter] = [.text(owner), .text(destination)]
        do {
            try await pool.run { (connection) throws(PostgresError) in
                _ = try connection.query(ExportStatements.takeBack, parameters)
            }
        } catch { log.failure("export not taken back", error, ["destination": "\(destination)"]) }
    }

    /// Sends, and holds on to the items as long as that takes.
    private func send(_ items: [Item], to peer: StoragePeer) async -> [SendOutcome] {
        await withTaskGroup(of: [SendOutcome]?.self) { group in
            group.addTask { await Self.send(items.map(\.path), to: peer) }
            group.addTask {
                while !Task.isCancelled {
                    // Cancelled when all is sent.
                    guard (try? await Task.sleep(for: Self.renewalPeriod)) != nil else { break }
                    await renew(items)
                }
                return nil
            }
            while let finished = await group.next() {
                if let outcomes = finished {
                    group.cancelAll()
                    return outcomes
                }
            }
            return []
        }
    }

    private func renew(_ items: [Item]) async {
        let parameters: [Parameter] = [.integers(items.map(\.id)), .text(owner), .double(Self.sendingSeconds)]
        do {
            try await pool.run { (connection) throws(PostgresError) in
                _ = try connection.query(ExportStatements.renew, parameters)
            }
        } catch { log.failure("export not renewed", error) }
    }

    /// Sending blocks: it has a thread of its own.
    private static func send(_ paths: [String], to peer: StoragePeer) async -> [SendOutcome] {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "export").async {
                do throws(NetworkError) {
                    continuation.resume(returning: try StorageSender(peer: peer).send(paths))
                } catch {
                    continuation.resume(returning: paths.map { _ in .notSent(error) })
                }
            }
        }
    }

    private func claim(_ destination: String) async throws(PostgresError) -> [Item] {
        let (store, owner) = (store, owner)
        return try await pool.run { (connection) throws(PostgresError) in
            let rows = try connection.query(
                ExportStatements.claim,
                [
                    .text(destination), .integer(Int64(Self.batchLimit)), .double(Self.sendingSeconds), .text(owner),
                ])
            var items: [Item] = []
            for row in rows {
                let name: String = try row["file_name"]
                items.append(
                    Item(
                        id: try row["id"], attempt: try row["attempt"], path: "\(store.results)/\(name)",
                        dosecase: try row["case_id"], trace: try row["trace"]))
            }
            return items.sorted { $0.id < $1.id }
        }
    }

    /// What becomes of an object after an attempt.
    package enum Verdict: Equatable {
        case stored(status: Int)
        case again(afterSeconds: Double, status: Int?, reason: String)
        case refused(status: Int?, reason: String)

        fileprivate var fields: Logger.Metadata {
            var fields: Logger.Metadata = ["verdict": "\(LogWord.of(self))"]
            switch self {
            case .stored(let status): fields["status"] = "\(LogWord.status(status))"
            case .again(let seconds, let status, let reason):
                (fields["again_after_seconds"], fields["reason"]) = ("\(Int(seconds))", "\(reason)")
                if let status { fields["status"] = "\(LogWord.status(status))" }
            case .refused(let status, let reason):
                fields["reason"] = "\(reason)"
                if let status { fields["status"] = "\(LogWord.status(status))" }
            }
            return fields
        }
    }

    package static func verdict(_ outcome: SendOutcome, attempt: Int) -> Verdict {
        let wait = firstWaitSeconds * Double(1 << min(attempt - 1, 20))
        let isLast = attempt >= attemptLimit
        switch outcome {
        case .answered(let response) where response.isStored: return .stored(status: Int(response.status))
        case .answered(let response):
            let status = Int(response.status)
            return FailurePolicy.isTransient(status: response.status) && !isLast
                ? .again(afterSeconds: wait, status: status, reason: "status")
                : .refused(status: status, reason: "status")
        case .notSent(let error):
            guard FailurePolicy.isTransient(error) else { return .refused(status: nil, reason: "no-accepted-context") }
            return isLast
                ? .refused(status: nil, reason: "attempts-spent")
                : .again(afterSeconds: wait, status: nil, reason: "not-sent")
        case .unreadable: return .refused(status: nil, reason: "file-unreadable")
        }
    }

    private func record(
        _ outcome: SendOutcome, of item: Item, sentTo destination: ServiceSettings.Destination
    ) async throws(PostgresError) {
        let verdict = Self.verdict(outcome, attempt: item.attempt)
        log.info(
            "export",
            metadata: [
                "item": "\(item.id)", "case": "\(item.dosecase)", "trace": "\(item.trace)",
                "destination": "\(destination.name)", "attempt": "\(item.attempt)",
            ].merging(verdict.fields) { $1 })
        let parameters: [Parameter] =
            switch verdict {
            case .stored(let status): [.text("stored"), .integer(Int64(status)), .null, .double(0)]
            case .again(let seconds, let status, let reason):
                [.text("pending"), .optional(status.map(Int64.init)), .text(reason), .double(seconds)]
            case .refused(let status, let reason):
                [.text("refused"), .optional(status.map(Int64.init)), .text(reason), .double(0)]
            }
        let trusted = trusted
        try await pool.transaction { (transaction) throws(PostgresError) in
            _ = try transaction.query(
                ExportStatements.record, [.integer(item.id), .integer(Int64(item.attempt))] + parameters)
            _ = try transaction.query(ExportStatements.closeCase, [.integer(item.id), .texts(trusted)])
            _ = try transaction.query(CycleStatements.close, [.integer(item.id), .texts(trusted)])
            if let event = Self.event(verdict, of: item, sentTo: destination) {
                try AuditTrail.write(event, transaction)
            }
        }
    }

    /// What the audit says of an attempt that ended for good.
    private static func event(
        _ verdict: Verdict, of item: Item, sentTo destination: ServiceSettings.Destination
    ) -> AuditTrail.Event? {
        switch verdict {
        case .stored:
            .init(
                actor: destination.peer.callingTitle, action: .exportStored, subject: "export/\(item.id)",
                peer: destination.peer.host)
        case .again: nil
        case .refused(_, let reason):
            .init(
                actor: destination.peer.callingTitle, action: .exportRefused, subject: "export/\(item.id)",
                peer: destination.peer.host, outcome: 8, detail: ["reason": reason])
        }
    }
}

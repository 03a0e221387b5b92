import DICOM
import Glibc
import Logging
import Postgres
import Synchronization

/// What happens to an object that a peer sends: written, looked through to its last element, named, made durable,
/// indexed, and only then acknowledged.
final class Intake: StorageHandler {
    private let store: ObjectStore
    private let index: InstanceIndex
    private let arrivals: Arrivals
    private let traces = AssociationTraces()
    private let watch = RowWatch()
    private let rejections = RejectionWatch()
    private let site: SiteSettings
    private let log: Logger
    let scanner = ObjectScanner()
    private let sequence = Atomic<Int>(0)

    init(store: ObjectStore, pool: Pool, receiver: String, site: SiteSettings, log: Logger) {
        (self.store, self.index, self.site, self.log) = (store, InstanceIndex(pool: pool), site, log)
        arrivals = Arrivals(pool: pool, receiver: receiver)
    }

    private var settings: ServiceSettings { site.current }

    func admit(_ request: AssociationRequest) -> AssociationDecision {
        guard store.freeBytes() > settings.diskReserveBytes else {
            log.error("disk reserve reached")
            return .reject(.temporaryCongestion)
        }
        return .admit
    }

    /// A number for an association that we open to fetch something: below those of the listener.
    func nextOwnAssociation() -> Int { -sequence.add(1, ordering: .relaxed).newValue }

    func temporaryFile(for object: IncomingObject) -> TemporaryFileDecision {
        guard store.freeBytes() > settings.diskReserveBytes else {
            return .refuse(.outOfResources(comment: "disk reserve reached"))
        }
        let number = sequence.add(1, ordering: .relaxed).newValue
        return .receive(path: "\(store.incoming)/\(object.associationNumber)-\(number).part")
    }

    func received(_ file: ReceivedFile) -> StoreStatus {
        let scanned: ScannedObject
        do { scanned = try scanner.scan(file) } catch {
            return refused(FailurePolicy.storeStatus(error), file)
        }
        do {
            let object = file.object
            let status = try keep(
                scanned, at: file.path, from: object.callingTitle, trace: traces.trace(of: object.associationNumber),
                peer: object.peerAddress, association: object.associationNumber)
            return status == .success ? status : refused(status, file)
        } catch { return refused(FailurePolicy.storeStatus(error), file) }
    }

    /// Names a scanned file, makes it durable and indexes it; the other half of every way in.
    ///
    /// - Parameters:
    ///   - trace: of whoever brings the object.
    ///   - association: that brings the object; nil for one that came alone by another way.
    func keep(
        _ scanned: ScannedObject, at path: String, from sender: String, trace: String, peer: String? = nil,
        association: Int? = nil
    ) throws -> StoreStatus {
        let name = store.name(of: scanned.sopInstance.description)
        switch try store.place(path, as: name, isSame: StoredObjectComparison.isSame) {
        case .placed, .alreadyThere: break
        case .conflict:
            try index.audit(
                .init(
                    actor: sender, action: .instanceConflict, subject: "instance/\(scanned.sopInstance.description)",
                    peer: peer, outcome: 4))
            guard settings.acknowledgesConflicts else { return FailurePolicy.duplicateStatus }
            unlink(path)
            return .success
        }
        let patient = PatientIdentity.key(scanned)
        if let association { try arrivals.bring(patient, association: association) }
        try index.insert(scanned, fileName: name, patientKey: patient, callingTitle: sender, trace: trace)
        watch.note(scanned.sopInstance.description, fileName: name)
        if association == nil { try arrivals.note([patient]) }
        return .success
    }

    func committed(_ report: CommitmentReport, from request: AssociationRequest) -> StoreStatus {
        do throws(PostgresError) {
            let trusted = settings.destinations.filter { $0.verification == .none }.map(\.name)
            let settled = try index.withTransaction { (transaction) throws(PostgresError) in
                try ExportCommitment.take(report, trusted: trusted, transaction)
            }
            ExportCommitment.tell(settled, log)
            return settled == nil ? .unknownTransaction : .success
        } catch { return .refused(code: 0x0110, comment: "not recorded") }
    }

    func ended(_ association: EndedAssociation) {
        // When the database does not answer it is told with the next renewal.
        try? arrivals.end(association: association.request.number)
        if association.storedCount + association.refusedCount > 0 || association.getsNothing { audit(association) }
        log.log(
            level: association.getsNothing ? .warning : .info, "association ended",
            metadata: [
                "association": "\(association.request.number)", "peer": "\(association.request.peerAddress)",
                "calling": "\(association.request.callingTitle)",
                "trace": "\(traces.end(association.request.number))", "end": "\(LogWord.of(association.reason))",
                "stored": "\(association.storedCount)",
                "refused": "\(association.refusedCount)",
                "classes_refused": "\(Self.names(of: association))",
            ])
    }

    /// A scanner that is set up wrongly is seen here first: which title from where, and what it was told.
    func rejected(_ request: AssociationRequest?, from peerAddress: String, _ rejection: AssociationRejection) {
        let (calling, called) = (request?.callingTitle ?? "", request?.calledTitle ?? "")
        // The caller only hears that it is not known; here is said that its title is, from other addresses.
        let isKnown = settings.peers.contains { $0.mayCall && $0.title == calling }
        let reason =
            rejection == .callingTitleNotRecognized && isKnown ? "calling-address-not-allowed" : rejection.word
        log.warning(
            "association refused",
            metadata: [
                "peer": "\(peerAddress)", "calling": "\(calling)", "called": "\(called)", "reason": "\(reason)",
            ])
        let kind = "\(peerAddress) \(calling) \(reason)"
        var event = AuditTrail.Event(
            actor: calling, action: .associationRefused, subject: "association", peer: peerAddress, outcome: 4,
            detail: ["reason": reason, "called": called])
        switch rejections.look(kind) {
        case .known: return
        case .new: break
        case .flood: event.detail = ["reason": "flood"]
        }
        if !write(event) { rejections.forget(kind) }
    }

    /// The classes that a peer proposed and does not get, sorted. Some propose every class there is.
    private static func names(of association: EndedAssociation) -> String {
        let names = Set(association.refusedClasses.map(\.description)).sorted()
        let more = names.count > namedClasses ? ["and \(names.count - namedClasses) more"] : []
        return (names.prefix(namedClasses) + more).joined(separator: " ")
    }

    private static let namedClasses = 8

    private func audit(_ association: EndedAssociation) {
        let detail = [
            "stored": "\(association.storedCount)", "refused": "\(association.refusedCount)",
            "end": LogWord.of(association.reason), "classes_refused": Self.names(of: association),
        ]
        let isWhole = association.refusedCount == 0 && !association.getsNothing
        write(
            .init(
                actor: association.request.callingTitle, action: .associationEnded,
                subject: "association/\(association.request.number)", peer: association.request.peerAddress,
                outcome: isWhole ? 0 : 4, detail: detail))
    }

    @discardableResult
    private func write(_ event: AuditTrail.Event) -> Bool {
        do throws(PostgresError) {
            try index.audit(event)
            return true
        } catch {
            log.failure("audit row not written", error)
            return false
        }
    }

    /// Rows for files that have none: the service ended between the file and its row.
    ///
    /// - Returns: how many rows were made, and how many files were put aside because they are not whole.
    func reconcile() throws(PostgresError) -> (indexed: Int, rejected: Int) {
        try arrivals.forgetFormerLife()
        return try reconcileAll()
    }

    /// Keeps what the database knows of this service true: that it lives, what it receives, what it has received.
    func keepUp() async {
        while !Task.isCancelled {
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Arrivals.renewalPeriod / 3)
            await Service.onThread { self.keepUpOnce() }
        }
    }

    private func keepUpOnce() {
        do throws(PostgresError) {
            try arrivals.keepAlive()
            let counts: (indexed: Int, rejected: Int)
            switch try index.look(watch) {
            case .missing([]): return
            case .missing(let names): counts = try reindex(names)
            case .unknown: counts = try reconcileAll()
            }
            log.warning("rows made anew", metadata: ["indexed": "\(counts.indexed)", "rejected": "\(counts.rejected)"])
        } catch { log.failure("keeping up failed", error) }
    }

    private func reconcileAll() throws(PostgresError) -> (indexed: Int, rejected: Int) {
        let known = try index.knownNames()
        return try reindex(store.names().filter { !known.contains($0) })
    }

    private func reindex(_ names: [String]) throws(PostgresError) -> (indexed: Int, rejected: Int) {
        var counts = (indexed: 0, rejected: 0)
        var patients: Set<String> = []
        for name in names {
            let scanned: ScannedObject
            do throws(ScanError) { scanned = try scanner.scan(path: store.path(name)) } catch {
                store.putAside(name)
                counts.rejected += 1
                continue
            }
            let patient = PatientIdentity.key(scanned)
            try index.insert(scanned, fileName: name, patientKey: patient, callingTitle: nil, trace: nil)
            watch.note(scanned.sopInstance.description, fileName: name)
            patients.insert(patient)
            counts.indexed += 1
        }
        try arrivals.note(patients)
        return counts
    }

    private func refused(_ status: StoreStatus, _ file: ReceivedFile) -> StoreStatus {
        log.warning(
            "object refused",
            metadata: [
                "association": "\(file.object.associationNumber)",
                "trace": "\(traces.trace(of: file.object.associationNumber))",
                "status": "\(LogWord.status(status.code))",
                "reason": "\(status.comment)",
            ])
        return status
    }
}

extension ObjectStore {
    /// Moves a file that cannot be used out of the way, for a person to look at.
    func putAside(_ name: String) {
        let flat = name.split(separator: "/").last.map(String.init) ?? "file"
        _ = rename(path(name), "\(rejected)/\(flat)")
    }
}

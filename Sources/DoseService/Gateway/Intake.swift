import DICOM
import Glibc
import Logging
import Postgres
import Synchronization

/// What happens to an object that a peer sends: written, looked through to its last element, named, made durable, indexed,
/// and only then acknowledged.
final class Intake: StorageHandler {
    private let store: ObjectStore
    private let index: InstanceIndex
    private let settings: ServiceSettings
    private let log: Logger
    let scanner = ObjectScanner()
    private let sequence = Atomic<Int>(0)

    init(store: ObjectStore, index: InstanceIndex, settings: ServiceSettings, log: Logger) {
        (self.store, self.index, self.settings, self.log) = (store, index, settings, log)
    }

    func admit(_ request: AssociationRequest) -> AssociationDecision {
        guard store.freeBytes() > settings.diskReserveBytes else {
            log.error("association refused", metadata: ["reason": "disk-reserve"])
            return .reject(.temporaryCongestion)
        }
        return .admit
    }

    func temporaryFile(for object: IncomingObject) -> TemporaryFileDecision {
        let number = sequence.add(1, ordering: .relaxed).newValue
        return .receive(path: "\(store.incoming)/\(object.associationNumber)-\(number).part")
    }

    func received(_ file: ReceivedFile) -> StoreStatus {
        let scanned: ScannedObject
        do { scanned = try scanner.scan(file) } catch {
            return refused(FailurePolicy.storeStatus(error), file)
        }
        do {
            let status = try keep(scanned, at: file.path, from: file.object.callingTitle)
            return status == .success ? status : refused(status, file)
        } catch { return refused(FailurePolicy.storeStatus(error), file) }
    }

    /// Names a scanned file, makes it durable and indexes it; the other half of every way in.
    func keep(_ scanned: ScannedObject, at path: String, from sender: String) throws -> StoreStatus {
        let name = store.name(of: scanned.sopInstance.description)
        switch try store.place(path, as: name) {
        case .placed, .alreadyThere: break
        case .conflict:
            try index.audit(actor: sender, action: "instance-conflict", subject: scanned.sopInstance.description)
            return FailurePolicy.duplicateStatus
        }
        try index.insert(scanned, fileName: name, callingTitle: sender)
        return .success
    }

    func ended(_ association: EndedAssociation) {
        log.info(
            "association ended",
            metadata: [
                "association": "\(association.request.number)", "peer": "\(association.request.peerAddress)",
                "end": "\(association.reason)", "stored": "\(association.storedCount)",
                "refused": "\(association.refusedCount)",
            ])
    }

    /// Rows for files that have none: the service ended between the file and its row.
    ///
    /// - Returns: how many rows were made, and how many files were put aside because they are not whole.
    func reconcile() throws(PostgresError) -> (indexed: Int, rejected: Int) {
        let known = try index.knownNames()
        var counts = (indexed: 0, rejected: 0)
        for name in store.names() where !known.contains(name) {
            let scanned: ScannedObject
            do throws(ScanError) { scanned = try scanner.scan(path: store.path(name)) } catch {
                store.putAside(name)
                counts.rejected += 1
                continue
            }
            try index.insert(scanned, fileName: name, callingTitle: nil)
            counts.indexed += 1
        }
        return counts
    }

    private func refused(_ status: StoreStatus, _ file: ReceivedFile) -> StoreStatus {
        log.warning(
            "object refused",
            metadata: [
                "association": "\(file.object.associationNumber)", "status": "\(String(status.code, radix: 16))",
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

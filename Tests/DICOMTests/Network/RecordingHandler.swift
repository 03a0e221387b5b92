import DICOM
import Synchronization

/// Keeps every object in a folder and remembers what it was told.
final class RecordingHandler: StorageHandler {
    struct Record {
        var requests: [AssociationRequest] = []
        var announced: [IncomingObject] = []
        var files: [ReceivedFile] = []
        var reports: [CommitmentReport] = []
        var ended: [EndedAssociation] = []
        var fileCount = 0
    }

    let folder: ScratchFolder
    private let record = Mutex(Record())
    private let status: StoreStatus
    private let decision: AssociationDecision
    private let refusal: StoreStatus?

    init(
        folder: ScratchFolder, status: StoreStatus = .success, decision: AssociationDecision = .admit,
        refusal: StoreStatus? = nil
    ) {
        self.folder = folder
        self.status = status
        self.decision = decision
        self.refusal = refusal
    }

    var seen: Record { record.withLock { $0 } }

    func admit(_ request: AssociationRequest) -> AssociationDecision {
        record.withLock { $0.requests.append(request) }
        return decision
    }

    func temporaryFile(for object: IncomingObject) -> TemporaryFileDecision {
        if let refusal { return .refuse(refusal) }
        let number = record.withLock { record in
            record.announced.append(object)
            record.fileCount += 1
            return record.fileCount
        }
        return .receive(path: "\(folder.path)/\(number).part")
    }

    func received(_ file: ReceivedFile) -> StoreStatus {
        record.withLock { $0.files.append(file) }
        return status
    }

    func committed(_ report: CommitmentReport, from request: AssociationRequest) -> StoreStatus {
        record.withLock { $0.reports.append(report) }
        return status
    }

    func ended(_ association: EndedAssociation) {
        record.withLock { $0.ended.append(association) }
    }
}

/// A listener on a free port of this machine with a recording handler.
final class ListenerFixture {
    let folder: ScratchFolder
    let handler: RecordingHandler
    let listener: StorageListener
    let port: UInt16

    init(
        status: StoreStatus = .success, decision: AssociationDecision = .admit, refusal: StoreStatus? = nil,
        in folder: ScratchFolder? = nil, _ adjust: (inout ListenerConfiguration) -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? ScratchFolder()
        handler = RecordingHandler(folder: self.folder, status: status, decision: decision, refusal: refusal)
        var configuration = ListenerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.port = 0
        adjust(&configuration)
        listener = StorageListener(configuration: configuration, handler: handler)
        port = try listener.start()
    }

    deinit {
        listener.stop()
    }

    func echo(_ extra: [String] = []) throws -> CommandLineTool {
        try CommandLineTool("echoscu", ["-to", "30", "-ta", "30", "-td", "30"] + extra + ["127.0.0.1", String(port)])
    }

    func store(_ files: [String], _ extra: [String] = []) throws -> CommandLineTool {
        try CommandLineTool(
            "storescu",
            ["-v", "-R", "-to", "30", "-ta", "30", "-td", "30"] + extra + ["127.0.0.1", String(port)] + files)
    }
}

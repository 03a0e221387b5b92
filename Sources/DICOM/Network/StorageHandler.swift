/// What a site does with associations and objects.
///
/// The calls of one association come in order on that association's thread; those of several come at the same time. A
/// call may block, but the peer waits meanwhile.
public protocol StorageHandler: Sendable {
    func admit(_ request: AssociationRequest) -> AssociationDecision

    /// Where the object that is about to come shall be written. The file must not exist yet.
    func temporaryFile(for object: IncomingObject) -> TemporaryFileDecision

    /// Judges an object whose bytes are all written (but not yet flushed to the disk). On success the file is the
    /// handler's; on any other status the listener deletes it. The status goes back to the peer.
    func received(_ file: ReceivedFile) -> StoreStatus

    /// Takes what an archive says that it has committed itself to keep, on an association that it has opened.
    func committed(_ report: CommitmentReport, from request: AssociationRequest) -> StoreStatus

    func ended(_ association: EndedAssociation)

    /// Told of an association that was answered A-ASSOCIATE-RJ.
    ///
    /// - Parameter request: nil when its titles, version or application context cannot be used.
    func rejected(_ request: AssociationRequest?, from peerAddress: String, _ rejection: AssociationRejection)
}

extension StorageHandler {
    /// 0115, invalid argument: whoever asks for no commitment knows no transaction.
    public func committed(_ report: CommitmentReport, from request: AssociationRequest) -> StoreStatus {
        .unknownTransaction
    }

    public func rejected(
        _ request: AssociationRequest?, from peerAddress: String, _ rejection: AssociationRejection
    ) {}
}

extension StoreStatus {
    /// - Source: DICOM PS3.7 annex C, status 0115.
    public static let unknownTransaction = StoreStatus.refused(code: 0x0115, comment: "unknown transaction")
}

/// An object that a C-STORE request announces.
///
/// Everything here comes from the peer; the identifiers are well formed but not yet compared with the dataset.
public struct IncomingObject: Equatable, Sendable {
    public let associationNumber: Int
    public let callingTitle: String
    public let calledTitle: String
    public let peerAddress: String
    public let sopClass: UID
    public let sopInstance: UID
    public let transferSyntax: UID
}

/// An object on disk whose dataset nobody has looked at yet; ``ObjectScanner`` makes a ``ScannedObject`` of it.
public struct ReceivedFile: Equatable, Sendable {
    public let path: String
    public let object: IncomingObject
    /// Length of the whole file, meta header included.
    public let byteCount: Int
    /// The file's first bytes, so that whoever looks through it need not fetch from the disk what was just written.
    let beginning: [UInt8]

    /// Holds all that stands before an image's pixel data, as a rule.
    static let beginningByteCount = 64 * 1024
}

public enum TemporaryFileDecision: Equatable, Sendable {
    case receive(path: String)
    case refuse(StoreStatus)
}

/// The answer to a C-STORE request.
///
/// - Source: DICOM PS3.4 table B.2-1.
public enum StoreStatus: Equatable, Sendable {
    case success
    /// A700: worth another try later.
    case outOfResources(comment: String)
    /// A900: the dataset does not match its SOP class or its command.
    case dataSetMismatch(comment: String)
    /// C000: the dataset cannot be read.
    case cannotUnderstand(comment: String)
    /// Another failure status of PS3.7 annex C or PS3.4.
    case refused(code: UInt16, comment: String)

    public var code: UInt16 {
        switch self {
        case .success: 0x0000
        case .outOfResources: 0xA700
        case .dataSetMismatch: 0xA900
        case .cannotUnderstand: 0xC000
        case .refused(let code, _): code
        }
    }

    public var comment: String {
        switch self {
        case .success: ""
        case .outOfResources(let comment), .dataSetMismatch(let comment), .cannotUnderstand(let comment),
            .refused(_, let comment):
            comment
        }
    }
}

public struct EndedAssociation: Equatable, Sendable {
    public let request: AssociationRequest
    public let reason: AssociationEnd
    public let storedCount: Int
    public let refusedCount: Int
    /// Classes that were proposed and accepted in no context.
    public let refusedClasses: [UID]
    /// Not one context was accepted.
    public let getsNothing: Bool
}

public enum AssociationEnd: Equatable, Sendable {
    case released
    /// By the peer, with A-ABORT.
    case aborted
    case connectionClosed
    case deadlinePassed
    case protocolViolation
    /// By ``StorageListener/stop()`` or at the end of a drain.
    case stopped
    case failed
}

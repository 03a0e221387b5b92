/// An association as its requestor proposed it, checked in structure but not yet admitted.
public struct AssociationRequest: Equatable, Sendable {
    /// Counts associations of one listener from 1; it is the only name an association has in logs.
    public let number: Int
    public let callingTitle: String
    public let calledTitle: String
    /// The peer's numeric address, without its port.
    public let peerAddress: String
    public let contexts: [ProposedContext]
}

/// One presentation context of an association request.
public struct ProposedContext: Equatable, Sendable {
    public let identifier: UInt8
    public let abstractSyntax: UID
    public let transferSyntaxes: [UID]
    /// The requestor wants to be the provider of the class, as an archive does that reports.
    ///
    /// - Source: DICOM PS3.7 annex D.3.3.4, SCP/SCU Role Selection.
    public var requestorProvides = false
}

/// Whether an association is wanted now.
public enum AssociationDecision: Equatable, Sendable {
    case admit
    case reject(AssociationRejection)
}

/// What is wrong with an A-ASSOCIATE-RQ.
enum AssociationRequestFault: Error, Equatable {
    /// The lengths of its items do not add up, or an item that must be there is not.
    case malformed
    case unsupported(AssociationRejection)
}

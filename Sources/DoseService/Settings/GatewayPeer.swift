public import DICOM

/// An application that the service knows: who it is, from where it may call, and what it is asked for.
public struct GatewayPeer: Equatable, Sendable {
    /// How an archive is made to say that it has an object.
    public enum Verification: String, CaseIterable, Sendable {
        /// It is asked for the object (C-FIND) before the object counts as delivered.
        case query
        /// It is asked to commit itself to keep the object (storage commitment), and its report counts.
        case commitment
        /// Its Success counts.
        case none
    }

    /// How an archive is made to send what a case misses.
    public enum Retrieval: String, CaseIterable, Sendable {
        /// It calls us (C-MOVE), by a title that it knows.
        case move
        /// It answers on our association (C-GET).
        case get
    }

    public var name: String
    public var title: String
    /// Where it listens; nil for one that only calls.
    public var address: StoragePeer?
    /// From where it may call; none means from anywhere.
    public var callsFrom: [AddressRange] = []
    public var mayCall = true
    /// Results that go there, by their names.
    public var outputs: [String] = []
    public var verification = Verification.query
    /// Whether it is asked for what a case misses, and how many instances a series has.
    public var isAsked = false
    public var retrieval = Retrieval.move

    public init(name: String, title: String) { (self.name, self.title) = (name, title) }
}

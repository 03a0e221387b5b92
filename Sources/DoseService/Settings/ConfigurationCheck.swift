import DICOM

/// Everything that can be said of a site's configuration before a service runs on it.
public struct ConfigurationCheck: Codable, Equatable, Sendable {
    /// How a peer answers C-ECHO.
    public struct PeerAnswer: Codable, Equatable, Sendable {
        public let name: String
        /// `ok`, or why it does not answer.
        public let echo: String
        /// `ok`, or why it does not answer queries; nil for a peer that is not asked any.
        public let query: String?
    }

    /// What a file was taken for.
    public enum Kind: String, Codable, Sendable {
        case configuration, camera
    }

    public let kind: Kind
    public internal(set) var file: String?
    public let problems: [ConfigurationProblem]
    /// What can be used and is probably not meant so.
    public let warnings: [ConfigurationProblem]
    public let peers: [PeerAnswer]

    public var isGood: Bool {
        problems.isEmpty && peers.allSatisfy { $0.echo == "ok" && ($0.query ?? "ok") == "ok" }
    }

    /// - Parameter echoes: whether the peers are called.
    public init(_ site: SiteConfiguration, echoes: Bool) {
        (kind, file) = (.configuration, nil)
        (problems, warnings) = (site.problems, site.warnings)
        peers = echoes ? site.peers.compactMap(Self.ask) : []
    }

    init(kind: Kind, file: String, problems: [ConfigurationProblem], warnings: [ConfigurationProblem]) {
        (self.kind, self.file, self.problems, self.warnings, peers) = (kind, file, problems, warnings, [])
    }

    /// - Returns: nil for a peer that only calls.
    static func ask(_ peer: GatewayPeer) -> PeerAnswer? {
        guard let address = peer.address else { return nil }
        let echo = word { () throws(NetworkError) in try StorageSender(peer: address).echo() }
        let isQueried = peer.isAsked || (!peer.outputs.isEmpty && peer.verification == .query)
        guard isQueried, echo == "ok" else { return PeerAnswer(name: peer.name, echo: echo, query: nil) }
        let query = word { () throws(NetworkError) in
            var question = QueryIdentifier()
            // Nobody has this study: what is wanted is that the question is understood.
            question[.studyInstance] = "2.25.1"
            _ = try ArchiveQuery(peer: address).find(.study, question)
        }
        return PeerAnswer(name: peer.name, echo: echo, query: query)
    }

    private static func word(_ body: () throws(NetworkError) -> Void) -> String {
        do throws(NetworkError) {
            try body()
            return "ok"
        } catch { return error.code }
    }

    /// What the file was taken for, and one line for each thing that was found.
    public var lines: [String] {
        let file = file ?? "configuration"
        let problems = problems.map { $0.described(in: file) }
        let warnings = warnings.map { "\(file): warning: \($0)" }
        let answers = peers.map { peer in
            "\(file): peer \(peer.name): echo \(peer.echo)" + (peer.query.map { ", query \($0)" } ?? "")
        }
        return ["\(file): read as \(kind.title)"] + problems + warnings + answers
            + (isGood ? ["\(file): can be used"] : [])
    }

    /// JSON on one line.
    public var json: String { JSONText.encode(self) }
}

extension ConfigurationCheck.Kind {
    /// What the command line calls it.
    var title: String {
        switch self {
        case .configuration: "a site's configuration (--config)"
        case .camera: "a camera's description (--site)"
        }
    }
}

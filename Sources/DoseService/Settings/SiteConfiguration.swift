public import DICOM
public import Foundation
import Glibc
public import Tomography

/// A site's description of itself in one file: its listener, the applications around it, its cameras and their habits.
///
/// ``problems`` holds everything that is wrong with the file; what is not wrong is read nevertheless.
public struct SiteConfiguration: Sendable {
    public private(set) var title: String?
    public private(set) var listener = Listener()
    public private(set) var peers: [GatewayPeer] = []
    public private(set) var rules: [ReadingRule] = []
    public private(set) var cameras: [CameraSite] = []
    public private(set) var quietTime: Duration?
    public private(set) var hardDeadline: Duration?
    public private(set) var diskReserveBytes: Int64?
    public private(set) var acknowledgesConflicts = false
    public private(set) var retention: Duration?
    public private(set) var dosePolicy: DosePolicy?
    public private(set) var networks: NetworkPolicy?
    public private(set) var auditReceiver: AuditReceiver?
    public private(set) var problems: [ConfigurationProblem] = []
    /// What can be used and is probably not meant so.
    public private(set) var warnings: [ConfigurationProblem] = []
    /// What it was read from, when that is JSON.
    private(set) var document: JSONValue?

    public struct Listener: Sendable {
        public var address: String?
        public var port: UInt16?
        /// Everybody may call, not only the peers.
        public var isOpen = false
        public var security: TransportSecurity.Files?
        public var requiresPeerCertificate = true
        public var associationLimit, associationsPerPeerLimit, connectionLimit, connectionsPerPeerLimit: Int?
        public var idleDeadline, requestDeadline, pduDeadline, objectDeadline: Duration?
    }

    /// A file is a page or two, not a book.
    static let byteLimit = 4 << 20

    public init(contentsOf path: String) {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.byteLimit else {
            problems = [ConfigurationProblem(path: ".", code: "unreadable", detail: PathFault.reading(path))]
            return
        }
        read(data)
    }

    public init(json: Data) { read(json) }

    private mutating func read(_ json: Data) {
        guard let value = JSONText.decode(JSONValue.self, from: String(decoding: json, as: UTF8.self)) else {
            problems = [JSONValue.notJSON(json)]
            return
        }
        guard !CameraFile.describesCamera(value) else {
            problems = [
                ConfigurationProblem(
                    path: ".", code: "not-a-configuration", detail: "this describes a camera: give it as --site")
            ]
            return
        }
        document = value
        let reader = ConfigurationReader(value, path: "")
        title = reader.text("title", must: Self.titleForm, where: Self.isTitle)
        listener = reader.object("listener", Self.listener) ?? Listener()
        let callingTitle = title ?? "SCINTIVOL"
        peers = Self.readPeers(reader, callingTitle: callingTitle, isOpen: listener.isOpen)
        quietTime = reader.seconds("quiet_seconds", in: 0...86_400)
        hardDeadline = reader.seconds("hard_deadline_seconds", in: 1...864_000)
        diskReserveBytes = reader.integer("disk_reserve_mib", in: 0...(1 << 30)).map { Int64($0) << 20 }
        acknowledgesConflicts = reader.choice("conflicting_instances", of: ["refuse", "keep-first"]) == "keep-first"
        retention = reader.number("retention_days", in: 1...36_500).map { .seconds(Int64($0 * 86_400)) }
        dosePolicy = reader.choice("dose", DosePolicy.self)
        networks = reader.object("networks", Self.networks)
        auditReceiver = reader.object("audit", Self.auditReceiver)
        readDevices(reader)
        problems = reader.finish() + RepeatedKeys(in: json).problems
        warnings = reader.warnings
    }

    private mutating func readDevices(_ reader: ConfigurationReader) {
        rules = reader.objects("rules", ReadingRule.read)
        cameras = reader.objects("cameras", CameraSite.read)
        let described = Dictionary(grouping: cameras) { "\($0.station) \($0.isotope)" }
        if described.contains(where: { $0.value.count > 1 }) { reader.complain("cameras", "station-repeated") }
    }

    private static func readPeers(
        _ reader: ConfigurationReader, callingTitle: String, isOpen: Bool
    ) -> [GatewayPeer] {
        var names: [String] = []
        let peers = reader.objects("peers") { reader in
            let (name, peer) = Self.peer(reader, callingTitle: callingTitle)
            if let name { names.append(name) }
            if let peer, !peer.mayCall, !isOpen { warnOfAnswers(peer, reader) }
            return peer
        }
        let repeated = Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }
        for name in repeated.keys.sorted() {
            reader.complain("peers.\(name)", "name-repeated", "two peers have this name; each needs one of its own")
        }
        let called = peers.compactMap(\.address).map { "\($0.calledTitle)@\($0.host):\($0.port)" }
        for (address, same) in Dictionary(grouping: called, by: { $0 }).sorted(by: { $0.key < $1.key })
        where same.count > 1 {
            reader.warn("peers", "address-repeated", "two peers are \(address): it gets everything twice")
        }
        return peers
    }

    /// Two kinds of answer come on associations that the other side opens.
    private static func warnOfAnswers(_ peer: GatewayPeer, _ reader: ConfigurationReader) {
        // Whoever is on this machine may always call.
        if let host = peer.address?.host, AddressRange.loopback.contains(where: { $0.contains(host) }) { return }
        let end = "by most archives on associations of their own, which may_call forbids"
        if !peer.outputs.isEmpty, peer.verification == .commitment {
            reader.warn("verification", "may-not-call", "what it commits itself to is said \(end)")
        }
        if peer.isAsked, peer.retrieval == .move {
            reader.warn(
                "retrieval", "may-not-call",
                "what C-MOVE asks for is sent on associations of its own, which may_call forbids; 'get' needs none")
        }
    }

    private static func listener(_ reader: ConfigurationReader) -> Listener {
        var listener = Listener()
        listener.address = reader.text("address", must: "must be an address of this machine, as 0.0.0.0") {
            AddressRange($0)?.description.hasPrefix($0 + "/") == true
        }
        listener.port = reader.integer("port", in: 1...65_535).map(UInt16.init)
        listener.isOpen = reader.choice("admission", of: ["peers", "open"]) == "open"
        listener.security = reader.object("tls") { reader in
            listener.requiresPeerCertificate = reader.bool("client_certificate_required") ?? true
            return securityFiles(reader, role: .server(requiresPeerCertificate: listener.requiresPeerCertificate))
        }
        listener.associationLimit = reader.integer("associations", in: 1...1024)
        listener.associationsPerPeerLimit = reader.integer("associations_per_peer", in: 1...1024)
        listener.connectionLimit = reader.integer("connections", in: 1...8192)
        listener.connectionsPerPeerLimit = reader.integer("connections_per_peer", in: 1...8192)
        listener.idleDeadline = reader.seconds("idle_seconds", in: 1...3600)
        listener.requestDeadline = reader.seconds("request_seconds", in: 1...600)
        listener.pduDeadline = reader.seconds("pdu_seconds", in: 1...600)
        listener.objectDeadline = reader.seconds("object_seconds", in: 1...86_400)
        return listener
    }

    /// - Returns: its name, and the peer when it can be used.
    private static func peer(
        _ reader: ConfigurationReader, callingTitle: String
    ) -> (name: String?, peer: GatewayPeer?) {
        let title = reader.required("title") { reader.text($0, must: titleForm, where: isTitle) }
        let name = reader.text("name") ?? title
        let host = reader.text("host")
        let port = reader.integer("port", in: 1...65_535)
        let ranges = reader.texts("calls_from") ?? []
        for (index, text) in ranges.enumerated() where AddressRange(text) == nil {
            reader.complain("calls_from[\(index)]", "not-an-address", "must be an address or a range, as 10.0.0.0/24")
        }
        let outputs = reader.choices("receives", of: ServiceSettings.Destination.allOutputs) ?? []
        let verification = reader.choice("verification", GatewayPeer.Verification.self)
        let retrieval = reader.choice("retrieval", GatewayPeer.Retrieval.self)
        let (mayCall, isAsked) = (reader.bool("may_call") ?? true, reader.bool("is_asked") ?? false)
        let files = reader.object("tls") { securityFiles($0, role: .client) }
        let isCalled = isAsked || reader.isFilled("receives") || reader.has("host") || reader.has("port")
        for key in ["host", "port"] where isCalled && !reader.has(key) { reader.complain(key, "missing") }
        guard let title, let name else { return (name, nil) }
        var peer = GatewayPeer(name: name, title: title)
        peer.callsFrom = ranges.compactMap { AddressRange($0) }
        (peer.mayCall, peer.isAsked, peer.outputs) = (mayCall, isAsked, outputs)
        (peer.verification, peer.retrieval) = (verification ?? .query, retrieval ?? .move)
        if let host, let port {
            do throws(NetworkError) {
                var address = try StoragePeer(
                    host: host, port: UInt16(port), calledTitle: title, callingTitle: callingTitle)
                if let files { address.security = try? TransportSecurity(files, role: .client) }
                peer.address = address
            } catch { reader.complain("host", "unusable") }
        }
        return (name, peer)
    }

    /// Reads the names of files and tries them.
    private static func securityFiles(
        _ reader: ConfigurationReader, role: TransportSecurity.Role
    ) -> TransportSecurity.Files {
        let files = TransportSecurity.Files(
            certificateChain: reader.text("certificate_chain"), privateKey: reader.text("private_key"),
            authorities: reader.text("authorities"))
        do throws(NetworkError) { _ = try TransportSecurity(files, role: role) } catch {
            if case .unusableCertificates(let problem) = error {
                let (key, what) = Self.file(of: problem)
                reader.complain(key, reader.has(key) ? "unusable" : "missing", "must be a file with \(what) as PEM")
            }
        }
        return files
    }

    /// The key of the file that is at fault, and what it holds.
    private static func file(of problem: SecurityProblem) -> (key: String, what: String) {
        switch problem {
        case .certificate, .memory: ("certificate_chain", "our certificate and those up to its authority")
        case .key: ("private_key", "the certificate's private key")
        case .authorities: ("authorities", "the authorities that vouch for the other side")
        }
    }

    private static func auditReceiver(_ reader: ConfigurationReader) -> AuditReceiver? {
        let host = reader.required("host") { reader.text($0) }
        let files = reader.object("tls") { securityFiles($0, role: .client) }
        let usual = files == nil ? AuditTransport.plainPort : AuditTransport.securePort
        let port = reader.integer("port", in: 1...65_535).map(UInt16.init) ?? usual
        guard let host else { return nil }
        // What is wrong with the files has been said where they were read.
        return AuditReceiver(
            host: host, port: port, security: try? files.map { try TransportSecurity($0, role: .client) })
    }

    private static let titleForm = "must be 1 to 16 letters, digits or signs, without backslash"

    private static func isTitle(_ text: String) -> Bool {
        (try? StoragePeer(host: "localhost", port: 104, calledTitle: text, callingTitle: text)) != nil
    }
}

public import DICOM
public import Tomography
import Foundation
public import HTTP
public import Jobs

/// How one installation is set up.
///
/// - Units: in the names; ports are TCP.
public struct ServiceSettings: Sendable {
    /// An archive that results are sent to.
    public struct Destination: Equatable, Sendable {
        /// What one receives that does not choose.
        public static let outputsByDefault =
            [ResultObjects.Output.plan, .activity].map(\.rawValue) + DoseFiles.outputNames

        public let name: String
        public let peer: StoragePeer
        /// Names of the results that go there.
        public let outputs: [String]
        public let verification: GatewayPeer.Verification

        /// Names of everything that can be sent: of reconstructions, then of doses.
        public static let allOutputs = ResultObjects.Output.allCases.map(\.rawValue) + DoseFiles.outputNames

        public init(
            name: String, peer: StoragePeer, outputs: [String] = Self.outputsByDefault,
            verification: GatewayPeer.Verification = .query
        ) {
            (self.name, self.peer, self.outputs, self.verification) = (name, peer, outputs, verification)
        }

        /// Reads `TITLE@HOST:PORT`.
        ///
        /// - Throws: ``StudyProblem/needsInput(code:fields:)``.
        public init(_ text: String, callingTitle: String) throws(StudyProblem) {
            let wrong = StudyProblem.needsInput(code: "destination-invalid", fields: [text])
            let parts = text.split(separator: "@", maxSplits: 1)
            guard parts.count == 2, let colon = parts[1].lastIndex(of: ":"),
                let port = UInt16(parts[1][parts[1].index(after: colon)...])
            else { throw wrong }
            let name = String(parts[0])
            do throws(NetworkError) {
                let peer = try StoragePeer(
                    host: String(parts[1][..<colon]), port: port, calledTitle: name, callingTitle: callingTitle)
                self.init(name: name, peer: peer)
            } catch { throw wrong }
        }
    }

    /// Everything the service keeps lies below this folder.
    public var stateFolder: String
    /// Without one a private PostgreSQL is started in the state folder.
    public var databaseURL: String?
    public var title = "SCINTIVOL"
    public var dicomAddress = "0.0.0.0"
    public var dicomPort: UInt16 = 11112
    public var httpHost = "127.0.0.1"
    public var httpPort: UInt16 = 8080
    /// Whether every request to `/v1` needs a key or a known certificate. It always does when others can reach the port.
    public var requiresKeys: Bool {
        get { asksForKeys || !["127.0.0.1", "::1"].contains(httpHost) }
        set { asksForKeys = newValue }
    }
    private var asksForKeys = false
    public var tls: TLSConfiguration?
    public var httpLimits = Limits()
    /// Of each key, or of each address without one; 0 for no limit.
    public var requestsPerSecond = 200.0
    public var logsRequests = true
    /// How long jobs that have ended are kept.
    public var historyTime: Duration = .seconds(90 * 86_400)
    /// What a fault test does to this process.
    public var failpoints: FailpointPlan?
    public var destinations: [Destination] = []
    public var sites: [CameraSite] = []
    public var rules: [ReadingRule] = []
    /// Whom the service knows.
    public var peers: [GatewayPeer] = []
    /// Whether an instance whose UID is there with other bytes is acknowledged nevertheless. The first one is kept, and
    /// the audit says so, either way.
    public var acknowledgesConflicts = false
    /// Whether everybody may call, not only peers and whoever is on this machine.
    public var isOpen = false
    /// Limits, deadlines and certificates of the listener.
    public var listening = ListenerConfiguration()
    /// A case is put together when nothing has come for its patient for so long.
    public var quietTime: Duration = .seconds(5)
    /// After so long a case is put together although more is being brought.
    public var hardDeadline: Duration = .seconds(1800)
    public var dosePolicy = DosePolicy.approval
    public var networks = NetworkPolicy()
    /// Source files are removed so long after delivery; nil keeps them.
    public var retention: Duration?
    public var auditReceiver: AuditReceiver?
    public var workerSlots = 1
    /// Where a worker without the shared folder gets objects from and brings results to.
    public var artefacts: RemoteArtefacts?
    /// A job belongs to its worker this long after the worker's last word; a dead worker's job is free again soon after.
    public var leaseTime: Duration = .seconds(45)
    /// Below this much free space associations are refused.
    public var diskReserveBytes: Int64 = 1 << 30

    var jobTiming: JobTiming { JobTiming(lease: leaseTime) }

    public init(stateFolder: String) {
        self.stateFolder = URL(fileURLWithPath: stateFolder).standardizedFileURL.path
    }
}

import Dispatch
import Glibc
import Synchronization

/// Which connections and associations are open, how many are allowed, and what was counted.
final class ConnectionRegistry: Sendable {
    private struct State {
        var descriptors: [Int: Int32] = [:]
        var connectionsByPeer: [String: Int] = [:]
        var associationsByPeer: [String: Int] = [:]
        var lastAssociationNumber = 0
        var isStopping = false
        var counters = ListenerCounters()
        var access: AccessPolicy
    }

    private let state: Mutex<State>
    /// Entered once per open connection.
    private let open = DispatchGroup()
    private let configuration: ListenerConfiguration

    init(configuration: ListenerConfiguration) {
        self.configuration = configuration
        state = Mutex(State(access: configuration.access))
    }

    /// Who may connect and call, from now on.
    var access: AccessPolicy {
        get { state.withLock { $0.access } }
        set { state.withLock { $0.access = newValue } }
    }

    var counters: ListenerCounters { state.withLock { $0.counters } }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    func count(_ change: (inout ListenerCounters) -> Void) {
        state.withLock { change(&$0.counters) }
    }

    /// Takes a place for a connection, or says that there is none.
    func openConnection(_ descriptor: Int32, number: Int, peer: String) -> Bool {
        state.withLock { state in
            let isAllowed =
                !state.isStopping && state.descriptors.count < configuration.connectionLimit
                && state.connectionsByPeer[peer, default: 0] < configuration.connectionsPerPeerLimit
                && state.access.admits(address: peer)
            guard isAllowed else {
                state.counters.refusedConnections += 1
                return false
            }
            state.descriptors[number] = descriptor
            state.connectionsByPeer[peer, default: 0] += 1
            state.counters.openConnections += 1
            open.enter()
            return true
        }
    }

    /// Gives the place back. Must be called before the descriptor is closed, which makes its number free for others.
    func closeConnection(number: Int, peer: String) {
        state.withLock { state in
            state.descriptors[number] = nil
            Self.decrement(&state.connectionsByPeer, peer)
            state.counters.openConnections -= 1
        }
    }

    /// The last thing that a connection's thread does with the listener.
    func leave() {
        open.leave()
    }

    /// A number for the association request that is being judged.
    func nextAssociationNumber() -> Int {
        state.withLock { state in
            state.lastAssociationNumber += 1
            return state.lastAssociationNumber
        }
    }

    func openAssociation(peer: String) -> Bool {
        state.withLock { state in
            guard !state.isStopping, state.counters.openAssociations < configuration.associationLimit,
                state.associationsByPeer[peer, default: 0] < configuration.associationsPerPeerLimit
            else { return false }
            state.associationsByPeer[peer, default: 0] += 1
            state.counters.openAssociations += 1
            return true
        }
    }

    func closeAssociation(peer: String) {
        state.withLock { state in
            Self.decrement(&state.associationsByPeer, peer)
            state.counters.openAssociations -= 1
        }
    }

    /// From now on nothing new is let in.
    func beginStopping() {
        state.withLock { $0.isStopping = true }
    }

    /// - Returns: whether all connections ended in time.
    func waitUntilEmpty(within limit: Duration) -> Bool {
        open.wait(timeout: .now() + .milliseconds(Int(limit.milliseconds))) == .success
    }

    /// Wakes every thread that waits for its peer.
    func interruptAll() {
        state.withLock { state in
            for descriptor in state.descriptors.values { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private static func decrement(_ counts: inout [String: Int], _ peer: String) {
        guard let count = counts[peer], count > 1 else {
            counts[peer] = nil
            return
        }
        counts[peer] = count - 1
    }
}

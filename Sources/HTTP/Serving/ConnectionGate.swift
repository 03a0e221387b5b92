internal import Synchronization

/// Counts connections in all and per address, over all loops.
final class ConnectionGate: Sendable {
    private struct Counts {
        var total = 0
        var byAddress: [UInt64: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let limit: Int
    private let limitPerAddress: Int

    init(_ limits: Limits) {
        limit = limits.connectionLimit
        limitPerAddress = limits.connectionsPerAddressLimit
    }

    func admit(_ peer: PeerAddress) -> Bool {
        counts.withLock { counts in
            let here = counts.byAddress[peer.capKey, default: 0]
            guard counts.total < limit, here < limitPerAddress else { return false }
            counts.total += 1
            counts.byAddress[peer.capKey] = here + 1
            return true
        }
    }

    func release(_ peer: PeerAddress) {
        counts.withLock { counts in
            counts.total -= 1
            let here = counts.byAddress[peer.capKey, default: 1]
            counts.byAddress[peer.capKey] = here > 1 ? here - 1 : nil
        }
    }
}

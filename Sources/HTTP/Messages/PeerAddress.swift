internal import CSockets

/// Where a connection comes from. IPv4 is held as IPv4-mapped IPv6.
public struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64
    public let port: UInt16

    init(_ peer: sockets_peer) {
        (high, low) = withUnsafeBytes(of: peer.address) { octets in
            let words = octets.bindMemory(to: UInt64.self)
            return (UInt64(bigEndian: words[0]), UInt64(bigEndian: words[1]))
        }
        port = peer.port
    }

    /// The numeric address without the port.
    public var description: String {
        var peer = sockets_peer()
        withUnsafeMutableBytes(of: &peer.address) { octets in
            octets.storeBytes(of: high.bigEndian, as: UInt64.self)
            octets.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        // INET6_ADDRSTRLEN.
        return String(unsafeUninitializedCapacity: 46) { text in
            text.withMemoryRebound(to: CChar.self) { sockets_describe(&peer, $0.baseAddress, UInt32($0.count)) }
            return text.firstIndex(of: 0) ?? 0
        }
    }

    /// What counts as one address for the cap: an IPv4 address, or the /64 that one IPv6 subscriber holds.
    var capKey: UInt64 { isIPv4 ? low : high }

    /// 127.0.0.1, for requests that come from no connection.
    package static let loopback = PeerAddress(high: 0, low: 0xFFFF_7F00_0001, port: 0)

    private init(high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
    }

    private var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }
}

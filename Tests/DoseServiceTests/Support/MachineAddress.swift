import Glibc

/// Addresses of this machine.
enum MachineAddress {
    /// An IPv4 address that is not of the loopback; nil on a machine without a network.
    static let other: String? = {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else { continue }
            let number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
            }
            guard number >> 24 != 127 else { continue }
            return (0..<4).map { "\(number >> (24 - 8 * $0) & 0xFF)" }.joined(separator: ".")
        }
        return nil
    }()
}

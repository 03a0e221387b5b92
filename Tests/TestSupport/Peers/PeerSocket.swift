import Glibc

/// A TCP client that says whatever it likes.
public final class PeerSocket: Sendable {
    private let descriptor: Int32

    /// Connects to this machine.
    ///
    /// - Parameter secondsLimit: of each read.
    public init?(port: UInt16, secondsLimit: Int = 30) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(descriptor)
            return nil
        }
        var limit = timeval(tv_sec: secondsLimit, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
    }

    public func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// TCP_NODELAY of the server's socket, which is in this process too; nil when it is not found.
    public var otherEndHasNoDelay: Bool? {
        let ownPort = Self.port(of: descriptor, getsockname)
        let descriptorLimit: Int32 = 1024
        for other in 3..<descriptorLimit where other != descriptor && Self.port(of: other, getpeername) == ownPort {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(other, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length) == 0 else { return nil }
            return value != 0
        }
        return nil
    }

    private static func port(
        of descriptor: Int32,
        _ name: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> UInt16? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
        }
        return outcome == 0 && address.sin_family == sa_family_t(AF_INET) ? address.sin_port : nil
    }

    /// Everything until the server closes; nil when nothing comes within the limit.
    public func readToEnd() -> [UInt8]? {
        var received: [UInt8] = []
        while let next = readSome() {
            if next.isEmpty { return received }
            received += next
        }
        return nil
    }

    /// One PDU, head included; fewer bytes when the server closes.
    public func readPDU() -> [UInt8]? {
        guard let head = read(count: 6), head.count == 6 else { return nil }
        let length = head[2...5].reduce(0) { $0 << 8 | Int($1) }
        return read(count: length).map { head + $0 }
    }

    private func read(count: Int) -> [UInt8]? {
        var received: [UInt8] = []
        while received.count < count {
            guard let next = readSome(limit: count - received.count) else { return nil }
            if next.isEmpty { break }
            received += next
        }
        return received
    }

    /// Nil for the time limit; a reset counts as the end.
    private func readSome(limit: Int = 4096) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 { return errno == EAGAIN ? nil : [] }
        return Array(buffer.prefix(count))
    }
}

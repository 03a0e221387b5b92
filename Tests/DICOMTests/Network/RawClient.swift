import Glibc

/// A TCP client that says whatever it likes.
final class RawClient {
    private let descriptor: Int32

    init?(port: UInt16) {
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
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
    }

    func write(_ bytes: [UInt8]) {
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
    var otherEndHasNoDelay: Bool? {
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

    /// Everything until the server closes; nil when it does not within ten seconds.
    func readToEnd() -> [UInt8]? {
        var received: [UInt8] = []
        while let next = readSome() {
            if next.isEmpty { return received }
            received += next
        }
        return nil
    }

    /// One PDU, head included; fewer bytes when the server closes.
    func readPDU() -> [UInt8]? {
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

/// PDUs as a peer makes them (PS3.8 section 9.3).
enum PDU {
    static let applicationContext = "1.2.840.10008.3.1.1.1"
    static let verification = "1.2.840.10008.1.1"
    static let nuclearMedicine = "1.2.840.10008.5.1.4.1.1.20"
    static let implicit = "1.2.840.10008.1.2"

    static func item(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, 0, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }

    static func context(_ identifier: UInt8, _ abstractSyntax: String, _ transferSyntaxes: [String]) -> [UInt8] {
        item(
            0x20,
            [identifier, 0, 0, 0] + item(0x30, Array(abstractSyntax.utf8))
                + transferSyntaxes.flatMap { item(0x40, Array($0.utf8)) })
    }

    static let userInformation = item(0x50, item(0x51, [0, 0, 0x40, 0]) + item(0x52, Array("1.2.3".utf8)))

    static func title(_ text: String) -> [UInt8] {
        Array((text + String(repeating: " ", count: 16)).utf8.prefix(16))
    }

    static func associationRequest(
        called: [UInt8] = title("ANY-SCP"), calling: [UInt8] = title("RAW"),
        contexts: [[UInt8]] = [context(1, verification, [implicit]), context(3, nuclearMedicine, [implicit])],
        user: [UInt8] = userInformation
    ) -> [UInt8] {
        let body =
            [0, 1, 0, 0] + called + calling + [UInt8](repeating: 0, count: 32)
            + item(0x10, Array(applicationContext.utf8)) + contexts.flatMap { $0 } + user
        return head(0x01, body.count) + body
    }

    static func head(_ type: UInt8, _ length: Int) -> [UInt8] {
        [type, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
    }

    static func data(_ context: UInt8, isCommand: Bool, isLast: Bool, _ value: [UInt8]) -> [UInt8] {
        let control: UInt8 = (isCommand ? 1 : 0) | (isLast ? 2 : 0)
        let length = value.count + 2
        let prefix = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        return head(0x04, length + 4) + prefix + [context, control] + value
    }

    static func storeRequest(sopClass: String = nuclearMedicine, sopInstance: String) -> [UInt8] {
        let writer = ElementWriter(isImplicit: true)
        let body =
            writer.element(0, 0x0002, "UI", text: sopClass) + writer.element(0, 0x0100, "US", [1, 0])
            + writer.element(0, 0x0110, "US", [1, 0]) + writer.element(0, 0x0700, "US", [0, 0])
            + writer.element(0, 0x0800, "US", [1, 0]) + writer.element(0, 0x1000, "UI", text: sopInstance)
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }

    static let echoRequest: [UInt8] = {
        let writer = ElementWriter(isImplicit: true)
        let body =
            writer.element(0, 0x0002, "UI", text: verification) + writer.element(0, 0x0100, "US", [0x30, 0])
            + writer.element(0, 0x0110, "US", [1, 0]) + writer.element(0, 0x0800, "US", [1, 1])
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }()

    static let abort = head(0x07, 4) + [0, 0, 0, 0]
    static let releaseRequest = head(0x05, 4) + [0, 0, 0, 0]
}

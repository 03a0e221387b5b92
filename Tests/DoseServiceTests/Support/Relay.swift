import Glibc
import Synchronization

/// A line between a peer and a service that carries so many objects towards the service, the beginning of one more, and
/// then holds still, as a network does that has failed: what comes after stays on the way until the relay ends.
///
/// - Source: DICOM PS3.8 section 9.3.5, P-DATA-TF; DCMTK puts one value into each.
final class Relay: Sendable {
    let port: UInt16
    private let listening: Int32
    private let target: UInt16
    private let objectLimit: Int
    private let state = Mutex(State())

    private struct State {
        var descriptors: [Int32] = []
        var isHolding = false
    }

    struct CannotListen: Error {}

    /// - Parameter port: that of a relay that has ended; a free one otherwise.
    init(to target: UInt16, objectLimit: Int = .max, port: UInt16? = nil) throws {
        (self.target, self.objectLimit) = (target, objectLimit)
        self.port = try port ?? Archive.freePort()
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withLoopback(self.port, { bind(listening, $0, $1) }) == 0, listen(listening, 8) == 0 else {
            throw CannotListen()
        }
        let descriptor = listening
        Self.onThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                guard let self else {
                    close(client)
                    return
                }
                self.carry(client)
            }
        }
    }

    deinit { end() }

    /// All that may pass has passed, and the rest is held.
    var isHolding: Bool { state.withLock { $0.isHolding } }

    /// Breaks every connection.
    func end() {
        shutdown(listening, Int32(SHUT_RDWR))
        state.withLock { state in
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func carry(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        for descriptor in [client, server] {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        guard Self.withLoopback(target, { connect(server, $0, $1) }) == 0 else {
            close(client)
            close(server)
            return
        }
        // They close with the process: a number must not be given to another while somebody may still shut it down.
        state.withLock { $0.descriptors += [client, server] }
        Self.onThread { [self] in
            var commandCount = 0
            while let head = Self.read(6, from: client) {
                let length = head[2...5].reduce(0) { $0 << 8 | Int($1) }
                guard let body = Self.read(length, from: client) else { break }
                let isData = head[0] == 0x04
                if isData, body[5] & 1 == 1 { commandCount += 1 }
                let isLast = isData && body[5] & 1 == 0 && commandCount > objectLimit
                // A whole object may fit into one PDU: half of it is less than one.
                let passing = (head + body)[..<(isLast ? length / 2 : length + head.count)]
                guard Self.write(passing, to: server) else { break }
                if isLast { return state.withLock { $0.isHolding = true } }
            }
            shutdown(server, Int32(SHUT_WR))
        }
        Self.onThread {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(server, &buffer, buffer.count, 0)
                guard count > 0, Self.write(buffer[..<count], to: client) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
        }
    }

    private static func read(_ byteCount: Int, from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var filled = 0
        while filled < byteCount {
            let offset = filled
            let count = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress! + offset, byteCount - offset, 0)
            }
            guard count > 0 else { return nil }
            filled += count
        }
        return bytes
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func withLoopback(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let outcome = pthread_create(
            &thread, nil,
            { context in
                // Every thread is handed its work.
                Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        precondition(outcome == 0, "a test machine has threads")
        pthread_detach(thread)
    }

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

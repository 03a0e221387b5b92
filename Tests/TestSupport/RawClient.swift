import Dispatch
import Glibc
import Synchronization

/// A TCP client that sends exactly the octets it is given and reads what comes, for tests of servers.
///
/// Its waits are on Dispatch's threads, so that a test never blocks the threads that the server's tasks need.
public final class RawClient: Sendable {
    public enum Failure: Error, Equatable {
        case cannotConnect(code: Int32)
        case timedOut
        case connectionEnded
        case malformedAnswer
    }

    private let descriptor: Int32
    private let pending = Mutex<[UInt8]>([])

    /// - Parameter receiveBufferBytes: a small one makes a slow reader noticeable early.
    public init(port: UInt16, receiveBufferBytes: Int32? = nil, timeoutSeconds: Int = 30) throws(Failure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            // The descriptor closes with deinit, which runs because every property is set.
            throw .cannotConnect(code: errno)
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Sends everything, or as much as the server takes before it closes; returns the count.
    @discardableResult
    public func send(_ bytes: [UInt8]) async -> Int {
        await onOwnThread { [descriptor] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
            }
            return sent
        }
    }

    @discardableResult
    public func send(_ text: String) async -> Int {
        await send(Array(text.utf8))
    }

    /// Sends FIN, and goes on reading.
    public func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Ends the connection with RST, as a crash would.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        var address = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Everything up to the server's end of the connection.
    public func receiveToEnd() async throws -> [UInt8] {
        var all = takePending()
        while true {
            let more = try await receive()
            if more.isEmpty { return all }
            all += more
        }
    }

    /// Everything up to and including a marker.
    public func receive(through marker: String) async throws -> String {
        let wanted = Array(marker.utf8)
        var all = takePending()
        while true {
            if let end = Self.end(of: wanted, in: all) {
                putBack(Array(all[end...]))
                return String(decoding: all[..<end], as: UTF8.self)
            }
            let more = try await receive()
            guard !more.isEmpty else { throw Failure.connectionEnded }
            all += more
        }
    }

    /// One answer with Content-Length, chunks or no body.
    public func receiveAnswer(toHead: Bool = false) async throws -> RawAnswer {
        let head = try await receive(through: "\r\n\r\n")
        var answer = try RawAnswer(head: head)
        if toHead || answer.status < 200 || answer.status == 204 || answer.status == 304 { return answer }
        if answer["Transfer-Encoding"] == "chunked" {
            while true {
                let size = Int(try await receive(through: "\r\n").dropLast(), radix: 16)
                guard let size else { throw Failure.malformedAnswer }
                answer.body += try await receive(count: size)
                _ = try await receive(through: "\r\n")
                if size == 0 { return answer }
            }
        }
        if let length = answer["Content-Length"].flatMap({ Int($0) }) {
            answer.body = try await receive(count: length)
        } else {
            answer.body = try await receiveToEnd()
        }
        return answer
    }

    public func receive(count: Int) async throws -> [UInt8] {
        var all = takePending()
        while all.count < count {
            let more = try await receive()
            guard !more.isEmpty else { throw Failure.connectionEnded }
            all += more
        }
        putBack(Array(all[count...]))
        return Array(all[..<count])
    }

    /// What arrives next; empty at the end. A reset counts as the end.
    private func receive() async throws -> [UInt8] {
        let received: [UInt8]? = await onOwnThread { [descriptor] in
            var room = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &room, room.count, 0)
            if count < 0 { return errno == EAGAIN ? nil : [] }
            return Array(room[..<count])
        }
        guard let received else { throw Failure.timedOut }
        return received
    }

    private func takePending() -> [UInt8] {
        pending.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
    }

    private func putBack(_ bytes: [UInt8]) {
        pending.withLock { $0 = bytes + $0 }
    }

    private static func end(of marker: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= marker.count else { return nil }
        return (0...(bytes.count - marker.count)).first { bytes[$0..<($0 + marker.count)].elementsEqual(marker) }
            .map { $0 + marker.count }
    }
}

/// An answer as it came.
public struct RawAnswer: Sendable {
    public let status: Int
    public let fields: [(name: String, value: String)]
    public var body: [UInt8] = []

    init(head: String) throws(RawClient.Failure) {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard let first = lines.first, let code = first.split(separator: " ").dropFirst().first, let status = Int(code)
        else { throw .malformedAnswer }
        self.status = status
        fields = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (String(line[..<colon]), line[colon...].dropFirst().drop { $0 == " " }.description)
        }
    }

    public subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Runs what blocks on a thread of Dispatch.
public func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
}

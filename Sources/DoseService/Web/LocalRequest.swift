import Glibc

/// A request to a server on this machine, for probes and for the demonstration.
struct LocalRequest {
    static let answerLimit = 64 << 20

    let port: UInt16
    var deadlineSeconds = 10

    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    /// - Returns: nil when nothing or nonsense came back.
    func get(_ path: String) -> Answer? { send("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n") }

    func post(_ path: String, json: String) -> Answer? {
        send(
            "POST \(path) HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
    }

    /// HTTP/1.0: the answer ends with the connection.
    private func send(_ text: String) -> Answer? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: deadlineSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connectToLocalhost(descriptor) else { return nil }
        let request = Array(text.utf8)
        guard Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while answer.count < Self.answerLimit {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count >= 0 else { return nil }
            if count == 0 { break }
            answer += piece[..<count]
        }
        return Self.parsed(answer)
    }

    private func connectToLocalhost(_ descriptor: Int32) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func parsed(_ bytes: [UInt8]) -> Answer? {
        let words = String(decoding: bytes.prefix(16), as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        let separator = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4,
            let end = (0...bytes.count - 4).first(where: { bytes[$0..<$0 + 4].elementsEqual(separator) })
        else { return nil }
        return Answer(status: status, body: Array(bytes[(end + 4)...]))
    }

    /// A port that nobody listens on now.
    static func freePort() -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        return bound ? UInt16(bigEndian: address.sin_port) : nil
    }
}

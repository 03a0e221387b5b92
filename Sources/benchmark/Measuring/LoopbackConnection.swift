import Glibc

/// A TCP connection to a server on this machine.
struct LoopbackConnection {
    private let descriptor: Int32

    /// Nil when nobody listens.
    ///
    /// - Parameter source: the last two bytes of our own address in 127.0.0.0/16.
    init?(port: UInt16, from source: UInt16 = 1) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let isBound = Self.with(0x7F00_0000 | UInt32(source), port: 0) { bind(descriptor, $0, $1) } == 0
        guard isBound, Self.with(0x7F00_0001, port: port, { connect(descriptor, $0, $1) }) == 0 else {
            _ = Glibc.close(descriptor)
            return nil
        }
    }

    /// - Returns: whether the whole text was taken and an answer began.
    func exchange(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var answer = [UInt8](repeating: 0, count: 1024)
        return write(descriptor, bytes, bytes.count) == bytes.count && read(descriptor, &answer, answer.count) > 0
    }

    func close() { _ = Glibc.close(descriptor) }

    private static func with(
        _ host: UInt32, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = host.bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

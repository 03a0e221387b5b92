import CDCMTK
import Glibc

/// A TCP socket that accepts connections until it is woken up.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    struct Connection {
        let descriptor: Int32
        let peerAddress: String
    }

    /// - Parameter address: numeric, IPv4 or IPv6; with `::` both kinds of peers get through.
    init(address: String, port: UInt16, backlog: Int32) throws(NetworkError) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let lookup = getaddrinfo(address, String(port), &hints, &found)
        guard lookup == 0, let found else { throw .cannotListen(step: .address, code: lookup) }
        defer { freeaddrinfo(found) }

        // A worker that is started at this moment must not inherit the socket.
        let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | closeOnExec, 0)
        guard descriptor >= 0 else { throw .cannotListen(step: .socket, code: errno) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            throw Self.failure(.bind, closing: descriptor)
        }
        guard listen(descriptor, backlog) == 0 else { throw Self.failure(.listen, closing: descriptor) }

        var storage = sockaddr_storage()
        let bound = Self.withAddress(&storage) { getsockname(descriptor, $0, $1) }
        guard bound == 0 else { throw Self.failure(.listen, closing: descriptor) }
        self.descriptor = descriptor
        self.port = Self.port(of: storage)
    }

    /// The next connection, or nil when the socket was woken up or broke for good.
    func accept() -> Connection? {
        while true {
            var storage = sockaddr_storage()
            let accepted = Self.withAddress(&storage) { cdcmtk_stream_accept(descriptor, $0, $1) }
            if accepted >= 0 {
                return Connection(descriptor: accepted, peerAddress: Self.text(of: storage))
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // The connection stays queued; without a pause this loop would spin until a descriptor is free.
                let pauseMilliseconds: Int32 = 50
                poll(nil, 0, pauseMilliseconds)
            case EINVAL, EBADF, ENOTSOCK:
                return nil
            default:
                continue
            }
        }
    }

    /// Makes ``accept()`` return nil; the descriptor is closed by its thread.
    func wake() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func failure(_ step: ListeningStep, closing descriptor: Int32) -> NetworkError {
        let code = errno
        close(descriptor)
        return .cannotListen(step: step, code: code)
    }

    private static func withAddress(
        _ storage: inout sockaddr_storage,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Int32 {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    private static func port(of storage: sockaddr_storage) -> UInt16 {
        // The port lies at the same place in IPv4 and IPv6 addresses.
        withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
    }

    /// A numeric address; an IPv4 peer looks the same whether the socket is of IPv4 or IPv6.
    private static func text(of storage: sockaddr_storage) -> String {
        let bytes = withUnsafeBytes(of: storage) { Array($0) }
        if Int32(storage.ss_family) == AF_INET { return dotted(bytes[4..<8]) }
        let address = bytes[8..<24]
        let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        if address.starts(with: mappedPrefix) { return dotted(address.suffix(4)) }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let source = Array(address)
        inet_ntop(AF_INET6, source, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String($0) }.joined(separator: ".")
    }
}

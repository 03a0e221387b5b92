import Dispatch
import Glibc
import Synchronization

/// Passes a TCP port's bytes on to a database's socket, until it is told to stand still: then both sides are connected
/// and hear nothing, as behind a firewall that has forgotten them.
final class Relay: Sendable {
    let port: UInt16
    private let listener: Int32
    private let target: String
    private let state = Mutex((isStill: false, isEnded: false))

    /// - Parameter target: path of a UNIX socket.
    init(to target: String) throws {
        self.target = target
        port = try FreePort.find()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = listener
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 64) == 0 else { throw MeasuringError.noPort }
        DispatchQueue(label: "relay").async { self.accept() }
    }

    func standStill(_ isStill: Bool) { state.withLock { $0.isStill = isStill } }

    func end() {
        state.withLock { $0.isEnded = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            if client < 0 { break }
            guard let server = connectTarget() else {
                close(client)
                continue
            }
            DispatchQueue(label: "relay.connection").async { self.pass(client, server) }
        }
        close(listener)
    }

    private func connectTarget() -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(target.utf8).prefix($0.count - 1)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Looks every few milliseconds whether it shall stand still; what comes meanwhile stays in the kernel.
    private func pass(_ client: Int32, _ server: Int32) {
        defer {
            close(client)
            close(server)
        }
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let (isStill, isEnded) = state.withLock { $0 }
            if isEnded { return }
            if isStill {
                usleep(5000)
                continue
            }
            var descriptors = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            poll(&descriptors, 2, 5)
            for (index, other) in [(0, server), (1, client)] where descriptors[index].revents != 0 {
                let count = read(descriptors[index].fd, &piece, piece.count)
                guard count > 0, send(other, piece, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }
}

import DICOM
import Glibc

/// How quickly a server answers C-ECHO, each on an association of its own.
enum EchoMeasurement {
    /// - Returns: seconds from the connection to the release, one value per association.
    static func latencies(_ server: StorageServer, count: Int) throws -> [Double] {
        let sender = StorageSender(peer: server.peer)
        return try (0..<count).map { _ in try Timing.seconds { try sender.echo() } }
    }

    /// The same while other connections are open that say nothing.
    static func latencies(_ server: StorageServer, count: Int, idleSockets: Int) throws -> [Double] {
        let sockets = (0..<idleSockets).map { _ in connection(to: server.peer.port) }
        defer { sockets.forEach { close($0) } }
        guard sockets.allSatisfy({ $0 >= 0 }) else { throw MeasuringError.noPort }
        return try latencies(server, count: count)
    }

    private static func connection(to port: UInt16) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? descriptor : -1
    }
}

import DICOM

/// How quickly a server answers C-ECHO, each on an association of its own.
enum EchoMeasurement {
    /// - Returns: seconds from the connection to the release, one value per association.
    static func latencies(_ server: StorageServer, count: Int) throws -> [Double] {
        let sender = StorageSender(peer: server.peer)
        return try (0..<count).map { _ in try Timing.seconds { try sender.echo() } }
    }

    /// The same while other connections are open that say nothing.
    static func latencies(_ server: StorageServer, count: Int, idleSockets: Int) throws -> [Double] {
        let sockets = (0..<idleSockets).compactMap { _ in LoopbackConnection(port: server.peer.port) }
        defer { sockets.forEach { $0.close() } }
        guard sockets.count == idleSockets else { throw MeasuringError.programSilent(server.name) }
        return try latencies(server, count: count)
    }
}

import DICOM
import Foundation

/// A program that receives objects.
struct StorageServer: Sendable {
    let name: String
    let program: ChildProgram
    let peer: StoragePeer

    /// Waits until it answers a C-ECHO.
    private init(_ name: String, _ program: ChildProgram, port: UInt16, title: String) throws {
        (self.name, self.program) = (name, program)
        peer = try StoragePeer(host: "127.0.0.1", port: port, calledTitle: title, callingTitle: "BENCHMARK")
        let end = Timing.now() + 30
        while true {
            do {
                try StorageSender(peer: peer).echo()
                return
            } catch {
                guard Timing.now() < end else { throw MeasuringError.programSilent(name) }
                usleep(50_000)
            }
        }
    }

    static func scintivol(_ path: String, in workspace: Workspace) throws -> StorageServer {
        try running(ServiceProgram(path, in: workspace))
    }

    static func running(_ service: ServiceProgram) throws -> StorageServer {
        try StorageServer("ours", service.program, port: service.dicomPort, title: ServiceProgram.title)
    }

    /// DCMTK's storescp, one process per association, which syncs nothing.
    static func storescp(_ path: String, in workspace: Workspace) throws -> StorageServer {
        let port = try FreePort.find()
        let program = try workspace.start(
            path, ["--fork", "+B", "-od", try workspace.subfolder("storescp"), "-pdu", "131072", "\(port)"],
            environment: ["TCP_NODELAY": "1"])
        return try StorageServer("storescp", program, port: port, title: "STORESCP")
    }

    /// Orthanc as Debian packages it, with its own database in a file, without plugins.
    static func orthanc(_ path: String, in workspace: Workspace) throws -> StorageServer {
        let port = try FreePort.find()
        let folder = try workspace.subfolder("orthanc")
        let configuration: [String: Any] = [
            "StorageDirectory": "\(folder)/storage", "IndexDirectory": "\(folder)/index", "DicomPort": Int(port),
            "HttpServerEnabled": false, "DicomCheckCalledAet": false, "DicomAlwaysAllowStore": true,
            "DicomAlwaysAllowEcho": true, "RemoteAccessAllowed": false, "Plugins": [String](),
        ]
        let file = "\(folder)/configuration.json"
        try JSONSerialization.data(withJSONObject: configuration).write(to: URL(fileURLWithPath: file))
        let program = try workspace.start(path, [file], environment: ["TCP_NODELAY": "1"])
        return try StorageServer("Orthanc", program, port: port, title: "ORTHANC")
    }

    /// Sends the objects over several associations at once by our own sender.
    ///
    /// - Returns: objects per second, from the first association request to the last release.
    func receive(_ objects: TestObjects, associations: Int) throws -> Double {
        let sender = StorageSender(peer: peer)
        let seconds = try Timing.seconds {
            try Threads.run(associations) { part in
                let outcomes = try sender.send(objects.share(part, of: associations))
                let failed = outcomes.count { outcome in
                    if case .answered(let response) = outcome { !response.isStored } else { true }
                }
                guard failed == 0 else { throw MeasuringError.notStored(count: failed) }
            }
        }
        return Double(objects.paths.count) / seconds
    }
}

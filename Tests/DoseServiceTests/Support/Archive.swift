import Foundation
import Glibc
import TestSupport

/// Orthanc as the hospital's archive, in a folder and on ports of its own.
final class Archive: Sendable {
    static let title = "ARCHIVE"
    let dicomPort, httpPort: UInt16
    private let process: RunningProgram

    enum Failure: Error, Equatable {
        case notStarted(log: String)
        case answer(status: Int)
    }

    /// Starts it and waits until it answers.
    ///
    /// - Parameters:
    ///   - dicomPort: a ``freePort()``, known beforehand to whoever sends here.
    ///   - service: the service's port, when what comes is forwarded there.
    ///   - known: the service's port, when it is only known.
    init(
        in state: StateFolder, dicomPort: UInt16, forwardingTo service: UInt16? = nil, knowing known: UInt16? = nil
    ) async throws {
        self.dicomPort = dicomPort
        httpPort = try Self.freePort()
        let script = state.file("route.lua")
        try Self.routing.write(toFile: script, atomically: true, encoding: .utf8)
        let settings: [String: Any] = [
            "Name": "archive", "StorageDirectory": state.file("archive"), "IndexDirectory": state.file("archive"),
            "HttpPort": Int(httpPort), "DicomPort": Int(dicomPort), "DicomAet": Self.title,
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "DicomAlwaysAllowStore": true,
            "SyncStorageArea": false, "StableAge": 1, "LuaScripts": service == nil ? [] : [script],
            "DicomModalities": ["scintivol": ["SCINTIVOL", "127.0.0.1", Int(service ?? known ?? 104)]],
            "Plugins": [String](),
        ]
        let configuration = state.file("archive.json")
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: configuration))
        process = try RunningProgram(
            "/usr/sbin/Orthanc", [configuration], name: "archive", in: state, environment: Tool.environment)
        let isUp = try await eventually(within: .seconds(240)) { (try? await get("/system").status) == 200 }
        guard isUp else { throw Failure.notStarted(log: process.errors) }
    }

    /// A series goes to the service as soon as nothing more comes for it.
    private static let routing = """
        function OnStableSeries(seriesId, tags, metadata)
            local wanted = { NM = true, CT = true, PT = true, RTSTRUCT = true }
            if wanted[tags['Modality']] then
                local order = { Resources = { seriesId }, Asynchronous = true }
                RestApiPost('/modalities/scintivol/store', DumpJson(order))
            end
        end
        """

    func end() async throws {
        process.signal(SIGTERM)
        _ = try await process.status(within: .seconds(30))
    }

    /// Ends it as a power cut would; another one in its folder goes on.
    func kill() async throws {
        process.signalGroup(SIGKILL)
        _ = try await process.status()
    }

    func store(_ paths: [String]) async throws -> ProgramRun {
        try await Tool.run(
            "storescu",
            ["-aet", "CAMERA", "-aec", Self.title, "+sd", "+r", "127.0.0.1", "\(dicomPort)"] + paths)
    }

    /// Identifiers of the instances of one modality.
    func instances(ofModality modality: String) async throws -> [String] {
        let all = try JSONDecoder().decode([String].self, from: try await body("/series"))
        var found: [String] = []
        for series in all {
            let answer = try JSONDecoder().decode(Series.self, from: try await body("/series/\(series)"))
            if answer.MainDicomTags["Modality"] == modality { found += answer.Instances }
        }
        return found
    }

    private struct Series: Decodable {
        let Instances: [String]
        let MainDicomTags: [String: String]
    }

    /// Writes an instance as the archive holds it.
    func download(_ instance: String, to path: String) async throws {
        try await body("/instances/\(instance)/file").write(to: URL(fileURLWithPath: path))
    }

    private func body(_ path: String) async throws -> Data {
        let answer = try await get(path)
        guard answer.status == 200 else { throw Failure.answer(status: answer.status) }
        return Data(answer.body)
    }

    private func get(_ path: String) async throws -> RawAnswer {
        let client = try RawClient(port: httpPort, timeoutSeconds: 30)
        await client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return try await client.receiveAnswer()
    }

    /// A port that nobody listens on now. Orthanc cannot be asked to choose one.
    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard status else { throw Failure.notStarted(log: "no port") }
        return UInt16(bigEndian: address.sin_port)
    }
}

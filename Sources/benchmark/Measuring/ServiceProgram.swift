import Foundation

/// The real service with a private database, as `scintivol run` starts it. Cases are not assembled meanwhile.
struct ServiceProgram {
    static let title = "SCINTIVOL"

    let program: ChildProgram
    let dicomPort, httpPort: UInt16
    let databaseURL: String

    private struct Addresses: Decodable {
        let dicomPort, httpPort: UInt16
        let databaseURL: String

        enum CodingKeys: String, CodingKey {
            case dicomPort = "dicom_port"
            case httpPort = "http_port"
            case databaseURL = "database_url"
        }
    }

    init(_ path: String, in workspace: Workspace) throws {
        program = try workspace.start(
            path,
            [
                "run", "--state", try workspace.subfolder("scintivol"), "--dicom-address", "127.0.0.1", "--dicom-port",
                "0", "--http-port", "0", "--title", Self.title, "--quiet-seconds", "86400",
                "--requests-per-second", "0", "--no-access-log",
            ])
        guard let line = program.firstLine(),
            let addresses = try? JSONDecoder().decode(Addresses.self, from: Data(line.utf8))
        else { throw MeasuringError.programSilent("scintivol") }
        (dicomPort, httpPort, databaseURL) = (addresses.dicomPort, addresses.httpPort, addresses.databaseURL)
    }
}

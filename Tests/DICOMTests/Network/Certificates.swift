import Foundation
import Testing

/// An authority and the certificates that it has signed, made on the spot.
struct Certificates {
    let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
        try makeAuthority("ca")
        try issue("server", by: "ca")
        try issue("client", by: "ca")
    }

    func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    func makeAuthority(_ name: String) throws {
        try run(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority"
                + " -keyout \(path(name)).key -out \(path(name)).pem")
    }

    /// A certificate for this machine.
    func issue(_ name: String, by authority: String) throws {
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8).write(to: URL(fileURLWithPath: path("names")))
        try run(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -keyout \(path(name)).key"
                + " -out \(path(name)).csr")
        try run(
            "x509 -req -in \(path(name)).csr -CA \(path(authority)).pem -CAkey \(path(authority)).key -CAcreateserial"
                + " -days 2 -extfile \(path("names")) -out \(path(name)).pem")
    }

    private func run(_ line: String) throws {
        let tool = try CommandLineTool("openssl", line.split(separator: " ").map(String.init))
        try #require(tool.status == 0, "\(tool.output)")
    }
}

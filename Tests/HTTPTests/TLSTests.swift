import Foundation
import HTTP
import Synchronization
import Testing
import TestSupport

/// TLS against OpenSSL's own client, with certificates made on the spot.
@Suite struct TLSTests {
    /// A folder with an authority, a server's and a client's certificate.
    private struct Certificates {
        let folder: String

        init(in folder: String) async throws {
            self.folder = folder
            try await openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority"
                    + " -keyout \(folder)/ca.key -out \(folder)/ca.pem"
            )
            try await issue("server", subject: "/CN=localhost")
            try await issue("client", subject: "/O=Nuclear Medicine/CN=workstation")
        }

        func issue(_ name: String, subject: String) async throws {
            let request = "\(folder)/\(name).csr"
            try await run([
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                "\(folder)/\(name).key", "-out", request,
            ])
            try await openssl(
                "x509 -req -in \(request) -CA \(folder)/ca.pem -CAkey \(folder)/ca.key -CAcreateserial -days 2"
                    + " -out \(folder)/\(name).pem"
            )
        }

        func configuration(_ clients: TLSConfiguration.ClientCertificates = .ignored) -> TLSConfiguration {
            TLSConfiguration(
                certificateChain: folder + "/server.pem", privateKey: folder + "/server.key",
                clientCertificates: clients)
        }

        private func openssl(_ line: String) async throws { try await run(line.split(separator: " ").map(String.init)) }

        private func run(_ arguments: [String]) async throws {
            let result = try await runOpenSSL(arguments, input: "")
            try #require(result.status == 0, "\(result.output)")
        }
    }

    private static let request = "GET /subject HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    private func ask(_ port: UInt16, _ certificates: Certificates, _ options: String..., request: String = request)
        async throws -> String
    {
        let arguments =
            [
                "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.folder + "/ca.pem", "-ign_eof",
                "-verify_return_error",
            ]
            + options.flatMap { $0.split(separator: " ").map(String.init) }
        return try await runOpenSSL(arguments, input: request).output
    }

    private func withCertificates(
        _ clients: @escaping (Certificates) -> TLSConfiguration.ClientCertificates = { _ in .ignored },
        _ body: @escaping (UInt16, Server, Certificates) async throws -> Void
    ) async throws {
        var router = Router.sample
        router.inline(.get, "/subject") { .text("subject: \($0.clientSubject ?? "none")") }
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            try await withServer(router, tls: certificates.configuration(clients(certificates))) { port, server in
                try await body(port, server, certificates)
            }
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func speaksBothVersions(version: String) async throws {
        try await withCertificates { port, _, certificates in
            let output = try await ask(port, certificates, version, "-alpn h2,http/1.1")
            #expect(output.contains("subject: none") && output.contains("ALPN protocol: http/1.1"))
        }
    }

    @Test(arguments: ["-tls1_1 -cipher DEFAULT@SECLEVEL=0", "-tls1_2 -cipher AES128-SHA", "-alpn h2"])
    func refusesWhatIsOld(options: String) async throws {
        try await withCertificates { port, _, certificates in
            let output = try await ask(port, certificates, options)
            #expect(!output.contains("HTTP/1.1 200"))
        }
    }

    @Test func sendsLargeAnswersAndFiles() async throws {
        try await withCertificates { port, _, certificates in
            let request = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            let output = try await runOpenSSL(
                ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-ign_eof"], input: request)
            #expect(output.bytes.suffix(3_000_000).elementsEqual(Router.pattern(3_000_000)))
        }
    }

    @Test func readsTheClientsSubject() async throws {
        try await withCertificates({ .optional(authorities: $0.folder + "/ca.pem") }) { port, _, certificates in
            let known = "-cert \(certificates.folder)/client.pem -key \(certificates.folder)/client.key"
            #expect(try await ask(port, certificates, known).contains("subject: CN=workstation,O=Nuclear Medicine"))
            #expect(try await ask(port, certificates).contains("subject: none"))
            try await withTemporaryFolder { folder in
                _ = try await Certificates(in: folder)
                let stranger = try await ask(port, certificates, "-cert \(folder)/client.pem -key \(folder)/client.key")
                #expect(!stranger.contains("HTTP/1.1 200"))
            }
        }
    }

    @Test func insistsOnACertificate() async throws {
        try await withCertificates({ .required(authorities: $0.folder + "/ca.pem") }) { port, _, certificates in
            let anonymous = try await ask(port, certificates)
            #expect(!anonymous.contains("HTTP/1.1 200"))
            let known = try await ask(
                port, certificates, "-cert \(certificates.folder)/client.pem -key \(certificates.folder)/client.key")
            #expect(known.contains("HTTP/1.1 200"))
        }
    }

    @Test func reloadsCertificates() async throws {
        try await withCertificates { port, server, certificates in
            #expect(try await ask(port, certificates).contains("CN = localhost"))
            try await certificates.issue("server", subject: "/CN=renewed")
            try server.reloadTLS()
            let output = try await ask(port, certificates)
            #expect(output.contains("CN = renewed") && output.contains("HTTP/1.1 200"))
            // A broken file changes nothing.
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: certificates.folder + "/server.pem"))
            #expect(throws: HTTPError.self) { try server.reloadTLS() }
            #expect(try await ask(port, certificates).contains("CN = renewed"))
        }
    }

    @Test func cutsAHandshakeThatDoesNotCome() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            var limits = Limits.short
            limits.headDeadline = .milliseconds(100)
            try await withServer(limits: limits, tls: certificates.configuration()) { port, _ in
                #expect(try await RawClient(port: port, timeoutSeconds: 10).receiveToEnd().isEmpty)
                let plain = try RawClient(port: port, timeoutSeconds: 10)
                await plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = String(decoding: try await plain.receiveToEnd(), as: UTF8.self)
                #expect(!answer.contains("HTTP/1.1"))
            }
        }
    }

    @Test func namesTheFileThatIsRefused() throws {
        var configuration = Configuration()
        configuration.tls = TLSConfiguration(certificateChain: "/nonexistent", privateKey: "/nonexistent")
        let error = #expect(throws: HTTPError.self) { try Server(configuration: configuration, router: Router()) }
        guard case .tls(file: "/nonexistent", reason: _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

private struct ToolResult: Sendable {
    let status: Int32
    let bytes: [UInt8]

    var output: String { String(decoding: bytes, as: UTF8.self) }
}

/// Runs the openssl tool with its input kept open until it ends by itself.
private func runOpenSSL(_ arguments: [String], input: String) async throws -> ToolResult {
    let result = await onOwnThread { () -> Result<ToolResult, any Error> in
        Result {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["timeout", "60", "openssl"] + arguments
            let (standardInput, standardOutput) = (Pipe(), Pipe())
            process.standardInput = standardInput
            process.standardOutput = standardOutput
            process.standardError = standardOutput
            try process.run()
            standardInput.fileHandleForWriting.write(Data(input.utf8))
            let output = standardOutput.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return ToolResult(status: process.terminationStatus, bytes: Array(output))
        }
    }
    return try result.get()
}

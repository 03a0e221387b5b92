import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// The audit on its way to a repository.
    @Suite struct AuditForwardingTests {
        @Test func messagesWaitUntilTheRepositoryIsThere() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let file = state.file("site.json")
            let json = #"{"audit":{"host":"127.0.0.1","port":\#(port)},"quiet_seconds":0.5}"#
            try json.write(toFile: file, atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", file])
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let isAway = try await eventually { service.process.errors.contains("audit not forwarded") }
            #expect(isAway)
            #expect(try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NULL") == 1)

            let repository = try RunningProgram(
                "/usr/bin/python3", ["-c", Self.repository, "\(port)"], name: "repository", in: state)
            let isSent = try await eventually {
                try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NOT NULL") == 1
            }
            #expect(isSent)
            let text = repository.output
            let count = try #require(text.split(separator: " ").first.flatMap { Int($0) })
            #expect(text.utf8.count == count + "\(count) ".utf8.count)
            #expect(text.contains("<85>1 ") && text.contains(" scintivol ") && text.contains("IHE+RFC-3881"))
            #expect(text.contains("csd-code=\"110104\"") && text.contains("UserID=\"CAMERA\""))
            // The message is well-formed XML behind the byte order mark.
            let start = try #require(text.range(of: "<?xml"))
            try String(text[start.lowerBound...]).write(
                toFile: state.file("message.xml"), atomically: true, encoding: .utf8)
            let parse = "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])"
            #expect(try await ProgramRun("/usr/bin/python3", ["-c", parse, state.file("message.xml")]).status == 0)
            for word in ["Phantom", "SCINTIVOL-1", "19500101"] { #expect(!text.contains(word)) }
            repository.signalGroup(SIGKILL)
            _ = try await repository.status()
            #expect(try await service.end() == 0)
        }

        /// Takes one connection and prints what comes.
        private static let repository = """
            import socket, sys
            s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
            while True:
                c, _ = s.accept()
                while data := c.recv(65536):
                    sys.stdout.buffer.write(data)
                    sys.stdout.flush()
                c.close()
            """
    }
}

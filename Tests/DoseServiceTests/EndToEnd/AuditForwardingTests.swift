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
            // What REST changes and shows is the same audit.
            let looked = try await eventually { try await service.get("/v1/cases/1").status == 200 }
            #expect(looked)
            #expect(try await service.post("/v1/keys", #"{"name":"<x>","role":"reader"}"#).status == 201)
            #expect(try await service.post("/v1/cases/1/force").status == 202)
            let rows = try await service.count("SELECT count(*) FROM audit")
            #expect(try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NULL") == rows)

            let repository = try RunningProgram(
                "/usr/bin/python3", ["-c", Self.repository, "\(port)"], name: "repository", in: state)
            let isSent = try await eventually {
                try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NULL") == 0
            }
            #expect(isSent)
            let text = repository.output
            let messages = Self.records(in: text)
            #expect(messages.count == rows)
            for record in messages {
                #expect(record.contains("<85>1 ") && record.contains(" scintivol ") && record.contains("IHE+RFC-3881"))
            }
            let parse = "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])"
            for (action, code, done, actor, subject) in [
                ("association-ended", "110104", "C", "CAMERA", "association/1"),
                ("view", "110103", "R", "local", "case/1"), ("key-create", "110113", "E", "local", "key/1"),
                ("case-forced", "110103", "U", "local", "case/1"),
            ] {
                let record = try #require(messages.first { $0.contains("csd-code=\"\(action)\"") }, "\(action)")
                #expect(record.contains("<EventID csd-code=\"\(code)\""), "\(action)")
                #expect(record.contains("EventActionCode=\"\(done)\"") && record.contains("UserID=\"\(actor)\""))
                #expect(record.contains("ParticipantObjectID=\"\(subject)\""), "\(action)")
                #expect(record.contains("NetworkAccessPointID="), "\(action)")
                // The message is well-formed XML behind the byte order mark.
                let start = try #require(record.range(of: "<?xml"))
                try String(record[start.lowerBound...]).write(
                    toFile: state.file("message.xml"), atomically: true, encoding: .utf8)
                #expect(try await ProgramRun("/usr/bin/python3", ["-c", parse, state.file("message.xml")]).status == 0)
            }
            for word in ["Phantom", "SCINTIVOL-1", "19500101"] { #expect(!text.contains(word)) }
            repository.signalGroup(SIGKILL)
            _ = try await repository.status()
            #expect(try await service.end() == 0)
        }

        /// By TLS in both directions: a repository that another authority vouches for gets nothing.
        @Test func messagesGoByTLSToWhomTheAuthorityVouchesFor() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            try await makeCertificates(in: state)
            let port = try Archive.freePort()
            let json = """
                {"audit":{"host":"127.0.0.1","port":\(port),"tls":{"certificate_chain":"\(state.file("client.pem"))",
                 "private_key":"\(state.file("client.key"))","authorities":"\(state.file("ca.pem"))"}}}
                """
            try json.write(toFile: state.file("site.json"), atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", state.file("site.json")])
            let foreign = try repository("foreign", port, in: state)
            // Of failures in a row the first is logged: nothing is to be sent before somebody listens.
            let isThere = try await eventually { (try? RawClient(port: port)) != nil }
            #expect(isThere)
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let isTurnedAway = try await eventually { service.process.errors.contains("secure-connection-failed") }
            #expect(isTurnedAway && foreign.output.isEmpty)
            foreign.signalGroup(SIGKILL)
            _ = try await foreign.status()
            #expect(try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NULL") == 1)

            let right = try repository("server", port, in: state)
            let isSent = try await eventually {
                try await service.count("SELECT count(*) FROM audit WHERE sent_at IS NOT NULL") == 1
            }
            #expect(isSent)
            let text = right.output
            let count = try #require(text.split(separator: " ").first.flatMap { Int($0) })
            #expect(text.utf8.count == count + "\(count) ".utf8.count)
            #expect(text.contains("<?xml") && text.contains("UserID=\"CAMERA\""))
            right.signalGroup(SIGKILL)
            _ = try await right.status()
            #expect(try await service.end() == 0)
        }

        private func repository(_ name: String, _ port: UInt16, in state: StateFolder) throws -> RunningProgram {
            try RunningProgram(
                "/usr/bin/python3",
                [
                    "-c", Self.secureRepository, "\(port)", state.file("\(name).pem"), state.file("\(name).key"),
                    state.file("ca.pem"),
                ], name: name, in: state)
        }

        /// An authority with a server and a client, and a server that vouches for itself.
        private func makeCertificates(in state: StateFolder) async throws {
            func run(_ line: String) async throws {
                let made = try await ProgramRun("/usr/bin/openssl", line.split(separator: " ").map(String.init))
                try #require(made.status == 0, "\(made.errors)")
            }
            let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            let names = "-addext subjectAltName=IP:127.0.0.1"
            for name in ["ca", "foreign"] {
                try await run(
                    "req -x509 \(key) -days 2 -subj /CN=\(name) \(names) -keyout \(state.file("\(name).key"))"
                        + " -out \(state.file("\(name).pem"))")
            }
            for name in ["server", "client"] {
                try await run(
                    "req \(key) -subj /CN=\(name) \(names) -keyout \(state.file("\(name).key"))"
                        + " -out \(state.file("\(name).csr"))")
                try await run(
                    "x509 -req -in \(state.file("\(name).csr")) -CA \(state.file("ca.pem")) -CAkey"
                        + " \(state.file("ca.key")) -CAcreateserial -days 2 -copy_extensions copy"
                        + " -out \(state.file("\(name).pem"))")
            }
        }

        /// Asks for a certificate, and prints what comes from those who have one.
        private static let secureRepository = """
            import socket, ssl, sys
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain(sys.argv[2], sys.argv[3])
            c.load_verify_locations(sys.argv[4])
            c.verify_mode = ssl.CERT_REQUIRED
            s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
            while True:
                raw, _ = s.accept()
                try:
                    with c.wrap_socket(raw, server_side=True) as t:
                        while data := t.recv(65536):
                            sys.stdout.buffer.write(data)
                            sys.stdout.flush()
                except OSError:
                    raw.close()
            """

        /// The records of a stream, each behind the count of its octets (RFC 5425 section 4.3).
        private static func records(in text: String) -> [String] {
            var rest = Array(text.utf8)[...]
            var records: [String] = []
            while let space = rest.firstIndex(of: 0x20),
                let count = Int(String(decoding: rest[..<space], as: UTF8.self)), rest.count > count
            {
                records.append(String(decoding: rest[(space + 1)...].prefix(count), as: UTF8.self))
                rest = rest[(space + 1)...].dropFirst(count)
            }
            return rest.isEmpty ? records : []
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

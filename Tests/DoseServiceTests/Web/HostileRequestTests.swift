import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    /// What is meant to harm gets a problem's answer and changes nothing.
    @Suite struct HostileRequestTests {
        private static let texts = [
            "'; DROP TABLE job; --", "<script>alert(1)</script>", "\u{0}", "../../../../etc/passwd", "%00", "%",
            "\" OR 1=1", "{{7*7}}", String(repeating: "A", count: 5000), "\u{202E}x", "-1", "1e9", "+1", "0x1",
            "9223372036854775808",
        ]

        private static func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        }

        @Test func textInEveryPlaceChangesNothing() async throws {
            try await RESTService.with(["--requests-per-second", "0"]) { rest in
                try await rest.run(
                    "INSERT INTO dose_case (patient_key, planar_study_uid, state, revision) VALUES ('k', '1', 'review', 1)"
                )
                let before = try await rest.fingerprint()
                for text in Self.texts {
                    let word = Self.encoded(text)
                    let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
                    let requests: [(String, String, String?)] = [
                        ("GET", "/v1/jobs/\(word)", nil), ("GET", "/v1/jobs?state=\(word)", nil),
                        ("GET", "/v1/jobs?kind=\(word)", nil), ("GET", "/v1/jobs?before=\(word)", nil),
                        ("GET", "/v1/jobs?limit=\(word)", nil), ("GET", "/v1/cases/\(word)", nil),
                        ("GET", "/v1/cases?state=\(word)", nil), ("GET", "/v1/results/\(word)/rtdose", nil),
                        ("GET", "/v1/results/1/files/\(word)", nil), ("GET", "/v1/results/1/views/\(word)", nil),
                        ("GET", "/v1/audit?subject=\(word)&actor=\(word)", nil), ("DELETE", "/v1/keys/\(word)", nil),
                        ("POST", "/v1/jobs", #"{"kind":\#(quoted),"case":1}"#),
                        ("POST", "/v1/jobs", #"{"kind":"reconstruct","case":\#(quoted)}"#),
                        ("POST", "/v1/keys", #"{"name":"x","role":\#(quoted)}"#),
                        ("POST", "/v1/calibrations", #"{"station":\#(quoted)}"#),
                        ("POST", "/v1/cases/1/reject", #"{"reason":5,"x":\#(quoted)}"#),
                        ("POST", "/v1/dicom/studies/\(word)", "{}"), ("GET", "/\(word)", nil),
                    ]
                    for (method, path, json) in requests {
                        let answer = try await rest.send(method, path, json: json)
                        #expect(
                            (200..<300).contains(answer.status) && method == "GET" && answer.text.count < 300
                                || (400..<500).contains(answer.status) && answer.problem != nil,
                            "\(method) \(path.prefix(60)): \(answer.status)")
                        // No answer repeats it where a browser could run it.
                        #expect(!answer.text.contains("<script"))
                    }
                }
                #expect(try await rest.fingerprint() == before)
                #expect(!rest.service.process.errors.contains("DROP TABLE"))
            }
        }

        @Test func whatIsTooMuchIsRefusedBeforeItIsRead() async throws {
            try await RESTService.with(["--http-limit", "connections=50"]) { rest in
                let before = try await rest.fingerprint()
                for (path, type) in [("/v1/jobs", "application/json"), ("/v1/dicom/studies", "multipart/related")] {
                    let client = try RawClient(port: rest.service.addresses.httpPort)
                    await client.send(
                        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type); boundary=b\r\n"
                            + "Content-Length: 10000000000\r\n\r\n")
                    #expect(try await client.receiveAnswer().status == 413)
                }
                // Small on the way and large when unpacked: nothing is unpacked.
                let bomb = try await rest.send("POST", "/v1/jobs", json: "{}", fields: ["Content-Encoding: gzip"])
                #expect(bomb.status == 415 && bomb.problem == "unsupported-media-type")
                let deep = String(repeating: "[", count: 100_000)
                let nested = try await rest.send("POST", "/v1/jobs", json: deep)
                #expect(nested.status == 400 && nested.problem == "invalid-body")
                for path in ["/v1/../../etc/passwd", "/v1/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/v1/jobs/..%2f1"]
                {
                    #expect([400, 404].contains(try await rest.send("GET", path).status), "\(path)")
                }
                #expect(try await rest.send("GET", "/livez").status == 200)
                #expect(try await rest.fingerprint() == before)
            }
        }
    }
}

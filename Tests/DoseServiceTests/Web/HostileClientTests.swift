import DoseService
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Whoever must not be let in is told why, and changes nothing.
    @Suite struct HostileClientTests {
        /// What each asks for would change something if it were done.
        private static let changes: [(String, String, String)] = [
            ("POST", "/v1/cases/1/reject", #"{"reason":"x"}"#), ("POST", "/v1/cases/1/force", ""),
            ("POST", "/v1/cases/1/answers", #"{"answers":{"series.whole":true}}"#),
            ("POST", "/v1/jobs", #"{"kind":"reconstruct","case":1}"#),
            ("PATCH", "/v1/jobs/1", #"{"priority":1}"#), ("POST", "/v1/jobs/1/cancel", ""),
            ("POST", "/v1/keys", #"{"name":"x","role":"admin"}"#), ("DELETE", "/v1/keys/1", ""),
        ]

        private static let rows = [
            """
            INSERT INTO dose_case (patient_key, planar_study_uid, state, reason, revision)
            VALUES ('k', '1', 'review', 'check-chi-square', 1)
            """,
            "INSERT INTO job (kind, priority, payload, attempt_limit, run_at) VALUES ('test', 100, '{}', 5, now())",
        ]

        @Test func aWrongRoleAndAnExpiredKeyChangeNothing() async throws {
            try await RESTService.with(["--require-keys", "--requests-per-second", "0"]) { rest in
                try await rest.run(Self.rows[0], Self.rows[1])
                let reader = ["Authorization: Bearer \(try await rest.key("reader"))"]
                let expired = ["Authorization: Bearer \(try await rest.key("admin", "--days", "1"))"]
                try await rest.run("UPDATE api_key SET expires_at = now() - interval '1 s' WHERE role = 'admin'")
                let before = try await rest.fingerprint()
                for (method, path, json) in Self.changes {
                    let body = json.isEmpty ? nil : json
                    let low = try await rest.send(method, path, json: body, fields: reader)
                    #expect(low.status == 403 && low.problem == "forbidden", "\(method) \(path)")
                    let late = try await rest.send(method, path, json: body, fields: expired)
                    #expect(late.status == 401 && late.problem == "key-expired", "\(method) \(path)")
                    #expect(late["WWW-Authenticate"] == "Bearer")
                }
                #expect(try await rest.fingerprint() == before)
                // They would have, under a key that may.
                let admin = ["Authorization: Bearer \(try await rest.key("admin"))"]
                let (method, path, json) = Self.changes[0]
                #expect(try await rest.send(method, path, json: json, fields: admin).status == 200)
                #expect(try await rest.fingerprint() != before)
            }
        }

        @Test func aForeignCertificateOpensNothing() async throws {
            let folder = try StateFolder()
            for authority in ["ours", "theirs"] { try await Self.makeAuthority(authority, in: folder) }
            try await Self.issue("server", by: "ours", in: folder)
            try await Self.issue("archive", by: "ours", in: folder)
            try await Self.issue("nobody", by: "ours", in: folder)
            try await Self.issue("stranger", by: "theirs", in: folder)
            let tls = [
                "--require-keys", "--tls-certificate", folder.file("server.pem"), "--tls-key",
                folder.file("server.key"), "--tls-client-authorities", folder.file("ours.pem"),
            ]
            try await RESTService.with(tls) { rest in
                try await rest.run(Self.rows[0])
                let role = try await ProgramRun(
                    Scintivol.program,
                    [
                        "key", "add", "--database-url", rest.database.url, "--name", "archive", "--role", "operator",
                        "--certificate-subject", "CN=archive",
                    ])
                #expect(role.status == 0)
                let before = try await rest.fingerprint()
                let nobody = try await Self.reject(rest, as: "nobody", in: folder)
                #expect(nobody.hasPrefix("403 application/problem+json") && nobody.contains("/problems/unknown-client"))
                let anonymous = try await Self.reject(rest, as: nil, in: folder)
                #expect(anonymous.hasPrefix("401 ") && anonymous.contains("/problems/unauthenticated"))
                // A certificate of somebody else's authority does not even get to ask.
                #expect(try await Self.reject(rest, as: "stranger", in: folder) == "no answer\n")
                #expect(try await rest.fingerprint() == before)
                #expect(try await Self.reject(rest, as: "archive", in: folder).hasPrefix("200 "))
            }
        }

        private static func reject(_ rest: RESTService, as client: String?, in folder: StateFolder) async throws
            -> String
        {
            let program = """
                import http.client, ssl, sys
                context = ssl._create_unverified_context()
                if len(sys.argv) > 2:
                    context.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")
                try:
                    connection = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=context, timeout=30)
                    connection.request("POST", "/v1/cases/1/reject", '{"reason":"x"}', {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    print(answer.status, answer.getheader("Content-Type"), answer.read().decode())
                except (OSError, http.client.HTTPException):
                    print("no answer")
                """
            let arguments =
                ["-c", program, "\(rest.service.addresses.httpPort)"] + (client.map { [folder.file($0)] } ?? [])
            return try await ProgramRun("/usr/bin/python3", arguments).output
        }

        private static func makeAuthority(_ name: String, in folder: StateFolder) async throws {
            try await openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(name)"
                    + " -keyout \(folder.file(name)).key -out \(folder.file(name)).pem")
        }

        private static func issue(_ name: String, by authority: String, in folder: StateFolder) async throws {
            try await openssl(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name)"
                    + " -keyout \(folder.file(name)).key -out \(folder.file(name)).csr")
            try await openssl(
                "x509 -req -in \(folder.file(name)).csr -CA \(folder.file(authority)).pem"
                    + " -CAkey \(folder.file(authority)).key -CAcreateserial -days 2 -out \(folder.file(name)).pem")
        }

        private static func openssl(_ line: String) async throws {
            let made = try await ProgramRun("/usr/bin/openssl", line.split(separator: " ").map(String.init))
            #expect(made.status == 0, "\(made.errors)")
        }
    }
}

extension RESTService {
    /// A digest of everything that a request could have changed.
    func fingerprint() async throws -> String {
        try await text(
            """
            SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (
                SELECT j::text AS t FROM job j UNION ALL SELECT c::text FROM dose_case c
                UNION ALL SELECT k::text FROM api_key k UNION ALL SELECT c::text FROM calibration c
                UNION ALL SELECT i::text FROM instance i UNION ALL SELECT i::text FROM idempotency i
                UNION ALL SELECT a::text FROM case_answer a UNION ALL SELECT a::text FROM arrival a
                UNION ALL SELECT count(*)::text FROM audit WHERE action <> 'view') AS everything
            """)
    }
}

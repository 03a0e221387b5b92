import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// SQL and HTML in every field that takes text: either it is refused with its problem, or it is kept as the text that
    /// it is.
    @Suite struct HostileFieldTests {
        private static let texts = [
            "'); DROP TABLE job; --", "<img src=x onerror=alert(1)>", "x' OR '1'='1", "${jndi:ldap://x}", "\\",
        ]

        /// Bodies of everything that takes one, with the place of the text.
        private static func bodies(_ text: String) -> [(String, String, [String: Any])] {
            let site: [String: Any] = [
                "station": "A", "isotope": "177Lu",
                "collimator": [
                    "hole_diameter_mm": 2.94, "hole_length_mm": 40.64, "septa_mm": 1.14,
                    "intrinsic_fwhm_140kev_mm": 3.8,
                ],
                "energy_resolution_140kev_percent": 10, "field_of_view_mm": [533, 387],
                "couch_water_equivalent_mm": 4, "couch_thickness_mm": 20, "ct_kvp": 120, "measured_on": "2026-01-31",
                "source": "phantom",
            ]
            let others: [(String, String, [String: Any])] = [
                ("POST", "/v1/keys", ["name": text, "role": "reader"]),
                ("POST", "/v1/keys", ["name": "n", "role": text]),
                ("POST", "/v1/keys", ["name": "s", "role": "reader", "certificate_subject": text]),
                ("POST", "/v1/jobs", ["kind": text, "case": 1]),
                ("POST", "/v1/jobs", ["kind": "reconstruct", "case": text]),
                ("PATCH", "/v1/jobs/1", ["priority": text]),
                ("POST", "/v1/cases/1/answers", ["answers": [text: true]]),
                ("POST", "/v1/cases/1/answers", ["answers": ["nm.radionuclide-unknown": text]]),
                ("POST", "/v1/cases/1/answers", ["answers": text]),
                ("POST", "/v1/cases/1/approve", ["reason": text, text: text]),
                ("POST", "/v1/cases/2/reject", ["reason": text]),
            ]
            let fields = ["station", "isotope", "measured_on", "valid_until", "source"]
            return others + fields.map { ("POST", "/v1/calibrations", site.merging([$0: text]) { $1 }) }
        }

        @Test func aTextInABodyIsRefusedOrKeptAsItIs() async throws {
            try await RESTService.with(["--requests-per-second", "0"]) { rest in
                // A result without files could not be approved.
                let folder = rest.state.file("state/results/1-1")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data().write(to: URL(fileURLWithPath: "\(folder)/plan.dcm"))
                for text in Self.texts {
                    try await rest.run(
                        "DELETE FROM api_key", "DELETE FROM result", "DELETE FROM dose_case",
                        "INSERT INTO dose_case (id, patient_key, planar_study_uid, state, revision) "
                            + "OVERRIDING SYSTEM VALUE VALUES (1, 'k', '1', 'review', 1), (2, 'k', '2', 'review', 1)",
                        "INSERT INTO result (case_id, case_revision, job_id, folder, summary) VALUES (1, 1, 1, '1-1', '{}')"
                    )
                    for (method, path, body) in Self.bodies(text) {
                        let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
                        let answer = try await rest.send(method, path, json: json)
                        let isKept = (200..<300).contains(answer.status)
                        #expect(
                            isKept || (400..<500).contains(answer.status) && answer.problem != nil, "\(path) \(text)")
                        // What is kept may be shown, but never as a page.
                        #expect(answer["Content-Type"] == (isKept ? "application/json" : "application/problem+json"))
                        #expect(answer["X-Content-Type-Options"] == "nosniff", "\(path)")
                        if !isKept { #expect(!answer.text.contains("DROP") && !answer.text.contains("<img")) }
                    }
                    let quoted = text.replacing("'", with: "''")
                    #expect(try await rest.number("SELECT count(*) FROM api_key WHERE name = '\(quoted)'") == 1)
                    #expect(
                        try await rest.number("SELECT count(*) FROM audit WHERE detail ->> 'reason' = '\(quoted)'") == 2
                    )
                }
                #expect(try await rest.number("SELECT count(*) FROM job") == 0)
                #expect(!rest.service.process.errors.contains("DROP TABLE"))
                #expect(!rest.service.process.errors.contains("onerror"))
            }
        }

        /// What a camera cannot have, by the bounds that openapi.yaml states.
        @Test func anImpossibleNumberIsNoCamera() async throws {
            try await RESTService.with { rest in
                let (_, path, good) = try #require(Self.bodies("x").last { $0.1 == "/v1/calibrations" })
                let changes: [[String: Any]] = [
                    ["field_of_view_mm": [1_000_001, 387]], ["field_of_view_mm": [0, 387]], ["ct_kvp": 1e7],
                    ["couch_thickness_mm": -1], ["calibration_cps_per_mbq_per_head": ["208": 1e7]],
                    ["calibration_cps_per_mbq_per_head": ["2e2": 9]], ["station": String(repeating: "s", count: 201)],
                    ["source": ""], ["isotope": "178Lu"],
                ]
                for change in changes {
                    let body = good.merging(change) { $1 }
                    let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
                    let answer = try await rest.send("POST", path, json: json)
                    #expect(answer.status == 400 && answer.problem == "invalid-body", "\(change)")
                }
                let body = good.merging(["station": String(repeating: "\u{E9}", count: 200)]) { $1 }
                let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
                #expect(try await rest.send("POST", path, json: json).status == 201)
                #expect(try await rest.number("SELECT count(*) FROM calibration") == 1)
            }
        }

        @Test func aTextInAHeaderFieldIsRefusedOrIgnored() async throws {
            try await RESTService.with(["--requests-per-second", "0"]) { rest in
                try await rest.run(
                    "INSERT INTO dose_case (patient_key, planar_study_uid, state, revision) VALUES ('k', '1', 'review', 1)"
                )
                let before = try await rest.fingerprint()
                for text in Self.texts {
                    for (method, path, field, json) in [
                        ("GET", "/v1/jobs", "If-None-Match", nil), ("GET", "/v1/cases/1", "traceparent", nil),
                        ("GET", "/v1/events", "Last-Event-ID", nil), ("GET", "/v1/results/1/rtdose", "Range", nil),
                        ("GET", "/v1/jobs", "Authorization", nil), ("POST", "/v1/keys", "Content-Encoding", "{}"),
                        ("POST", "/v1/jobs", "Idempotency-Key", #"{"kind":"reconstruct","case":9}"#),
                        ("POST", "/v1/dicom/studies", "Content-Type", nil),
                    ] as [(String, String, String, String?)] {
                        let answer = try await rest.send(method, path, json: json, fields: ["\(field): \(text)"])
                        #expect(
                            answer.status == 200 && method == "GET"
                                || (400..<500).contains(answer.status) && answer.problem != nil,
                            "\(path) \(field): \(answer.status)")
                        #expect(!answer.text.contains("DROP") && !answer.text.contains("<img"))
                    }
                }
                #expect(try await rest.fingerprint() == before)
                #expect(!rest.service.process.errors.contains("DROP TABLE"))
            }
        }

        /// What is small on its way and large when it is unpacked is not unpacked, and what does not end is cut off.
        @Test func whatWouldGrowIsRefused() async throws {
            try await RESTService.with { rest in
                let before = try await rest.fingerprint()
                let packed = try await rest.send(
                    "POST", "/v1/dicom/studies",
                    fields: [
                        "Content-Type: multipart/related; type=\"application/dicom\"; boundary=b",
                        "Content-Encoding: gzip", "Content-Length: 4\r\n\r\n1234",
                    ])
                #expect(packed.status == 415 && packed.problem == "unsupported-media-type")
                // Chunks name no length beforehand.
                let client = try RawClient(port: rest.service.addresses.httpPort)
                await client.send(
                    "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                let piece = "10000\r\n" + String(repeating: " ", count: 65_536) + "\r\n"
                for _ in 0..<64 where await client.send(piece) < piece.utf8.count { break }
                #expect(try await client.receiveAnswer().status == 413)
                #expect(try await rest.fingerprint() == before)
                // A part that says that it is packed is no instance.
                let part =
                    "--b\r\nContent-Type: application/dicom\r\nContent-Encoding: deflate\r\n\r\nxxxx\r\n--b--\r\n"
                let partly = try await rest.send(
                    "POST", "/v1/dicom/studies",
                    fields: [
                        "Content-Type: multipart/related; type=\"application/dicom\"; boundary=b",
                        "Content-Length: \(part.utf8.count)\r\n\r\n\(part)",
                    ])
                #expect(partly.status == 409 && partly.text.contains("0008119A"))
                #expect(try await rest.number("SELECT count(*) FROM instance") == 0)
            }
        }
    }
}

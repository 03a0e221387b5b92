import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct CycleRouteTests {
        private static let rows = [
            """
            INSERT INTO dose_case (patient_key, planar_study_uid, state, revision, content_key) VALUES
                ('k', '1', 'delivered', 1, 'c'), ('k', '2', 'delivered', 1, 'c'), ('m', '3', 'delivered', 1, 'c')
            """,
            """
            INSERT INTO result (case_id, case_revision, job_id, folder, summary)
            SELECT n, 1, n, n || '-1', jsonb_build_object('calibrated', true, 'acquisition', jsonb_build_object(
                'radionuclide', '177Lu', 'acquired_at', '2024032' || (5 + n) || '100000',
                'administered_at', '20240325100000')) FROM generate_series(1, 2) AS n
            """,
            """
            INSERT INTO cycle (patient_key, radionuclide, administered_at, administered_mbq, state, revision, result_ids)
            VALUES ('k', '177Lu', '2024-03-25 10:00', 7400, 'review', 2, '{1,2}'),
                ('m', '177Lu', '2024-03-25 10:00', 7400, 'review', 1, '{}'),
                ('n', '177Lu', NULL, NULL, 'needs-input', 1, '{}')
            """,
            """
            INSERT INTO dose_result (cycle_id, cycle_revision, job_id, folder, summary) VALUES
                (1, 1, 11, '11-1', '{}'), (1, 2, 12, '12-2', '{"method": "voxel-kernel"}'), (2, 1, 13, '13-1', '{}')
            """,
        ]

        @Test func cyclesAreListedAndShownWithTheirTimePoints() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.rows[0], Self.rows[1], Self.rows[2], Self.rows[3])
                let all = try await rest.send("GET", "/v1/cycles?limit=2")
                let cycles = try #require(all.members["cycles"] as? [[String: Any]])
                #expect(cycles.map { $0["id"] as? Int } == [3, 2] && all.members["next"] as? Int == 2)
                let review = try await rest.send("GET", "/v1/cycles?state=review")
                #expect((review.members["cycles"] as? [[String: Any]])?.count == 2)
                #expect(try await rest.send("GET", "/v1/cycles?state=asleep").problem == "invalid-parameter")
                let one = try await rest.send("GET", "/v1/cycles/1")
                let points = try #require(one.members["points"] as? [[String: Any]])
                #expect(
                    points.map { $0["hours"] as? Double } == [24, 48] && points.map { $0["case"] as? Int } == [1, 2])
                #expect(one.members["administered_at"] as? String == "20240325100000")
                let doses = try #require(one.members["doses"] as? [[String: Any]])
                #expect(doses.map { $0["revision"] as? Int } == [1, 2])
                #expect(try await rest.send("GET", "/v1/cycles/9").status == 404)
                #expect(!all.text.contains("patient") && !one.text.contains("patient"))
            }
        }

        @Test func aDoseIsSentOrKeptAsSomebodyDecides() async throws {
            try await RESTService.with(["--destination", "ELSEWHERE@127.0.0.1:9"]) { rest in
                try await rest.run(Self.rows[0], Self.rows[1], Self.rows[2], Self.rows[3])
                let reason = #"{"reason":"seen, the kidneys agree"}"#
                let approved = try await rest.send("POST", "/v1/cycles/1/approve", json: reason)
                #expect(approved.status == 200 && approved.members["state"] as? String == "exporting")
                let sent = try await rest.text("SELECT string_agg(file_name, ' ' ORDER BY id) FROM export_item")
                #expect(sent.hasPrefix("12-2/plan.dcm 12-2/regions.dcm"))
                #expect(sent.contains("12-2/dose.dcm") && sent.hasSuffix("12-2/report-pdf.dcm"))
                let rejected = try await rest.send("POST", "/v1/cycles/2/reject", json: reason)
                #expect(rejected.members["state"] as? String == "failed")
                #expect(rejected.members["reason"] as? String == "rejected")
                for path in ["1/approve", "2/reject", "3/approve"] {
                    let refused = try await rest.send("POST", "/v1/cycles/\(path)", json: reason)
                    #expect(refused.status == 409 && refused.problem == "state-forbids", "\(path)")
                }
                #expect(try await rest.send("POST", "/v1/cycles/9/approve", json: reason).status == 404)
                #expect(try await rest.send("POST", "/v1/cycles/3/approve", json: "{}").problem == "invalid-body")
                let audit = try await rest.text(
                    "SELECT string_agg(action || ' ' || subject, ', ' ORDER BY id) FROM audit WHERE action LIKE 'cycle%'"
                )
                #expect(audit == "cycle-approve cycle/1, cycle-reject cycle/2")
                #expect(!rest.service.process.errors.contains("agree"))
                // Asked for again, it is computed again.
                let again = try await rest.send("POST", "/v1/jobs", json: #"{"kind":"dose","cycle":2}"#)
                #expect(again.status == 202 && again.members["kind"] as? String == "dose")
                #expect(try await rest.send("GET", "/v1/cycles/2").members["state"] as? String == "ready")
                let early = try await rest.send("POST", "/v1/jobs", json: #"{"kind":"dose","cycle":3}"#)
                #expect(early.status == 409 && early.problem == "state-forbids")
                let job = try #require(again.members["id"] as? Int)
                #expect(try await rest.send("POST", "/v1/jobs/\(job)/cancel").status == 200)
                #expect(try await rest.send("GET", "/v1/cycles/2").members["reason"] as? String == "cancelled")
            }
        }

        /// A later dose that is rejected takes nothing away from the one that was let pass before it.
        @Test func whatWasDecidedIsSaidOfEveryDose() async throws {
            try await RESTService.with(["--destination", "ELSEWHERE@127.0.0.1:9"]) { rest in
                try await rest.run(Self.rows[0], Self.rows[1], Self.rows[2], Self.rows[3])
                try await rest.run("UPDATE cycle SET revision = 1 WHERE id = 1")
                func decide(_ word: String, _ reason: String) async throws -> RawAnswer {
                    try await rest.send("POST", "/v1/cycles/1/\(word)", json: #"{"reason":"\#(reason)"}"#)
                }
                #expect(try await rest.send("GET", "/v1/cycles/1").members["dose_in_force"] == nil)
                #expect(try await decide("approve", "seen").status == 200)
                // A further time point: the dose is computed again.
                try await rest.run("UPDATE cycle SET revision = 2, state = 'review' WHERE id = 1")
                let rejected = try await decide("reject", "moved")
                #expect(rejected.members["state"] as? String == "failed")
                #expect(rejected.members["dose_in_force"] as? Int == 1)
                let doses = try #require(rejected.members["doses"] as? [[String: Any]])
                #expect(doses.map { $0["decision"] as? String } == ["approved", "rejected"])
                let first = try await rest.send("GET", "/v1/doses/1").members
                // Why, the audit says, which not everybody reads.
                #expect(first["decision"] as? String == "approved" && first["reason"] == nil)
                #expect(first["decided_by"] as? String == "local" && (first["decided_at"] as? Double ?? 0) > 0)
                #expect(try await rest.send("GET", "/v1/doses/2").members["decision"] as? String == "rejected")
                #expect(try await rest.send("GET", "/v1/doses/3").members["decision"] == nil)
            }
        }

        @Test func whatNoFileSaysIsStated() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.rows[2])
                let path = "/v1/cycles/3/administration"
                let stated = try await rest.send(
                    "POST", path, json: #"{"administered_at":"20240401093000","administered_mbq":7100}"#)
                #expect(stated.status == 200 && stated.members["administered_at"] as? String == "20240401093000")
                #expect(stated.members["administered_mbq"] as? Double == 7100)
                #expect(try await rest.text("SELECT stated_by FROM cycle WHERE id = 3") == "local")
                #expect(try await rest.number("SELECT count(*) FROM cycle_due WHERE patient_key = 'n'") == 1)
                for body in [
                    "{}", #"{"administered_mbq":0}"#, #"{"administered_mbq":-1}"#, #"{"administered_at":"tomorrow"}"#,
                    #"{"administered_mbq":1e9}"#, #"{"administered_at":"20240401093000","administered_mbq":"7100"}"#,
                ] {
                    let refused = try await rest.send("POST", path, json: body)
                    #expect(refused.status == 400 && refused.problem == "invalid-body", "\(body)")
                }
                #expect(
                    try await rest.send(
                        "POST", "/v1/cycles/9/administration", json: #"{"administered_mbq":1}"#
                    ).status == 404)
            }
        }

        @Test func aDoseIsShownByPart() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.rows[0], Self.rows[1], Self.rows[2], Self.rows[3])
                let folder = rest.state.file("state/results/12-2")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                for name in ["dose.dcm", "report.pdf", "dose.csv", "dose.nii.gz", "report.html", ".hidden.dcm"] {
                    try Data(name.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
                }
                let view = try await rest.send("GET", "/v1/doses/2")
                #expect(view.members["cycle"] as? Int == 1 && view.members["revision"] as? Int == 2)
                #expect((view.members["files"] as? [[String: Any]])?.count == 5)
                let summary = try await rest.send("GET", "/v1/doses/2/summary")
                #expect(summary.members["method"] as? String == "voxel-kernel")
                let parts = [
                    ("rtdose", "dose.dcm", "application/dicom"), ("report", "report.pdf", "application/pdf"),
                    ("table", "dose.csv", "text/csv; charset=utf-8"), ("volume", "dose.nii.gz", "application/gzip"),
                    ("files/report.html", "report.html", "text/html; charset=utf-8"),
                ]
                for (part, content, type) in parts {
                    let answer = try await rest.send("GET", "/v1/doses/2/\(part)")
                    #expect(answer.text == content && answer["Content-Type"] == type, "\(part)")
                }
                for path in ["2/files/.hidden.dcm", "2/files/absent.dcm", "1/rtdose", "9"] {
                    #expect(try await rest.send("GET", "/v1/doses/\(path)").status == 404, "\(path)")
                }
                let looks = try await rest.number(
                    "SELECT count(*) FROM audit WHERE action = 'view' AND subject = 'dose/2' AND actor = 'local'")
                #expect(looks >= 7)
            }
        }
    }
}

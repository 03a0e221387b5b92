import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct CaseRouteTests {
        private static let rows = [
            """
            INSERT INTO dose_case (patient_key, planar_study_uid, state, reason, revision, content_key) VALUES
                ('k', '1', 'review', 'check-chi-square', 2, 'c'), ('k', '2', 'review', 'check-chi-square', 1, 'c'),
                ('k', '3', 'delivered', NULL, 1, 'c')
            """,
            """
            INSERT INTO result (case_id, case_revision, job_id, folder, summary) VALUES
                (1, 1, 1, '1-1', '{}'), (1, 2, 2, '2-2', '{"method": "stage0"}'), (2, 1, 3, '3-3', '{}')
            """,
        ]

        @Test func casesAreListedByState() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.rows[0])
                let all = try await rest.send("GET", "/v1/cases?limit=2")
                let cases = try #require(all.members["cases"] as? [[String: Any]])
                #expect(cases.map { $0["id"] as? Int } == [3, 2] && all.members["next"] as? Int == 2)
                let rest1 = try await rest.send("GET", "/v1/cases?before=2")
                #expect((rest1.members["cases"] as? [[String: Any]])?.count == 1)
                let review = try await rest.send("GET", "/v1/cases?state=review")
                #expect((review.members["cases"] as? [[String: Any]])?.count == 2)
                #expect(try await rest.send("GET", "/v1/cases?state=asleep").problem == "invalid-parameter")
                #expect(!all.text.contains("patient"))
            }
        }

        @Test func whatFailedACheckIsSentOrKept() async throws {
            try await RESTService.with(["--destination", "ELSEWHERE@127.0.0.1:9"]) { rest in
                try await rest.run(Self.rows[0], Self.rows[1])
                let reason = #"{"reason":"seen, the arms were down"}"#
                // Nothing passes for sent of which nothing is left.
                let gone = try await rest.send("POST", "/v1/cases/1/approve", json: reason)
                #expect(gone.status == 409 && gone.problem == "conflict")
                try Self.put(["plan.dcm", "activity.dcm", "seg.dcm", "overview.png"], for: "2-2", in: rest)
                let approved = try await rest.send("POST", "/v1/cases/1/approve", json: reason)
                #expect(approved.status == 200 && approved.members["state"] as? String == "exporting")
                let sent = try await rest.text("SELECT string_agg(file_name, ' ' ORDER BY id) FROM export_item")
                #expect(sent == "2-2/plan.dcm 2-2/activity.dcm")
                let rejected = try await rest.send("POST", "/v1/cases/2/reject", json: reason)
                #expect(rejected.members["state"] as? String == "failed")
                #expect(rejected.members["reason"] as? String == "rejected")
                for path in ["1/approve", "2/reject", "3/approve"] {
                    let refused = try await rest.send("POST", "/v1/cases/\(path)", json: reason)
                    #expect(refused.status == 409 && refused.problem == "state-forbids", "\(path)")
                }
                #expect(try await rest.send("POST", "/v1/cases/9/approve", json: reason).status == 404)
                #expect(try await rest.send("POST", "/v1/cases/3/approve", json: "{}").problem == "invalid-body")
                let empty = try await rest.send("POST", "/v1/cases/3/approve", json: #"{"reason":""}"#)
                #expect(empty.problem == "invalid-body")
                // What becomes of the export, which is tried at the next second, is audited too.
                let audit = try await rest.text(
                    """
                    SELECT string_agg(action || ' ' || subject || ' ' || (detail ->> 'reason'), ', ' ORDER BY id)
                    FROM audit WHERE action NOT LIKE 'export-%'
                    """)
                #expect(
                    audit == "case-approve case/1 seen, the arms were down, case-reject case/2 seen, the arms were down"
                )
                // The reason may say anything, so no log line and no answer repeats it.
                #expect(!rest.service.process.errors.contains("arms"))
                let log = try await rest.send("GET", "/v1/cases/2/log")
                let states = (log.members["entries"] as? [[String: Any]])?.map { $0["state"] as? String }
                #expect(states == ["review", "failed"])
            }
        }

        @Test func whatACaseAsksForIsAnsweredAndWaitingIsCutShort() async throws {
            try await RESTService.with(["--quiet-seconds", "86400"]) { rest in
                try await rest.run(
                    """
                    INSERT INTO dose_case (patient_key, planar_study_uid, state, reason, fields, revision)
                    VALUES ('k', '1', 'needs-input', 'series-incomplete', '["series.whole"]', 1)
                    """)
                let path = "/v1/cases/1/answers"
                let given = try await rest.send("POST", path, json: #"{"answers":{"series.whole":true}}"#)
                #expect(given.status == 202 && given.members["id"] as? Int == 1)
                let row = try await rest.text("SELECT field || ' ' || value || ' ' || actor FROM case_answer")
                #expect(row == "series.whole true local")
                for (body, status) in [
                    (#"{"answers":{"series.whole":"yes"}}"#, 400), (#"{"answers":{"<b>":true}}"#, 400),
                    (#"{"answers":{}}"#, 400), ("{}", 400),
                ] {
                    let refused = try await rest.send("POST", path, json: body)
                    #expect(refused.status == status && refused.problem == "invalid-body", "\(body)")
                    #expect(!refused.text.contains("<b>"))
                }
                let nobody = try await rest.send(
                    "POST", "/v1/cases/9/answers", json: #"{"answers":{"series.whole":true}}"#)
                #expect(nobody.status == 404)
                #expect(try await rest.number("SELECT count(*) FROM case_answer") == 1)
                #expect(try await rest.send("POST", "/v1/cases/1/force").status == 202)
                #expect(try await rest.send("POST", "/v1/cases/9/force").status == 404)
            }
        }

        @Test func aRepeatedAnswerIsGivenOnce() async throws {
            try await RESTService.with(["--quiet-seconds", "86400"]) { rest in
                try await rest.run(
                    "INSERT INTO dose_case (patient_key, planar_study_uid, state, revision) VALUES ('k', '1', 'needs-input', 1)"
                )
                let (answers, force) = ("/v1/cases/1/answers", "/v1/cases/1/force")
                let body = #"{"answers":{"series.whole":true}}"#
                let first = try await rest.send("POST", answers, json: body, fields: ["Idempotency-Key: a b"])
                let again = try await rest.send("POST", answers, json: body, fields: ["Idempotency-Key: a b"])
                #expect(first.status == 202 && again.status == 202 && again.body == first.body)
                #expect(try await rest.number("SELECT count(*) FROM case_answer") == 1)
                for _ in 0..<2 {
                    #expect(try await rest.send("POST", force, fields: ["Idempotency-Key: c"]).status == 202)
                }
                let audit = "SELECT string_agg(action || ' ' || subject || ' ' || detail, ', ' ORDER BY id) FROM audit"
                #expect(
                    try await rest.text(audit)
                        == #"case-answered case/1 {"fields": "series.whole"}, case-forced case/1 {}"#)
                let other = try await rest.send("POST", force, fields: ["Idempotency-Key: a b"])
                #expect(other.status == 422 && other.problem == "idempotency-conflict")
                for key in ["", "\u{E9}", String(repeating: "k", count: 201)] {
                    let refused = try await rest.send("POST", force, fields: ["Idempotency-Key: \(key)"])
                    #expect(refused.status == 400 && refused.problem == "invalid-parameter", "\(key.prefix(3))")
                }
            }
        }

        /// Writes files that hold their own names.
        private static func put(_ names: [String], for result: String, in rest: RESTService) throws {
            let folder = rest.state.file("state/results/\(result)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for name in names { try Data(name.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        }

        @Test func aResultIsShownByPart() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.rows[0], Self.rows[1])
                let files = ["activity.dcm", "overview.png", "activity.nii.gz", ".hidden.dcm", "notes.txt"]
                try Self.put(files, for: "2-2", in: rest)
                let view = try await rest.send("GET", "/v1/results/2")
                #expect(view.members["case"] as? Int == 1 && view.members["revision"] as? Int == 2)
                let names = (view.members["files"] as? [[String: Any]])?.map { $0["name"] as? String }
                #expect(names == ["activity.dcm", "activity.nii.gz", "notes.txt", "overview.png"])
                let summary = try await rest.send("GET", "/v1/results/2/summary")
                #expect(summary.members["method"] as? String == "stage0")
                let picture = try await rest.send("GET", "/v1/results/2/views/overview")
                #expect(picture.status == 200 && picture["Content-Type"] == "image/png")
                #expect(try await rest.send("GET", "/v1/results/2/files/activity.nii.gz").text == "activity.nii.gz")
                for path in [
                    "2/uncertainty", "2/views/other", "2/files/.hidden.dcm", "2/files/notes.txt", "9/rtdose", "9",
                    "2/files/..%5cactivity.dcm", "2/views/..%2e", "2/files/activity.dcm%00.png",
                ] {
                    let answer = try await rest.send("GET", "/v1/results/\(path)")
                    #expect(answer.status == 404 || answer.status == 400, "\(path): \(answer.status)")
                }
                let looks = try await rest.number(
                    "SELECT count(*) FROM audit WHERE action = 'view' AND subject = 'result/2' AND actor = 'local'")
                #expect(looks >= 4)
            }
        }
    }
}

import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    /// The REST interface of a service without workers, over rows that the tests write.
    @Suite struct RESTTests {
        private func withService(
            _ body: (RunningService, ConnectionSettings, StateFolder) async throws -> Void
        ) async throws {
            let database = try await onThread { try PrivatePostgres.makeDatabase() }
            let state = try StateFolder()
            let service = try await RunningService(in: state, ["--database-url", database.url], subcommand: "serve")
            try await body(service, database, state)
            #expect(try await service.end() == 0)
        }

        @Test func jobsAreListedNewestFirstPageByPage() async throws {
            try await withService { service, database, _ in
                let queue = JobQueue(pool: Pool(database, countLimit: 2))
                for _ in 0..<5 { _ = try await queue.enqueue(NewJob(kind: "test", payload: "{}")) }
                let first = try await service.decoded(JobPageAnswer.self, from: "/v1/jobs?limit=3")
                #expect(first.jobs.map(\.id) == [5, 4, 3] && first.next == 3)
                let second = try await service.decoded(JobPageAnswer.self, from: "/v1/jobs?limit=3&before=3")
                #expect(second.jobs.map(\.id) == [2, 1])
                let last = try await service.decoded(JobPageAnswer.self, from: "/v1/jobs?before=1")
                #expect(last.jobs.isEmpty && last.next == nil)
                let running = try await service.decoded(JobPageAnswer.self, from: "/v1/jobs?state=running")
                #expect(running.jobs.isEmpty)
                let waiting = try await service.decoded(JobPageAnswer.self, from: "/v1/jobs?state=available")
                #expect(waiting.jobs.count == 5 && waiting.jobs.allSatisfy { $0.state == "available" })
            }
        }

        @Test func aJobHasAnEntityTagThatChangesWithIt() async throws {
            try await withService { service, database, _ in
                let queue = JobQueue(pool: Pool(database, countLimit: 2))
                let id = try await queue.enqueue(NewJob(kind: "test", payload: "{}")).id
                let before = try await service.get("/v1/jobs/1")
                let tag = try #require(before["ETag"])
                #expect(before.status == 200 && before["Content-Type"] == "application/json")
                #expect(try await service.get("/v1/jobs/1", ["If-None-Match: \(tag)"]).status == 304)
                _ = try await queue.cancel(id)
                // Another process has changed it: that is known as soon as its notification has come.
                var after = try await service.get("/v1/jobs/1", ["If-None-Match: \(tag)"])
                let isSeen = try await eventually {
                    after = try await service.get("/v1/jobs/1", ["If-None-Match: \(tag)"])
                    return after.status == 200
                }
                #expect(isSeen && after["ETag"] != tag)
                #expect(try JSONDecoder().decode(JobAnswer.self, from: Data(after.body)).state == "cancelled")
            }
        }

        @Test func problemsAreProblemDocuments() async throws {
            let cases: [(path: String, status: Int, type: String)] = [
                ("/v1/jobs/1", 404, "/problems/not-found"), ("/v1/cases/1", 404, "/problems/not-found"),
                ("/v1/results/1/rtdose", 404, "/problems/not-found"),
                ("/v1/jobs/0", 400, "/problems/invalid-parameter"), ("/v1/jobs/-1", 400, "/problems/invalid-parameter"),
                ("/v1/jobs/+1", 400, "/problems/invalid-parameter"),
                ("/v1/cases/x", 400, "/problems/invalid-parameter"),
                ("/v1/jobs/99999999999999999999", 400, "/problems/invalid-parameter"),
                ("/v1/jobs?state=asleep", 400, "/problems/invalid-parameter"),
                ("/v1/jobs?limit=0", 400, "/problems/invalid-parameter"),
                ("/v1/jobs?limit=201", 400, "/problems/invalid-parameter"),
                ("/v1/jobs?before=x", 400, "/problems/invalid-parameter"), ("/v1/nothing", 404, "about:blank"),
            ]
            try await withService { service, _, _ in
                for (path, status, type) in cases {
                    let answer = try await service.get(path)
                    #expect(answer.status == status, "\(path)")
                    #expect(answer["Content-Type"] == "application/problem+json", "\(path)")
                    let problem = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
                    #expect(problem?["type"] as? String == type, "\(path)")
                    #expect(problem?["status"] as? Int == status, "\(path)")
                }
            }
        }

        @Test func aResultIsServedAsItsFile() async throws {
            try await withService { service, database, state in
                try await onThread {
                    let connection = try Connection(database)
                    for sql in Self.resultRows { try connection.runSimple(Statement("test.rows", sql)) }
                }
                let bytes = Data((0..<1000).map { UInt8($0 % 251) })
                let folder = state.file("state/results/1-1")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try bytes.write(to: URL(fileURLWithPath: "\(folder)/activity.dcm"))
                let answer = try await service.get("/v1/results/1/rtdose")
                #expect(answer.status == 200 && answer["Content-Type"] == "application/dicom")
                #expect(Data(answer.body) == bytes)
                let part = try await service.get("/v1/results/1/rtdose", ["Range: bytes=10-19"])
                #expect(part.status == 206 && Data(part.body) == bytes[10..<20])

                let view = try await service.decoded(CaseAnswer.self, from: "/v1/cases/1")
                #expect(view.state == "exporting" && view.results.map(\.id) == [1] && view.instance_count == 0)
                #expect(view.results.first?.exports.map(\.state) == ["pending"])
                let text = try await service.get("/v1/cases/1").text
                #expect(!text.contains("patient") && !text.contains("KEY OF SOMEBODY"))
            }
        }

        private static let resultRows = [
            "INSERT INTO dose_case (patient_key, planar_study_uid, state) VALUES ('KEY OF SOMEBODY', '1.2', 'exporting')",
            "INSERT INTO result (case_id, case_revision, job_id, folder, summary) VALUES (1, 1, 1, '1-1', '{}')",
            """
            INSERT INTO export_item (result_id, destination, output, file_name)
            VALUES (1, 'ELSEWHERE', 'activity', '1-1/activity.dcm')
            """,
        ]

        @Test func metricsAreWellFormed() async throws {
            try await withService { service, database, _ in
                let queue = JobQueue(pool: Pool(database, countLimit: 2))
                _ = try await queue.enqueue(NewJob(kind: "test", payload: "{}"))
                _ = try await service.get("/v1/jobs")
                let answer = try await service.get("/metrics")
                #expect(answer.status == 200)
                #expect(answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
                let samples = try PrometheusText(answer.text).samples
                #expect(samples["scintivol_jobs{kind=\"test\",state=\"available\"}"] == 1)
                #expect(samples["scintivol_dicom_associations_open"] == 0)
                let requests = "scintivol_http_requests_total{route=\"/v1/jobs\",method=\"GET\",status=\"200\"}"
                #expect(samples[requests] == 1)
            }
        }

        @Test func readinessFollowsTheDatabaseAndLivenessDoesNot() async throws {
            let own = try await onThread { try TemporaryServer() }
            let state = try StateFolder()
            let service = try await RunningService(
                in: state, ["--database-url", own.server.url()], subcommand: "serve")
            #expect(try await service.get("/readyz").status == 200)
            try await onThread { try own.server.stop(.immediate) }
            let gone = try await service.get("/readyz")
            #expect(gone.status == 503 && gone.text.contains("\"database\":\"unavailable\""))
            #expect(try await service.get("/livez").status == 200)
            let jobs = try await service.get("/v1/jobs")
            #expect(jobs.status == 503 && jobs["Retry-After"] == "5")
            #expect(jobs.text.contains("/problems/database-unavailable"))
            let readyProbe = ["health", "--http-port", "\(service.addresses.httpPort)"]
            #expect(try await ProgramRun(Scintivol.program, readyProbe).status == 1)
            #expect(try await ProgramRun(Scintivol.program, readyProbe + ["--probe", "livez"]).status == 0)

            _ = try await onThread { try PrivateServer.start(in: own.folder) }
            let isBack = try await eventually { try await service.get("/readyz").status == 200 }
            #expect(isBack)
            #expect(try await service.end() == 0)
        }
    }
}

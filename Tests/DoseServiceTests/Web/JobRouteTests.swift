import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct JobRouteTests {
        private static let failedCase = """
            INSERT INTO dose_case (patient_key, planar_study_uid, state, reason, revision, content_key)
            VALUES ('k', '1.2', 'failed', 'nm-zero-counts', 1, 'c')
            """

        @Test func aRepeatedRequestMakesOneJob() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.failedCase)
                let body = #"{"kind":"reconstruct","case":1,"priority":7}"#
                let key = ["Idempotency-Key: first"]
                let first = try await rest.send("POST", "/v1/jobs", json: body, fields: key)
                #expect(first.status == 202 && first["Location"] == "/v1/jobs/1")
                #expect(first.members["state"] as? String == "available" && first.members["priority"] as? Int == 7)
                // Done meanwhile: without the key, the request would make another.
                try await rest.run(
                    "UPDATE job SET state = 'cancelled', finished_at = now()",
                    "UPDATE dose_case SET state = 'failed'")
                let again = try await rest.send("POST", "/v1/jobs", json: body, fields: key)
                #expect(again.status == 202 && again["Location"] == "/v1/jobs/1" && again.body == first.body)
                let other = try await rest.send(
                    "POST", "/v1/jobs", json: #"{"kind":"reconstruct","case":1}"#, fields: key)
                #expect(other.status == 422 && other.problem == "idempotency-conflict")
                #expect(try await rest.number("SELECT count(*) FROM job") == 1)
                let without = try await rest.send("POST", "/v1/jobs", json: body)
                #expect(without.status == 202 && without["Location"] == "/v1/jobs/2")
                // While it lives, asking again finds it.
                #expect(try await rest.send("POST", "/v1/jobs", json: body)["Location"] == "/v1/jobs/2")
                #expect(try await rest.text("SELECT state FROM dose_case") == "ready")
                let audit = try await rest.number("SELECT count(*) FROM audit WHERE action = 'job-create'")
                #expect(audit == 3)
            }
        }

        @Test func aRefusedChangeLeavesNothing() async throws {
            try await RESTService.with { rest in
                try await rest.run(
                    "INSERT INTO dose_case (patient_key, planar_study_uid) VALUES ('k', '1.2')",
                    "INSERT INTO dose_case (patient_key, planar_study_uid, state, revision) VALUES ('k', '2', 'review', 1)"
                )
                for (body, status, type) in [
                    (#"{"kind":"reconstruct","case":1}"#, 409, "state-forbids"),
                    (#"{"kind":"reconstruct","case":9}"#, 404, "not-found"),
                    (#"{"kind":"dream","case":2}"#, 400, "invalid-body"), (#"{"case":2}"#, 400, "invalid-body"),
                    (#"{"kind":"reconstruct","case":2,"priority":70000}"#, 400, "invalid-body"),
                    ("{", 400, "invalid-body"),
                ] {
                    let answer = try await rest.send("POST", "/v1/jobs", json: body, fields: ["Idempotency-Key: k"])
                    #expect(answer.status == status && answer.problem == type, "\(body)")
                }
                let form = try await rest.send("POST", "/v1/jobs", fields: ["Content-Length: 2\r\n\r\n{}"])
                #expect(form.status == 415 && form.problem == "unsupported-media-type")
                #expect(try await rest.number("SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM audit)") == 0)
                #expect(try await rest.number("SELECT count(*) FROM idempotency") == 0)
            }
        }

        @Test func aJobIsCancelledRetriedAndMoved() async throws {
            try await RESTService.with { rest in
                try await rest.run(Self.failedCase)
                let made = try await rest.send("POST", "/v1/jobs", json: #"{"kind":"reconstruct","case":1}"#)
                #expect(made.status == 202)
                for _ in 0..<3 { _ = try await rest.send("GET", "/v1/jobs/1") }
                let moved = try await rest.send("PATCH", "/v1/jobs/1", json: #"{"priority":-5}"#)
                // Whoever has changed something sees it at once.
                let old = ["If-None-Match: \"1\""]
                #expect(try await rest.send("GET", "/v1/jobs/1", fields: old).status == 200)
                #expect(moved.status == 200 && moved.members["priority"] as? Int == -5)
                let cancelled = try await rest.send("POST", "/v1/jobs/1/cancel")
                #expect(cancelled.status == 200 && cancelled.members["state"] as? String == "cancelled")
                #expect(try await rest.text("SELECT state || ' ' || reason FROM dose_case") == "failed cancelled")
                let twice = try await rest.send("POST", "/v1/jobs/1/cancel")
                #expect(twice.status == 409 && twice.problem == "already-ended")
                #expect(try await rest.send("PATCH", "/v1/jobs/1", json: #"{"priority":1}"#).problem == "already-ended")
                let retried = try await rest.send("POST", "/v1/jobs/1/retry")
                #expect(retried.status == 202 && retried["Location"] == "/v1/jobs/2")
                #expect(try await rest.text("SELECT state FROM dose_case") == "ready")

                let queue = JobQueue(pool: Pool(rest.database, countLimit: 1))
                _ = try await queue.claim(kinds: ["reconstruct"], limit: 1, owner: "test")
                #expect(try await rest.send("POST", "/v1/jobs/2/retry").problem == "state-forbids")
                let asked = try await rest.send("POST", "/v1/jobs/2/cancel")
                #expect(asked.status == 202 && asked.members["state"] as? String == "running")
                let log = try await rest.send("GET", "/v1/jobs/2/log")
                let entries = log.members["entries"] as? [[String: Any]]
                #expect(entries?.map { $0["event"] as? String } == ["enqueued", "claimed", "cancel_requested"])
                #expect(try await rest.send("GET", "/v1/jobs/9/log").status == 404)
            }
        }

        @Test func aWaitingClientHearsOfTheChange() async throws {
            try await RESTService.with { rest in
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 2))
                let id = try await queue.enqueue(NewJob(kind: "test", payload: "{}")).id
                let tag = try #require(try await rest.send("GET", "/v1/jobs/1")["ETag"])
                let unchanged = try await rest.send("GET", "/v1/jobs/1?wait=1", fields: ["If-None-Match: \(tag)"])
                #expect(unchanged.status == 304)
                let asked = try await rest.text("SELECT extract(epoch FROM clock_timestamp())")
                async let held = rest.send("GET", "/v1/jobs/1?wait=60", fields: ["If-None-Match: \(tag)"])
                // Only once the request is waiting does the change prove anything.
                let isWaiting = try await eventually {
                    try await rest.number(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE query LIKE '%FROM job WHERE id%' AND query_start > to_timestamp(\(asked))
                            AND pid <> pg_backend_pid()
                        """) > 0
                }
                #expect(isWaiting)
                _ = try await queue.cancel(id)
                let answer = try await held
                #expect(answer.status == 200 && answer.members["state"] as? String == "cancelled")
                #expect(try await rest.send("GET", "/v1/jobs/1?wait=61").problem == "invalid-parameter")
            }
        }

        /// Many who ask at once are answered by few queries, each with its own job.
        @Test func whoAsksTogetherIsAnsweredTogether() async throws {
            try await RESTService.with(["--requests-per-second", "0"]) { rest in
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 1))
                for number in 1...8 {
                    _ = try await queue.enqueue(NewJob(kind: "test \(number) \"\\", payload: "{}"))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...40 {
                        group.addTask {
                            let id = number % 10
                            let answer = try await rest.send("GET", "/v1/jobs/\(id)")
                            switch id {
                            case 0: #expect(answer.problem == "invalid-parameter")
                            case 9: #expect(answer.problem == "not-found")
                            default: #expect(answer.members["kind"] as? String == "test \(id) \"\\")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                // Alone or in a list, a job is said in the same words.
                _ = try await queue.claim(kinds: ["test 1 \"\\"], limit: 1, owner: "w")
                _ = try await queue.cancel(JobID(rawValue: 2), reason: "x/y")
                for id in [1, 2, 3] {
                    let alone = try await rest.send("GET", "/v1/jobs/\(id)").text
                    #expect(try await rest.send("GET", "/v1/jobs").text.contains(alone), "\(id)")
                }
            }
        }

        /// What has not changed is answered while nobody can read the table.
        @Test func anUnchangedJobNeedsNoDatabase() async throws {
            try await RESTService.with { rest in
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 1))
                let id = try await queue.enqueue(NewJob(kind: "test", payload: "{}")).id
                // The notification of the enqueueing may still be on its way, and makes the first reading uncertain.
                let isKnown = try await eventually(within: .seconds(60)) {
                    let tag = try #require(try await rest.send("GET", "/v1/jobs/1")["ETag"])
                    return try await rest.withLockedJobs {
                        let known = try await rest.quick("/v1/jobs/1", "If-None-Match: \(tag)")
                        #expect(try await rest.quick("/v1/jobs/1", "If-None-Match: \"other\"") == nil)
                        return known == 304
                    }
                }
                #expect(isKnown)
                let tag = try #require(try await rest.send("GET", "/v1/jobs/1")["ETag"])
                _ = try await queue.cancel(id)
                let isSeen = try await eventually {
                    try await rest.send("GET", "/v1/jobs/1", fields: ["If-None-Match: \(tag)"]).status == 200
                }
                #expect(isSeen)
            }
        }
    }
}

extension RESTService {
    /// Runs `body` while another session lets nobody read jobs.
    fileprivate func withLockedJobs(_ body: () async throws -> Bool) async throws -> Bool {
        let locker = try Connection(database)
        try locker.runSimple(Statement("test.lock", "BEGIN; LOCK TABLE job IN ACCESS EXCLUSIVE MODE"))
        let result = try await body()
        try locker.runSimple(Statement("test.unlock", "COMMIT"))
        return result
    }

    /// The status, or nil when no answer comes within a second.
    fileprivate func quick(_ path: String, _ field: String) async throws -> Int? {
        let client = try RawClient(port: service.addresses.httpPort, timeoutSeconds: 1)
        await client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(field)\r\n\r\n")
        do { return try await client.receiveAnswer().status } catch RawClient.Failure.timedOut { return nil }
    }
}

import DoseService
import Foundation
import HTTP
import Jobs
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct EventTests {
        private func open(_ rest: RESTService, _ fields: String...) async throws -> RawClient {
            let client = try RawClient(port: rest.service.addresses.httpPort, timeoutSeconds: 60)
            let lines = ["GET /v1/events HTTP/1.1", "Host: localhost"] + fields
            await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
            let head = try await client.receive(through: "\r\n\r\n")
            #expect(head.contains("200 OK") && head.contains("text/event-stream"))
            return client
        }

        /// The next event's identifier, name and data.
        private func next(_ client: RawClient) async throws -> (id: String, name: String, data: [String: Any]) {
            let id = try await client.receive(through: "id: ")
            _ = id
            let number = try await client.receive(through: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await client.receive(through: "event: ")
            let name = try await client.receive(through: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await client.receive(through: "data: ")
            let data = try await client.receive(through: "\n")
            let members = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            return (number, name, members ?? [:])
        }

        @Test func aReaderThatComesBackMissesNothing() async throws {
            try await RESTService.with { rest in
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 2))
                let first = try await open(rest)
                let id = try await queue.enqueue(NewJob(kind: "test", payload: "{}")).id
                let enqueued = try await next(first)
                #expect(enqueued.name == "job" && enqueued.data["event"] as? String == "enqueued")
                first.reset()

                _ = try await queue.cancel(id)
                try await rest.run("INSERT INTO dose_case (patient_key, planar_study_uid) VALUES ('k', '1')")
                let again = try await open(rest, "Last-Event-ID: \(enqueued.id)")
                let cancelled = try await next(again)
                #expect(cancelled.data["event"] as? String == "cancelled" && cancelled.data["job"] as? Int == 1)
                let opened = try await next(again)
                #expect(opened.name == "case" && opened.data["state"] as? String == "collecting")
                #expect(opened.data.keys.sorted() == ["at", "case", "reason", "revision", "state"])
                again.reset()
                let refused = try await rest.send("GET", "/v1/events", fields: ["Last-Event-ID: x"])
                #expect(refused.problem == "invalid-parameter")
            }
        }

        /// A row whose number is lower but whose transaction ends later comes later, and comes.
        @Test func aSlowTransactionIsNotPassedOver() async throws {
            try await RESTService.with { rest in
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 2))
                let client = try await open(rest)
                let slow = try Connection(rest.database)
                try slow.runSimple(
                    Statement(
                        "test.slow",
                        "BEGIN; INSERT INTO dose_case (patient_key, planar_study_uid) VALUES ('slow', '1')"))
                _ = try await queue.enqueue(NewJob(kind: "test", payload: "{}"))
                try await rest.run("INSERT INTO dose_case (patient_key, planar_study_uid) VALUES ('fast', '1')")
                try slow.runSimple(Statement("test.end", "COMMIT"))
                var seen: [String] = []
                for _ in 0..<3 {
                    let event = try await next(client)
                    seen.append("\(event.name) \(event.data["case"] ?? event.data["job"] ?? "")")
                }
                #expect(Set(seen) == ["case 1", "case 2", "job 1"])
                client.reset()
            }
        }
    }
}

@Suite struct ChangesTests {
    private let changes = Changes(
        ring: KeyRing(pool: Pool(ConnectionSettings(url: "postgresql:///none"), countLimit: 1)))
    private let job = JobID(rawValue: 7)

    @Test func aRevisionIsKnownOnlyWhileItsSuccessorWouldBeHeardOf() {
        changes.remember(1, of: job, readAt: changes.generation)
        #expect(changes.revision(of: job) == nil, "nobody listens yet")
        changes.take(.connected)
        changes.remember(1, of: job, readAt: changes.generation)
        #expect(changes.revision(of: job) == 1)
        changes.take(.notification(channel: "job_revised", payload: "8"))
        #expect(changes.revision(of: job) == 1)
        changes.take(.notification(channel: "job_revised", payload: "7"))
        #expect(changes.revision(of: job) == nil)
        // Read before the notification, remembered after it: that would stay wrong for ever.
        let before = changes.generation
        changes.take(.notification(channel: "job_revised", payload: "7"))
        changes.remember(1, of: job, readAt: before)
        #expect(changes.revision(of: job) == nil)
        changes.remember(2, of: job, readAt: changes.generation)
        changes.take(.disconnected)
        #expect(changes.revision(of: job) == nil)
    }

    @Test func whoeverWaitsIsWokenForItsOwnTopic() async throws {
        let mine = try changes.subscribe(.job(job))
        changes.take(.notification(channel: "job_revised", payload: "8"))
        let start = ContinuousClock.now
        await mine.next(atMost: .milliseconds(50))
        #expect(ContinuousClock.now - start >= .milliseconds(45), "another job's change woke it")
        changes.take(.notification(channel: "job_revised", payload: "7"))
        let again = ContinuousClock.now
        await mine.next(atMost: .seconds(2))
        #expect(ContinuousClock.now - again < .seconds(2), "its own change did not wake it")
    }

    @Test func aBoundedNumberMayWait() throws {
        var held: [Changes.Subscription] = []
        while held.count < 1000, let next = try? changes.subscribe(.everything) { held.append(next) }
        #expect(held.count == 256)
        held.removeLast()
        _ = try changes.subscribe(.everything)
    }
}

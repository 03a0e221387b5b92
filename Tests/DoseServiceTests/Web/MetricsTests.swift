import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct MetricsTests {
        /// The families that a service exports, by name and type.
        private static func families(_ text: String) -> [String: String] {
            var families: [String: String] = [:]
            for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                families[String(words[2])] = String(words[3])
            }
            return families
        }

        private static func file(_ path: String) throws -> String {
            let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized
            return try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
        }

        @Test func everyFamilyIsDocumentedAndEveryDocumentedOneExists() async throws {
            try await RESTService.with { rest in
                let exported = Self.families(try await rest.send("GET", "/metrics").text)
                #expect(exported.count > 15)
                var documented: [String: String] = [:]
                for row in try Self.file("docs/metrics.md").matches(of: #/\| `(scintivol_[a-z_]+)` \| ([a-z]+) \|/#) {
                    documented[String(row.output.1)] = String(row.output.2)
                }
                #expect(documented == exported)
                for path in ["deploy/prometheus/rules.yaml", "deploy/grafana/dashboard.json", "docs/operations.md"] {
                    let used = try Self.file(path).matches(of: #/scintivol_[a-z_]+/#).map { String($0.output) }
                    #expect(!used.isEmpty)
                    for name in used {
                        let family = ["_bucket", "_sum", "_count"].first { ending in
                            name.hasSuffix(ending) && exported[String(name.dropLast(ending.count))] == "histogram"
                        }
                        let base = family.map { String(name.dropLast($0.count)) } ?? name
                        #expect(exported[base] != nil, "\(path) uses \(name)")
                    }
                }
            }
        }

        @Test func whatHappensToJobsIsCounted() async throws {
            try await RESTService.with { rest in
                // The first scrape sets the beginning.
                _ = try await rest.send("GET", "/metrics")
                var timing = JobTiming()
                timing.lease = .zero
                timing.runLimit = .zero
                let queue = JobQueue(pool: Pool(rest.database, countLimit: 2), timing: timing)
                let job = NewJob(kind: "test", payload: "{}")
                _ = try await queue.enqueue(job)
                let lost = try #require(try await queue.claim(kinds: ["test"], limit: 1, owner: "a").first)
                _ = try await queue.sweep()
                #expect(try await queue.finish(lost.lease, .completed(result: nil)) == .fenced)
                let held = try #require(try await queue.claim(kinds: ["test"], limit: 1, owner: "b").first)
                #expect(try await queue.finish(held.lease, .completed(result: nil)) == .written(.completed))

                var samples: [String: Double] = [:]
                let isCounted = try await eventually {
                    samples = try PrometheusText(try await rest.send("GET", "/metrics").text).samples
                    return samples[#"scintivol_job_events_total{kind="test",event="completed"}"#] == 1
                }
                #expect(isCounted)
                for (event, count) in ["enqueued": 1.0, "claimed": 2, "rescued": 1, "fenced": 1] {
                    #expect(
                        samples["scintivol_job_events_total{kind=\"test\",event=\"\(event)\"}"] == count, "\(event)")
                }
                #expect(samples[#"scintivol_job_wait_seconds_count{kind="test"}"#] == 2)
                #expect(samples[#"scintivol_job_wait_seconds_bucket{kind="test",le="+Inf"}"#] == 2)
                #expect(samples[#"scintivol_job_run_seconds_count{kind="test"}"#] == 1)
                // Counted once, however often one asks.
                let again = try PrometheusText(try await rest.send("GET", "/metrics").text).samples
                #expect(again[#"scintivol_job_events_total{kind="test",event="claimed"}"#] == 2)
                let metrics = #"scintivol_http_request_seconds_count{route="/metrics"}"#
                #expect((again[metrics] ?? 0) >= 2)
            }
        }

        @Test func aRequestIsOneLineOfJSONWithItsTrace() async throws {
            try await RESTService.with { rest in
                let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
                _ = try await rest.send(
                    "GET", "/v1/cases/77?state=SECRET", fields: ["traceparent: 00-\(trace)-00f067aa0ba902b7-01"])
                _ = try await rest.send("GET", "/livez")
                var lines: [[String: String]] = []
                let isLogged = try await eventually {
                    lines = rest.service.process.errors.split(separator: "\n").compactMap {
                        try? JSONDecoder().decode([String: String].self, from: Data($0.utf8))
                    }
                    return lines.contains { $0["message"] == "request" }
                }
                #expect(isLogged)
                let requests = lines.filter { $0["message"] == "request" }
                #expect(requests.count == 1, "probes that succeed say nothing")
                let line = try #require(requests.first)
                #expect(line["route"] == "/v1/cases/{id}" && line["status"] == "404" && line["trace"] == trace)
                #expect(line["method"] == "GET" && line["peer"] == "::ffff:127.0.0.1" || line["peer"] == "127.0.0.1")
                #expect(!rest.service.process.errors.contains("SECRET"))
            }
        }
    }
}

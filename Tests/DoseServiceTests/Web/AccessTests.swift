import DoseService
import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct AccessTests {
        private static func bearer(_ key: String) -> [String] { ["Authorization: Bearer \(key)"] }

        @Test func everyRoleDoesWhatItMay() async throws {
            try await RESTService.with(["--require-keys"]) { rest in
                let keys = [
                    "reader": try await rest.key("reader"), "operator": try await rest.key("operator"),
                    "admin": try await rest.key("admin"),
                ]
                // Path, and the lowest role that gets beyond the gate.
                let requests: [(String, String, String?, String)] = [
                    ("GET", "/v1/jobs", nil, "reader"), ("GET", "/v1/cases/9", nil, "reader"),
                    ("GET", "/v1/peers", nil, "reader"), ("GET", "/v1/models", nil, "reader"),
                    ("POST", "/v1/jobs/9/cancel", nil, "operator"),
                    ("PATCH", "/v1/jobs/9", #"{"priority":1}"#, "operator"),
                    ("POST", "/v1/cases/9/reject", #"{"reason":"x"}"#, "operator"),
                    ("POST", "/v1/dicom/studies", "{}", "operator"), ("GET", "/v1/audit", nil, "admin"),
                    ("GET", "/v1/keys", nil, "admin"), ("DELETE", "/v1/keys/999", nil, "admin"),
                    ("DELETE", "/v1/calibrations/9", nil, "admin"),
                ]
                for (method, path, json, lowest) in requests {
                    #expect(try await rest.send(method, path, json: json).problem == "unauthenticated", "\(path)")
                    for (role, key) in keys {
                        let answer = try await rest.send(method, path, json: json, fields: Self.bearer(key))
                        let mayPass = Self.order(role) >= Self.order(lowest)
                        #expect((answer.status != 403) == mayPass && answer.status != 401, "\(role) \(method) \(path)")
                        if !mayPass { #expect(answer.problem == "forbidden") }
                    }
                }
                #expect(try await rest.number("SELECT count(*) FROM audit WHERE actor = 'local'") == 0)
                for path in ["/livez", "/readyz", "/metrics"] {
                    #expect(try await rest.send("GET", path).status == 200, "\(path) is for probes")
                }
            }
        }

        private static func order(_ role: String) -> Int { ["reader", "operator", "admin"].firstIndex(of: role) ?? -1 }

        @Test func aKeyThatIsNoneOrOverOpensNothing() async throws {
            try await RESTService.with(["--require-keys"]) { rest in
                let key = try await rest.key("admin", "--days", "1")
                #expect(try await rest.send("GET", "/v1/keys", fields: Self.bearer(key)).status == 200)
                let wrong = String(key.dropLast()) + (key.last == "0" ? "1" : "0")
                for text in [wrong, "scintivol_1_", "", key + "0", "scintivol_9_" + String(repeating: "a", count: 64)] {
                    let answer = try await rest.send("GET", "/v1/jobs", fields: Self.bearer(text))
                    #expect(answer.status == 401 && answer.problem == "key-invalid", "\(text.count)")
                    #expect(answer["WWW-Authenticate"] == "Bearer")
                }
                let basic = try await rest.send("GET", "/v1/jobs", fields: ["Authorization: Basic YTpi"])
                #expect(basic.problem == "key-invalid")
                #expect(try await rest.number("SELECT count(*) FROM api_key WHERE octet_length(digest) <> 32") == 0)

                try await rest.run("UPDATE api_key SET expires_at = now() - interval '1 s'")
                let isOver = try await eventually {
                    try await rest.send("GET", "/v1/jobs", fields: Self.bearer(key)).problem == "key-expired"
                }
                #expect(isOver)
                #expect(!rest.service.process.errors.contains(key.suffix(20)))
                // Whoever goes on guessing waits; a good key of the same place does not.
                var refused: RawAnswer?
                for _ in 0..<60 where refused == nil {
                    let answer = try await rest.send("GET", "/v1/jobs", fields: Self.bearer(wrong))
                    if answer.status != 401 { refused = answer }
                }
                #expect(refused?.status == 429)
                try await rest.run("UPDATE api_key SET expires_at = NULL")
                #expect(try await rest.send("GET", "/v1/jobs", fields: Self.bearer(key)).status == 200)
            }
        }

        @Test func aKeyIsShownOnceAndRevokedAtOnce() async throws {
            try await RESTService.with(["--require-keys"]) { rest in
                let admin = Self.bearer(try await rest.key("admin"))
                let body = #"{"name":"workstation","role":"operator","days":30}"#
                let made = try await rest.send("POST", "/v1/keys", json: body, fields: admin + ["Idempotency-Key: a"])
                #expect(made.status == 201 && made["Location"] == "/v1/keys/2")
                let key = Self.bearer(try #require(made.members["key"] as? String))
                #expect(try await rest.send("GET", "/v1/jobs", fields: key).status == 200)
                let again = try await rest.send("POST", "/v1/keys", json: body, fields: admin + ["Idempotency-Key: a"])
                #expect(again.status == 201 && again.members["id"] as? Int == 2 && again.members["key"] == nil)
                #expect(try await rest.send("POST", "/v1/keys", json: body, fields: admin).problem == "conflict")
                let listed = try await rest.send("GET", "/v1/keys", fields: admin)
                #expect((listed.members["keys"] as? [Any])?.count == 2 && !listed.text.contains("scintivol_"))
                #expect(try await rest.send("DELETE", "/v1/keys/2", fields: admin).status == 200)
                // Sooner than what is remembered of a key is forgotten by itself, which takes 15 s.
                let isRevoked = try await eventually(within: .seconds(10)) {
                    try await rest.send("GET", "/v1/jobs", fields: key).problem == "key-expired"
                }
                #expect(isRevoked)
                let actions = try await rest.text(
                    "SELECT string_agg(actor || ' ' || action, ', ' ORDER BY id) FROM audit WHERE actor NOT LIKE 'admin%'"
                )
                #expect(actions == "command key-create")
            }
        }

        @Test func whoeverAsksTooOftenWaits() async throws {
            try await RESTService.with(["--requests-per-second", "2"]) { rest in
                var refused: RawAnswer?
                for _ in 0..<50 where refused == nil {
                    let answer = try await rest.send("GET", "/v1/jobs")
                    if answer.status != 200 { refused = answer }
                }
                #expect(refused?.status == 429 && refused?.problem == "rate-limited" && refused?["Retry-After"] == "1")
                #expect(try await rest.send("GET", "/livez").status == 200)
            }
        }

        /// A page from elsewhere that a browser on this machine runs reaches us under its own name.
        @Test func aForeignNameOpensNothingWithoutKeys() async throws {
            try await RESTService.with { rest in
                let foreign = try await rest.send("GET", "/v1/jobs", host: "evil.example")
                #expect(foreign.status == 403 && foreign.problem == "foreign-host")
                #expect(try await rest.send("GET", "/v1/jobs", host: "127.0.0.1:8080").status == 200)
            }
        }
    }
}

@Suite struct RateLimiterTests {
    private let start = ContinuousClock.now

    @Test func fillsAtItsRate() {
        let limiter = RateLimiter(perSecond: 10, burst: 3)
        let caller = RateLimiter.Caller.key(1)
        for _ in 0..<3 { #expect(limiter.take(caller, now: start) == nil) }
        let wait = limiter.take(caller, now: start)
        #expect(wait.map { abs($0 / .milliseconds(100) - 1) < 1e-6 } == true)
        #expect(limiter.take(.key(2), now: start) == nil, "others have buckets of their own")
        #expect(limiter.take(caller, now: start + .milliseconds(101)) == nil)
        #expect(limiter.take(caller, now: start + .milliseconds(102)) != nil)
        // A long pause fills no more than the bucket, and a clock that stands gives nothing.
        for _ in 0..<3 { #expect(limiter.take(caller, now: start + .seconds(3600)) == nil) }
        #expect(limiter.take(caller, now: start + .seconds(3600)) != nil)
    }

    @Test func noRateIsNoLimit() {
        let limiter = RateLimiter(perSecond: 0, burst: 0)
        for _ in 0..<1000 { #expect(limiter.take(.key(1), now: start) == nil) }
    }

    @Test func remembersABoundedNumber() {
        let limiter = RateLimiter(perSecond: 1, burst: 1)
        for number in 0..<20_000 { _ = limiter.take(.key(Int64(number)), now: start) }
        #expect(limiter.take(.key(99_999), now: start) == .seconds(1), "no room while all are busy")
        #expect(limiter.take(.key(99_999), now: start + .seconds(2)) == nil)
    }
}

import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct TraceTests {
    private static let id = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test("W3C Trace Context 3.2: version, trace, parent, flags")
    func readsTheHeader() {
        let good = ["00-\(Self.id)-00f067aa0ba902b7-01", "cc-\(Self.id)-00f067aa0ba902b7-00-what-comes-later"]
        for text in good { #expect(TraceContext(traceparent: Array(text.utf8)[...])?.traceID == Self.id) }
        let bad = [
            "", "00", "00-\(Self.id)-00f067aa0ba902b7", "ff-\(Self.id)-00f067aa0ba902b7-01",
            "00-\(Self.id)-00f067aa0ba902b7-01-more", "00-\(Self.id)-0000000000000000-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-\(Self.id.uppercased())-00f067aa0ba902b7-01", "00-\(Self.id.dropLast())-00f067aa0ba902b7-01",
            "0-\(Self.id)-00f067aa0ba902b7-01", "00-\(Self.id)-00f067aa0ba902bg-01",
        ]
        for text in bad { #expect(TraceContext(traceparent: Array(text.utf8)[...]) == nil, "\(text)") }
    }

    @Test func aRequestKeepsItsTraceAndOthersGetTheirOwn() async throws {
        let records = Mutex<[AccessRecord]>([])
        var router = Router()
        router.inline(.get, "/trace") { .text($0.trace.traceID) }
        try await withServer(router, accessLog: { record in records.withLock { $0.append(record) } }) { port, _ in
            let client = try RawClient(port: port)
            await client.send(
                "GET /trace HTTP/1.1\r\nHost: a\r\ntraceparent: 00-\(Self.id)-00f067aa0ba902b7-01\r\n\r\n")
            #expect(try await client.receiveAnswer().text == Self.id)
            var seen: Set<String> = []
            for _ in 0..<50 {
                await client.send("GET /trace HTTP/1.1\r\nHost: a\r\ntraceparent: nonsense\r\n\r\n")
                seen.insert(try await client.receiveAnswer().text)
            }
            #expect(seen.count == 50 && seen.allSatisfy { $0.count == 32 })
            let logged = records.withLock { $0.compactMap { $0.trace?.traceID } }
            #expect(logged.first == Self.id && Set(logged.dropFirst()) == seen)
        }
    }
}

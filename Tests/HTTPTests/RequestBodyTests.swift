import Foundation
import HTTP
import Synchronization
import Testing
import TestSupport

/// Bodies of requests over real sockets.
@Suite struct RequestBodyTests {
    private static let next = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func readsSizedAndChunkedBodies() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            let body = Router.pattern(700_000)
            await client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
            await client.send(body)
            #expect(try await client.receiveAnswer().body == body)
            await client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: body.count, by: 7_000) {
                await client.send("\(String(7_000, radix: 16))\r\n")
                await client.send(Array(body[start..<(start + 7_000)]))
                await client.send("\r\n")
            }
            await client.send("0\r\n\r\n")
            #expect(try await client.receiveAnswer().body == body)
        }
    }

    @Test("RFC 9110 10.1.1: Expect is answered before the body is read")
    func answersExpectations() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 100)
            await client.send("abc")
            #expect(try await client.receiveAnswer().text == "3")
            // A body that is there already needs no invitation.
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc")
            #expect(try await client.receiveAnswer().status == 200)
            // What will be refused is refused at once, and the connection ends: the body may or may not follow.
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
            let refused = try await client.receiveAnswer()
            #expect(refused.status == 413 && refused["Connection"] == "close")
        }
    }

    @Test("RFC 9110 10.1.1: unknown expectations are 417, HTTP/1.0 has none")
    func refusesOtherExpectations() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: a-lot\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 417)
            let old = try RawClient(port: port)
            await old.send("POST /small HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            await old.send("abc")
            #expect(try await old.receiveAnswer().status == 200)
        }
    }

    @Test("RFC 9110 15.5.14: 413 by length and by chunks")
    func boundsBodies() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world" + Self.next)
            // Eleven octets are read to their end, so the connection goes on.
            let refused = try await client.receiveAnswer()
            #expect(refused.status == 413 && refused["Connection"] == nil)
            #expect(try await client.receiveAnswer().text == "hello")
            let chunked = try RawClient(port: port)
            await chunked.send(
                "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n6\r\nworld!\r\n")
            #expect(try await chunked.receiveAnswer().status == 413)
            #expect(try await chunked.receiveToEnd().isEmpty)
        }
    }

    @Test("RFC 9112 9.3: an unread body is drained within a bound, or the connection closes")
    func drainsUnreadBodies() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + Self.next)
            #expect(try await client.receiveAnswer().status == 404)
            #expect(try await client.receiveAnswer().text == "hello")
            let large = "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
            await client.send(large + String(repeating: "a", count: 100_000) + Self.next)
            let refused = try await client.receiveAnswer()
            #expect(refused.status == 404 && refused["Connection"] == "close")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func screensBeforeTheBody() async throws {
        var router = Router.sample
        router.screen = { $0.header("authorization") == nil ? Problem(401).response : nil }
        try await withServer(router) { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 401)
            let known = try RawClient(port: port)
            await known.send("GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: b\r\n\r\n")
            #expect(try await known.receiveAnswer().text == "hello")
        }
    }

    /// Collects what it is given, or fails at the second piece.
    final class Collector: BodySink {
        struct State {
            var bytes: [UInt8] = []
            var pieces = 0
            var isFinished = false
            var isAbandoned = false
        }

        let state = Mutex(State())
        let failsAtPiece: Int?

        init(failsAtPiece: Int? = nil) { self.failsAtPiece = failsAtPiece }

        func receive(_ piece: [UInt8]) throws {
            try state.withLock { state in
                state.pieces += 1
                if state.pieces == failsAtPiece { throw Problem(507) }
                state.bytes += piece
            }
        }

        func finish() { state.withLock { $0.isFinished = true } }
        func abandon() { state.withLock { $0.isAbandoned = true } }
    }

    private func uploads(to collector: Collector) -> Router {
        var router = Router.sample
        let policy = BodyPolicy.streamed(limit: 20_000_000) { request in
            if request.query("refuse") != nil { throw Problem(415) }
            return collector
        }
        router.blocking(.post, "/upload", body: policy) { request in
            guard case .sink(let sink) = request.body, sink === collector else { throw Problem(500) }
            return .text("\(collector.state.withLock { $0.bytes.count })", status: 201)
        }
        return router
    }

    @Test func streamsUploadsInBoundedPieces() async throws {
        let collector = Collector()
        try await withServer(uploads(to: collector)) { port, _ in
            let client = try RawClient(port: port)
            let body = Router.pattern(5_000_000)
            await client.send(
                "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 100)
            async let sent = client.send(body)
            let answer = try await client.receiveAnswer()
            #expect(await sent == body.count)
            #expect(answer.status == 201 && answer.text == "5000000")
            let state = collector.state.withLock { $0 }
            #expect(state.bytes == body && state.isFinished && !state.isAbandoned)
            #expect(state.pieces > 5)
            await client.send(Self.next)
            #expect(try await client.receiveAnswer().text == "hello")
        }
    }

    @Test func refusesAnUploadBeforeItsBody() async throws {
        try await withServer(uploads(to: Collector())) { port, _ in
            let client = try RawClient(port: port)
            await client.send(
                "POST /upload?refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 415)
        }
    }

    @Test func abandonsASinkWhenTheClientGoes() async throws {
        let collector = Collector()
        try await withServer(uploads(to: collector)) { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
            await client.send(Router.pattern(1_000_000))
            #expect(try await eventually { collector.state.withLock { $0.pieces > 0 } })
            client.reset()
            #expect(try await eventually { collector.state.withLock { $0.isAbandoned } })
            #expect(collector.state.withLock { !$0.isFinished })
        }
    }

    @Test func answersWhatASinkThrows() async throws {
        let collector = Collector(failsAtPiece: 2)
        try await withServer(uploads(to: collector)) { port, _ in
            let client = try RawClient(port: port)
            await client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            async let sent = client.send(Router.pattern(1_000_000))
            #expect(try await client.receiveAnswer().status == 507)
            _ = await sent
            #expect(try await eventually { collector.state.withLock { $0.isAbandoned } })
        }
    }
}

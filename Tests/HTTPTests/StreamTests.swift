import HTTP
import Synchronization
import Testing
import TestSupport

/// Answers that are written while they are sent, and the end of a server.
@Suite struct StreamTests {
    private static let ask = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func sendsEventsAsTheyHappen() async throws {
        let (events, source) = AsyncStream.makeStream(of: String.self)
        var router = Router.sample
        router.inline(.get, "/events") { request in
            let last = request.header("last-event-id") ?? "-"
            return .events { writer in
                try await writer.send(ServerSentEvent(data: last))
                for await event in events { try await writer.send(ServerSentEvent(data: event)) }
            }
        }
        try await withServer(router) { port, _ in
            let client = try RawClient(port: port)
            await client.send("GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\n\r\n")
            let head = try await client.receive(through: "\r\n\r\n")
            #expect(head.contains("text/event-stream") && head.contains("Transfer-Encoding: chunked"))
            #expect(try await client.receive(through: "\n\n\r\n") == "9\r\ndata: 7\n\n\r\n")
            source.yield("running")
            #expect(try await client.receive(through: "\n\n\r\n") == "f\r\ndata: running\n\n\r\n")
            source.finish()
            #expect(try await client.receive(through: "0\r\n\r\n") == "0\r\n\r\n")
            await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.receiveAnswer().text == "hello")
        }
    }

    @Test func makesAWriterWaitForItsReader() async throws {
        let written = Atomic(0)
        let total = 400
        let piece = Router.pattern(50_000)
        var router = Router()
        router.inline(.get, "/stream") { _ in
            .stream(type: "application/octet-stream") { writer in
                for _ in 0..<total {
                    try await writer.write(piece)
                    written.add(1, ordering: .relaxed)
                }
            }
        }
        try await withServer(router) { port, _ in
            let client = try RawClient(port: port, receiveBufferBytes: 4_096)
            await client.send("GET /stream HTTP/1.0\r\n\r\n")
            #expect(try await eventually { written.load(ordering: .relaxed) > 0 })
            // The kernel's buffers hold a few megabytes at most; 20 were to be written. A writer that does not wait
            // is never seen to stand still for so many looks.
            var last = -1
            var looksWithoutChange = 0
            #expect(
                try await eventually {
                    let now = written.load(ordering: .relaxed)
                    looksWithoutChange = now == last ? looksWithoutChange + 1 : 0
                    last = now
                    return looksWithoutChange == 40
                })
            #expect(written.load(ordering: .relaxed) < total)
            let answer = try await client.receiveAnswer()
            #expect(answer["Transfer-Encoding"] == nil && answer.body.count == total * piece.count)
        }
    }

    @Test func cutsOffAStreamThatFails() async throws {
        var router = Router()
        router.inline(.get, "/stream") { _ in
            .stream(type: "text/plain") { writer in
                try await writer.write(Array("half".utf8))
                throw Problem(500)
            }
        }
        try await withServer(router) { port, _ in
            let client = try RawClient(port: port)
            await client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            let all = String(decoding: try await client.receiveToEnd(), as: UTF8.self)
            #expect(all.hasSuffix("4\r\nhalf\r\n"))
        }
    }

    @Test func keepsASilentStreamAliveAndNoticesALostReader() async throws {
        let isCancelled = Atomic(false)
        var router = Router()
        router.inline(.get, "/events") { _ in
            .events { _ in
                do {
                    try await Task.sleep(for: .seconds(60))
                } catch {
                    isCancelled.store(true, ordering: .relaxed)
                }
            }
        }
        var limits = Limits.short
        limits.eventStreamHeartbeat = .milliseconds(20)
        try await withServer(router, limits: limits) { port, server in
            let client = try RawClient(port: port)
            await client.send(Self.ask)
            #expect(try await client.receive(through: ":\n\n").contains("text/event-stream"))
            client.reset()
            #expect(try await eventually { isCancelled.load(ordering: .relaxed) })
            #expect(await server.counters().connectionsOpen == 0)
        }
    }

    @Test func cancelsAHandlerWhoseClientIsGone() async throws {
        let isCancelled = Atomic(false)
        let hasBegun = Atomic(false)
        var router = Router()
        router.asynchronous(.get, "/events") { _ in
            hasBegun.store(true, ordering: .relaxed)
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                isCancelled.store(true, ordering: .relaxed)
            }
            return .text("late")
        }
        try await withServer(router) { port, _ in
            let client = try RawClient(port: port)
            await client.send(Self.ask)
            #expect(try await eventually { hasBegun.load(ordering: .relaxed) })
            client.reset()
            #expect(try await eventually { isCancelled.load(ordering: .relaxed) })
        }
    }

    @Test func drainsWhatIsUnderWay() async throws {
        let gate = Gate()
        var router = Router.sample
        router.blocking(.get, "/wait") { _ in
            gate.waitUntilOpen()
            return .text("done")
        }
        router.inline(.get, "/events") { _ in
            .events { writer in
                try await writer.send(ServerSentEvent(data: "first"))
                try await Task.sleep(for: .seconds(60))
            }
        }
        try await withServer(router) { port, server in
            let idle = try RawClient(port: port)
            await idle.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await idle.receiveAnswer().status == 200)
            let waiting = try RawClient(port: port)
            await waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            let listening = try RawClient(port: port)
            await listening.send(Self.ask)
            _ = try await listening.receive(through: "first\n\n\r\n")
            #expect(try await eventually { gate.waitingCount == 1 })

            async let drained: Void = server.drain(within: .seconds(30))
            #expect(try await idle.receiveToEnd().isEmpty)
            idle.endSending()
            #expect(try await listening.receiveToEnd() == Array("0\r\n\r\n".utf8))
            listening.endSending()
            #expect(throws: RawClient.Failure.self) { _ = try RawClient(port: port) }
            // Every loop has an own thread: what each is told comes in order, so by the time they have answered this, all drain.
            _ = await server.counters()
            gate.open()
            let last = try await waiting.receiveAnswer()
            #expect(last.text == "done" && last["Connection"] == "close")
            #expect(try await waiting.receiveToEnd().isEmpty)
            waiting.endSending()
            await drained
        }
    }

    @Test func cutsOffWhatIsNotDrainedInTime() async throws {
        var router = Router()
        router.asynchronous(.get, "/events") { _ in
            try await Task.sleep(for: .seconds(60))
            return .text("late")
        }
        try await withServer(router) { port, server in
            let client = try RawClient(port: port)
            await client.send(Self.ask)
            #expect(try await eventually { await server.counters().connectionsOpen == 1 })
            await server.drain(within: .milliseconds(50))
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func startsOnce() async throws {
        try await withServer { _, server in
            #expect(throws: HTTPError.notStartable) { try server.start() }
        }
        let taken = try Server(configuration: Configuration(), router: Router())
        let port = try taken.start()
        let other = try Server(configuration: Configuration(port: port), router: Router())
        #expect(throws: HTTPError.cannotListen(host: "127.0.0.1", port: port, code: 98)) { try other.start() }
        await taken.stop()
    }
}

import Glibc
import HTTP
import Synchronization
import Testing
import TestSupport

/// What a peer may do to us, and for how long. Deadlines are shortened; that they act is tested, not when.
@Suite struct LimitTests {
    @Test func cutsASlowHead() async throws {
        var limits = Limits.short
        // By then the client has to have begun.
        limits.headDeadline = .seconds(1)
        try await withServer(limits: limits) { port, _ in
            let client = try RawClient(port: port, timeoutSeconds: 10)
            await client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
            #expect(try await client.receiveAnswer().status == 408)
            #expect(try await client.receiveToEnd().isEmpty)
            let silent = try RawClient(port: port, timeoutSeconds: 10)
            #expect(try await silent.receiveToEnd().isEmpty)
        }
    }

    @Test func countsTheNextHeadFromItsFirstOctet() async throws {
        var limits = Limits.short
        limits.headDeadline = .seconds(1)
        try await withServer(limits: limits) { port, _ in
            let client = try RawClient(port: port, timeoutSeconds: 10)
            await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET ")
            #expect(try await client.receiveAnswer().status == 200)
            #expect(try await client.receiveAnswer().status == 408)
        }
    }

    @Test func closesIdleConnections() async throws {
        var limits = Limits.short
        limits.idleDeadline = .milliseconds(100)
        try await withServer(limits: limits) { port, server in
            let client = try RawClient(port: port)
            await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.receiveAnswer().status == 200)
            #expect(try await client.receiveToEnd().isEmpty)
            client.endSending()
            #expect(try await eventually { await server.counters().connectionsOpen == 0 })
        }
    }

    @Test func cutsASlowBody() async throws {
        var limits = Limits.short
        limits.bodyWindow = .milliseconds(100)
        try await withServer(limits: limits) { port, _ in
            let client = try RawClient(port: port, timeoutSeconds: 10)
            await client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
            let answer = try await client.receiveAnswer()
            #expect(answer.status == 408 && answer["Connection"] == "close")
        }
    }

    @Test func cutsAReaderThatStandsStill() async throws {
        var limits = Limits.short
        limits.writeWindow = .milliseconds(200)
        try await withServer(limits: limits) { port, server in
            let client = try RawClient(port: port, receiveBufferBytes: 4_096)
            let stream = String(repeating: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", count: 5)
            await client.send(stream)
            #expect(try await eventually { await server.counters().connectionsAccepted == 1 })
            // The default is 30 s.
            #expect(try await eventually(within: .seconds(20)) { await server.counters().connectionsOpen == 0 })
            withExtendedLifetime(client) {}
        }
    }

    @Test func endsAfterSoManyRequests() async throws {
        var limits = Limits.short
        limits.requestsPerConnectionLimit = 3
        try await withServer(limits: limits) { port, _ in
            let client = try RawClient(port: port)
            await client.send(String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 5))
            #expect(try await client.receiveAnswer()["Connection"] == nil)
            #expect(try await client.receiveAnswer()["Connection"] == nil)
            #expect(try await client.receiveAnswer()["Connection"] == "close")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func capsConnections() async throws {
        for isPerAddress in [true, false] {
            var limits = Limits.short
            if isPerAddress { limits.connectionsPerAddressLimit = 2 } else { limits.connectionLimit = 2 }
            try await withServer(limits: limits) { port, server in
                let held = [try RawClient(port: port), try RawClient(port: port)]
                for client in held {
                    await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await client.receiveAnswer().status == 200)
                }
                let refused = try await RawClient(port: port).receiveAnswer()
                #expect(refused.status == 503 && refused["Retry-After"] == "1")
                #expect(await server.counters().connectionsRefused == 1)
                held[0].reset()
                #expect(try await eventually { await server.counters().connectionsOpen == 1 })
                let admitted = try RawClient(port: port)
                await admitted.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await admitted.receiveAnswer().status == 200)
                withExtendedLifetime(held) {}
            }
        }
    }

    @Test func answersOverloadOfTheBlockingThreads() async throws {
        let gate = Gate()
        var router = Router()
        router.blocking(.get, "/wait") { _ in
            gate.waitUntilOpen()
            return .text("done")
        }
        var limits = Limits.short
        limits.blockingThreadCount = 1
        limits.blockingQueueLimit = 1
        try await withServer(router, limits: limits) { port, server in
            let request = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
            let first = try RawClient(port: port)
            await first.send(request)
            #expect(try await eventually { gate.waitingCount == 1 })
            // The next waits in the queue; those after it find it full, whichever loop they are on.
            let others = try (0..<3).map { _ in try RawClient(port: port) }
            for other in others { await other.send(request) }
            #expect(try await eventually { await server.counters().overloads == 2 })
            gate.open()
            var statuses: [Int] = []
            for other in others {
                let answer = try await other.receiveAnswer()
                statuses.append(answer.status)
                #expect(answer.status == 200 || answer["Retry-After"] == "1")
            }
            #expect(statuses.sorted() == [200, 503, 503])
            #expect(try await first.receiveAnswer().text == "done")
        }
    }

    @Test func boundsAllBodiesTogether() async throws {
        var limits = Limits.short
        limits.bufferedBodyBytesLimit = 1_000
        try await withServer(limits: limits) { port, server in
            let head = "POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"
            let body = String(repeating: "a", count: 900)
            let first = try RawClient(port: port)
            await first.send(head + body.dropLast())
            // Whether the first is held yet shows only in what the second is told.
            #expect(
                try await eventually {
                    let second = try RawClient(port: port)
                    await second.send(head + body)
                    let answer = try await second.receiveAnswer()
                    return answer.status == 503 && answer["Retry-After"] == "1" && answer["Connection"] == "close"
                })
            await first.send("a")
            #expect(try await first.receiveAnswer().status == 201)
            await first.send(head + body)
            #expect(try await first.receiveAnswer().status == 201)
            // A connection that breaks gives its room back too.
            await first.send(head + body.dropLast())
            first.reset()
            #expect(try await eventually { await server.counters().connectionsOpen == 0 })
            let last = try RawClient(port: port)
            await last.send(head + body)
            #expect(try await last.receiveAnswer().status == 201)
        }
    }

    @Test func keepsManyIdleConnections() async throws {
        var limits = Limits.short
        limits.deadlineResolution = .milliseconds(500)
        try await withServer(limits: limits) { port, server in
            let clients = try (0..<400).map { _ in try RawClient(port: port) }
            #expect(try await eventually { await server.counters().connectionsOpen == 400 })
            for client in [clients[0], clients[399]] {
                await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.receiveAnswer().text == "hello")
            }
        }
    }
}

extension CountersSnapshot {
    fileprivate var overloads: Int { requests[.init(routePattern: "/wait", method: .get, status: 503)] ?? 0 }
}

/// Holds threads until it is opened.
final class Gate: Sendable {
    private let state = Mutex((waiting: 0, isOpen: false))

    var waitingCount: Int { state.withLock { $0.waiting } }
    func open() { state.withLock { $0.isOpen = true } }

    func waitUntilOpen() {
        state.withLock { $0.waiting += 1 }
        while !state.withLock({ $0.isOpen }) { usleep(1_000) }
    }
}

import HTTP
import Synchronization
import Testing
import TestSupport

/// Requests and answers over real sockets.
@Suite struct ExchangeTests {
    /// What a shortcut takes is answered from wherever it likes, in order; what it leaves is the handler's.
    @Test func aShortcutAnswersLaterOrLeavesTheRequest() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            let paths = ["/shortcut", "/shortcut?x", "/asynchronous", "/shortcut", "/shortcut"]
            await client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for expected in ["short", "long", "asynchronous", "short", "short"] {
                #expect(try await client.receiveAnswer().text == expected)
            }
        }
    }

    private func ask(_ request: String, _ router: Router = .sample, limits: Limits = .short) async throws -> RawAnswer {
        var answer: RawAnswer?
        try await withServer(router, limits: limits) { port, _ in
            let client = try RawClient(port: port)
            await client.send(request)
            answer = try await client.receiveAnswer(toHead: request.hasPrefix("HEAD"))
        }
        return try #require(answer)
    }

    private func get(_ target: String, _ fields: String = "") async throws -> RawAnswer {
        try await ask("GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    }

    @Test func answersFromEveryKindOfHandler() async throws {
        #expect(try await get("/hello").text == "hello")
        #expect(try await get("/blocking").text == "blocking")
        #expect(try await get("/asynchronous?q=a%20b+c").text == "a b c")
        #expect(try await get("/jobs/7%20a").text == "7 a")
    }

    @Test("RFC 9110 6.6.1: answers carry a Date")
    func carriesTheDate() async throws {
        let date = try #require(try await get("/hello")["Date"])
        #expect(date.hasSuffix(" GMT") && date.utf8.count == 29)
    }

    @Test("RFC 9110 9.3.2: HEAD is GET without the body")
    func answersHead() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try await client.receiveAnswer(toHead: true)
            #expect(head.status == 200 && head["Content-Length"] == "5")
            #expect(try await client.receiveAnswer().text == "hello")
        }
    }

    @Test("RFC 9110 8.6: no length on 204 and 304")
    func leavesLengthsOut() async throws {
        let deleted = try await ask("DELETE /jobs/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(deleted.status == 204 && deleted["Content-Length"] == nil && deleted["Transfer-Encoding"] == nil)
    }

    @Test("RFC 9110 15.5.5, 15.5.6, 9.3.7: 404, 405 with Allow, OPTIONS")
    func refusesWhatHasNoRoute() async throws {
        #expect(try await get("/nothing").status == 404)
        #expect(try await get("/jobs/").status == 404)
        let other = try await ask("PUT /jobs/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(other.status == 405 && other["Allow"] == "GET, HEAD, DELETE, OPTIONS")
        #expect(other["Content-Type"] == "application/problem+json")
        let options = try await ask("OPTIONS /jobs HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(options.status == 204 && options["Allow"] == "POST, OPTIONS")
        let asterisk = try await ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(asterisk.status == 204 && asterisk["Allow"]?.contains("PATCH") == true)
    }

    @Test("RFC 9110 9.3.8, 15.5.6: TRACE is known, and no resource supports it")
    func reflectsNothing() async throws {
        let answer = try await ask("TRACE /hello HTTP/1.1\r\nHost: a\r\nX-Secret: s\r\n\r\n")
        #expect(answer.status == 405 && answer["Allow"] == "GET, HEAD, OPTIONS")
        #expect(!answer.text.contains("X-Secret"))
        let asterisk = try await ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(asterisk["Allow"]?.contains("TRACE") == false)
    }

    @Test("RFC 9457: errors are problem documents")
    func answersProblems() async throws {
        let problem = try await get("/problem")
        #expect(problem.status == 409 && problem["Content-Type"] == "application/problem+json")
        #expect(
            problem.text == """
                {"type":"urn:example:conflict","title":"Conflict","status":409,"detail":"a \\"quoted\\"\\n\\u0001text",\
                "instance":"/jobs/1"}
                """)
        #expect(try await get("/unexpected").status == 500)
        #expect(
            try await get("/unexpected").text == #"{"type":"about:blank","title":"Internal Server Error","status":500}"#
        )
    }

    @Test("RFC 9112 2.2: what cannot be parsed is answered and closed")
    func answersViolations() async throws {
        try await withServer { port, server in
            for (request, status) in [
                ("GET / HTTP/1.1\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
                ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET /\(String(repeating: "a", count: 9_000))", 414),
                ("GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 40_000))", 431),
            ] {
                let client = try RawClient(port: port)
                await client.send(request)
                let answer = try await client.receiveAnswer()
                #expect(answer.status == status && answer["Connection"] == "close")
                #expect(answer.text.contains("\"status\":\(status)"))
                #expect(try await client.receiveToEnd().isEmpty)
            }
            let counted = await server.counters().requests
            #expect(counted[.init(routePattern: "", method: nil, status: 400)] == 1)
        }
    }

    @Test("RFC 9110 5.5: a value cannot end its line")
    func refusesToSplitAnswers() async throws {
        let answer = try await get("/split")
        #expect(answer.status == 500 && answer["Injected"] == nil)
        #expect(try await get("/split?v=fine")["X-Echo"] == "fine")
    }

    @Test("RFC 9112 9.3.2: pipelined answers in order")
    func answersPipelinedRequestsInOrder() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            let targets = (0..<60).map { ["/jobs/\($0)", "/blocking", "/asynchronous?q=\($0)", "/large"][$0 % 4] }
            let stream = targets.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            async let sent = client.send(stream)
            for (index, target) in targets.enumerated() {
                let answer = try await client.receiveAnswer()
                switch index % 4 {
                case 1: #expect(answer.text == "blocking")
                case 3: #expect(answer.body == Router.pattern(3_000_000))
                default: #expect(answer.text == "\(index)", "\(target)")
                }
            }
            #expect(await sent == stream.utf8.count)
        }
    }

    @Test("RFC 9112 9.3: HTTP/1.0 closes, whatever it asks for")
    func closesOldConnections() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = try await client.receiveAnswer()
            #expect(answer.text == "hello" && answer["Connection"] == "close")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test("RFC 9112 9.6: a half-closed client still gets its answers")
    func answersAfterTheClientsEnd() async throws {
        try await withServer { port, _ in
            let client = try RawClient(port: port)
            await client.send("GET /blocking HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            client.endSending()
            #expect(try await client.receiveAnswer().text == "blocking")
            #expect(try await client.receiveAnswer().text == "hello")
            #expect(try await client.receiveToEnd().isEmpty)
        }
    }

    @Test func logsThePatternAndCounts() async throws {
        let records = Mutex<[AccessRecord]>([])
        try await withServer(accessLog: { record in records.withLock { $0.append(record) } }) { port, server in
            let client = try RawClient(port: port)
            for request in ["GET /jobs/secret", "HEAD /jobs/secret", "GET /nowhere/secret"] {
                await client.send("\(request) HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try await client.receiveAnswer(toHead: request.hasPrefix("HEAD"))
            }
            let logged = records.withLock { $0 }
            #expect(logged.map(\.routePattern) == ["/jobs/{id}", "/jobs/{id}", ""])
            #expect(logged.map(\.status) == [200, 200, 404] && logged.map(\.method) == [.get, .head, .get])
            #expect(logged.first?.bodyBytes == 6 && logged.first?.peer.description == "127.0.0.1")
            let counters = await server.counters()
            #expect(counters.requests[.init(routePattern: "/jobs/{id}", method: .get, status: 200)] == 1)
            #expect(counters.requests[.init(routePattern: "/jobs/{id}", method: .head, status: 200)] == 1)
            #expect(counters.durations["/jobs/{id}"]?.counts.reduce(0, +) == 2)
            #expect(counters.connectionsOpen == 1 && counters.connectionsAccepted == 1)
        }
    }
}

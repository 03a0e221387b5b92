import Foundation
import HTTP
import Testing
import TestSupport

/// Conditions, ranges, files: RFC 9110 sections 8.8, 13 and 14.
@Suite struct SelectionTests {
    @Test("RFC 9110 8.8.3: weak and strong comparison")
    func comparesTags() {
        let strong = EntityTag("1")
        let weak = EntityTag("1", isWeak: true)
        #expect(strong.isNamed(byIfNoneMatch: "\"0\", W/\"1\"") && weak.isNamed(byIfNoneMatch: "\"1\""))
        #expect(strong.isNamed(byIfMatch: "\"0\",\"1\"") && !strong.isNamed(byIfMatch: "W/\"1\""))
        #expect(!weak.isNamed(byIfMatch: "\"1\"") && strong.isNamed(byIfMatch: "*"))
        #expect(!strong.isNamed(byIfNoneMatch: "1") && !strong.isNamed(byIfNoneMatch: "\"1"))
        #expect(EntityTag.parse("W/\"a\", \"b,c\"  ,\"\"").map(\.description) == ["W/\"a\"", "\"b,c\"", "\"\""])
    }

    @Test(
        "RFC 9110 14.1.2: ranges",
        arguments: [
            ("bytes=0-4", 0..<5), ("bytes=5-", 5..<10), ("bytes=-3", 7..<10), ("bytes=8-99", 8..<10),
            ("bytes=-99", 0..<10),
        ])
    func resolvesRanges(value: String, expected: Range<Int>) {
        #expect(ByteRange(value)?.resolved(size: 10) == expected)
    }

    @Test(
        "RFC 9110 14.2: what is no single range is ignored",
        arguments: [
            "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "octets=0-1", "bytes=+1-2", "bytes 0-1", "bytes=a-b",
        ])
    func ignoresOtherRanges(value: String) {
        #expect(ByteRange(value) == nil)
    }

    @Test(
        "RFC 9110 5.6.7: dates",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ])
    func writesDates(seconds: Int, expected: String) {
        #expect(HTTPDate(secondsSince1970: seconds).description == expected)
    }

    @Test("WHATWG HTML 9.2.6: events")
    func writesEvents() {
        func text(_ event: ServerSentEvent) -> String { String(decoding: event.encoded, as: UTF8.self) }
        #expect(text(ServerSentEvent(data: "a")) == "data: a\n\n")
        #expect(
            text(ServerSentEvent(data: "a\r\nb\nc\rd", name: "state", id: "7\ndata: x", retry: .seconds(2)))
                == "id: 7 data: x\nevent: state\nretry: 2000\ndata: a\ndata: b\ndata: c\ndata: d\n\n")
    }

    private func get(_ port: UInt16, _ target: String, _ fields: String..., method: String = "GET") async throws
        -> RawAnswer
    {
        let client = try RawClient(port: port)
        await client.send("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n")
        return try await client.receiveAnswer(toHead: method == "HEAD")
    }

    private var tagged: Router {
        var router = Router()
        router.inline(.get, "/job") { _ in
            var answer = Response.json(Array("{\"state\":\"running\"}".utf8))
            answer.fields.add("ETag", EntityTag("r7").description)
            answer.fields.add("Cache-Control", "no-cache")
            return answer
        }
        return router
    }

    @Test("RFC 9110 13.1.2: If-None-Match gives 304")
    func answersNotModified() async throws {
        try await withServer(tagged) { port, _ in
            for method in ["GET", "HEAD"] {
                let same = try await get(port, "/job", "If-None-Match: \"r6\", W/\"r7\"", method: method)
                #expect(same.status == 304 && same.body.isEmpty && same["Content-Length"] == nil)
                #expect(same["ETag"] == "\"r7\"" && same["Cache-Control"] == "no-cache" && same["Content-Type"] == nil)
            }
            #expect(try await get(port, "/job", "If-None-Match: *").status == 304)
            #expect(try await get(port, "/job", "If-None-Match: \"r6\"").status == 200)
        }
    }

    @Test("RFC 9110 14: files and ranges of them")
    func answersFiles() async throws {
        try await withTemporaryFolder { folder in
            let content = Router.pattern(2_000_000)
            let path = folder + "/result"
            try Data(content).write(to: URL(fileURLWithPath: path))
            var router = Router()
            router.blocking(.get, "/file") { _ in
                .file(try FileBody(path: path), type: "application/dicom")
            }
            try await withServer(router) { port, _ in
                let whole = try await get(port, "/file")
                #expect(whole.status == 200 && whole.body == content && whole["Accept-Ranges"] == "bytes")
                let tag = try #require(whole["ETag"])
                let part = try await get(port, "/file", "Range: bytes=1000-1999999", "If-Range: \(tag)")
                #expect(part.status == 206 && part.body == Array(content[1_000...]))
                #expect(part["Content-Range"] == "bytes 1000-1999999/2000000" && part["ETag"] == tag)
                #expect(try await get(port, "/file", "Range: bytes=0-1", "If-Range: \"other\"").status == 200)
                let date = try #require(whole["Last-Modified"])
                #expect(try await get(port, "/file", "Range: bytes=0-1", "If-Range: \(date)").status == 206)
                let beyond = try await get(port, "/file", "Range: bytes=2000000-")
                #expect(beyond.status == 416 && beyond["Content-Range"] == "bytes */2000000")
                let head = try await get(port, "/file", method: "HEAD")
                #expect(head.status == 200 && head["Content-Length"] == "2000000")
                #expect(try await get(port, "/file", "If-None-Match: \(tag)").status == 304)
            }
        }
    }

    @Test func opensRegularFilesOnly() throws {
        #expect(throws: HTTPError.cannotOpenFile(code: 2)) { try FileBody(path: "/") }
        #expect(throws: HTTPError.cannotOpenFile(code: 2)) { try FileBody(path: "/dev/null") }
    }

    @Test func sendsAnEmptyFile() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
            var router = Router()
            router.inline(.get, "/file") { _ in .file(try FileBody(path: folder + "/empty"), type: "text/plain") }
            try await withServer(router) { port, _ in
                let answer = try await get(port, "/file")
                #expect(answer["Content-Length"] == "0" && answer.body.isEmpty)
            }
        }
    }
}

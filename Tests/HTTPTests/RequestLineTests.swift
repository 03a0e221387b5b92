import HTTP
import Testing

/// RFC 9112 section 3.
@Suite struct RequestLineTests {
    private func violation(_ line: String, limits: Limits = Limits()) -> Violation? {
        Transcript.violation("\(line)\r\nHost: a\r\n\r\n", limits: limits)
    }

    @Test(arguments: [
        "GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://a:80/x?y HTTP/1.1", "GET HTTPS://[::1]/ HTTP/1.1",
        "GET /a%20b?c=%C3%A9 HTTP/1.1", "DELETE /x HTTP/1.0", "GET / HTTP/1.9", "GET http://a HTTP/1.1",
    ])
    func accepts(line: String) {
        #expect(violation(line) == nil)
    }

    @Test(
        "RFC 9112 3: exactly method SP target SP version",
        arguments: [
            "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1",
            "GET /\tHTTP/1.1", "GET /", "GET", "GET / a HTTP/1.1", "G@T / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1",
            "GET / HTTP/1.10", "GET / HTTP/+1.1", "GET / HTTP/1,1", "GET / HTTP/x.1", "GET / HTTP/1.x",
        ])
    func refusesOtherShapes(line: String) {
        #expect(violation(line) == .malformedRequestLine)
    }

    @Test("RFC 9112 2.2: bare CR, NUL and octets above 127", arguments: ["\r", "\0", "\u{7F}", "é", "\u{1}"])
    func refusesOctetsThatAreNotInAURI(octet: String) {
        #expect(violation("GET /a\(octet)b HTTP/1.1") == .malformedTarget)
        #expect(violation("GET /?a\(octet)b HTTP/1.1") == .malformedTarget)
        #expect(violation("G\(octet)T / HTTP/1.1") == .malformedRequestLine)
    }

    @Test("RFC 9112 2.2: a line ends in CRLF")
    func refusesBareLineFeed() {
        #expect(Transcript.violation("GET / HTTP/1.1\nHost: a\r\n\r\n") == .bareLineFeed)
    }

    @Test("RFC 9112 2.2: one empty line before a request is ignored")
    func ignoresOneEmptyLine() {
        #expect(Transcript("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").exchanges.count == 1)
        #expect(Transcript.violation("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == .malformedRequestLine)
    }

    @Test("RFC 9110 15.6.6: other major versions", arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/3.1"])
    func refusesOtherVersions(version: String) {
        #expect(violation("GET / \(version)") == .unsupportedVersion)
    }

    @Test("RFC 9110 15.6.2: unknown methods are 501", arguments: ["get", "BREW", "CONNECT", "TRACES", "GETX"])
    func refusesUnknownMethods(method: String) {
        #expect(violation("\(method) / HTTP/1.1") == .unknownMethod)
        #expect(Violation.unknownMethod.status == 501)
    }

    @Test("RFC 9112 3: at least 8 000 octets, 414 beyond the limit")
    func boundsTheLine() {
        let accepted = "GET /" + String(repeating: "a", count: 8_000 - 14) + " HTTP/1.1"
        #expect(accepted.utf8.count == 8_000 && violation(accepted) == nil)
        var limits = Limits()
        limits.requestLineBytesLimit = 8_000
        #expect(violation(accepted, limits: limits) == nil)
        #expect(violation(accepted + "x", limits: limits) == .requestLineTooLong)
        #expect(Transcript.violation("GET /" + String(repeating: "a", count: 9_000)) == .requestLineTooLong)
        #expect(Violation.requestLineTooLong.status == 414)
    }

    @Test(
        "RFC 9112 3.2: forms of the target",
        arguments: [
            "GET * HTTP/1.1", "GET a HTTP/1.1", "GET ftp://a/ HTTP/1.1", "GET http:///x HTTP/1.1",
            "GET http://u@a/ HTTP/1.1", "GET a:80 HTTP/1.1", "GET http:/a HTTP/1.1", "GET /a#b HTTP/1.1",
            "GET /<a> HTTP/1.1", "GET /?\"a HTTP/1.1", "GET /a\\b HTTP/1.1",
        ])
    func refusesOtherTargets(line: String) {
        #expect(violation(line) == .malformedTarget)
    }

    @Test(
        "RFC 3986 2.1: percent-encoding is whole, and hides nothing",
        arguments: [
            "/%", "/%4", "/%4g", "/%+5", "/%00", "/%0d", "/%7f", "/%2f", "/%5c", "/%ff", "/?a=%", "/?a=%00", "/?%c3",
        ])
    func refusesUnsafeEncodings(target: String) {
        #expect(violation("GET \(target) HTTP/1.1") == .malformedTarget)
    }

    @Test(
        "RFC 3986 5.2.4: dot segments are refused",
        arguments: [
            "/..", "/a/../b", "/.", "/./a", "/%2e%2e/a", "/a/%2E", "http://a/../b",
        ])
    func refusesDotSegments(target: String) {
        #expect(violation("GET \(target) HTTP/1.1") == .malformedTarget)
        #expect(violation("GET /..a/...?x=/../ HTTP/1.1") == nil)
    }

    @Test func decodesThePathOnce() {
        let head = Transcript("GET http://a/b%20c%2525?q=%41 HTTP/1.1\r\nHost: a\r\n\r\n").exchanges.first?.head
        #expect(head == "GET /b c%25 ?q=%41 1")
        #expect(Transcript("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n").exchanges.first?.head == "GET / ?q 1")
    }
}

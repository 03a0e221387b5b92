import HTTP
import Testing

/// RFC 9112 section 5, RFC 9110 sections 5 and 7.2.
@Suite struct FieldTests {
    @Test(
        "RFC 9112 5.1: a name is a token and the colon follows at once",
        arguments: [
            "Na me: x", "Name : x", "Name\t: x", ": x", "Name", "Na\u{1}me: x", "Näme: x", "(name): x",
        ])
    func refusesMalformedNames(line: String) {
        #expect(Transcript.violation(fields: "Host: a", line) == .malformedField)
    }

    @Test("RFC 9112 5.2: folding is refused", arguments: [" x", "\tx"])
    func refusesFolding(line: String) {
        #expect(Transcript.violation(fields: "Host: a", "Name: x", line) == .foldedField)
        #expect(Transcript.violation(fields: line, "Host: a") == .foldedField)
    }

    @Test("RFC 9110 5.5: control octets", arguments: ["\0", "\r", "\u{1}", "\u{7F}", "\u{1B}"])
    func refusesControls(octet: String) {
        #expect(Transcript.violation(fields: "Host: a", "Name: x\(octet)y") == .malformedField)
    }

    @Test("RFC 9112 2.2: LF alone ends no field line")
    func refusesBareLineFeed() {
        #expect(Transcript.violation("GET / HTTP/1.1\r\nHost: a\nName: x\r\n\r\n") == .bareLineFeed)
    }

    @Test("RFC 9110 5.5: blanks around a value are not part of it")
    func trimsValues() {
        let fields = Transcript("GET / HTTP/1.1\r\nHost:a\r\nA: \t b\tc \t\r\nB:\r\n\r\n").exchanges.first?.fields
        #expect(fields == ["Host=a", "A=b\tc", "B="])
    }

    @Test("RFC 9112 3.2: Host exactly once in HTTP/1.1")
    func countsHost() {
        #expect(Transcript.violation(fields: "A: b") == .missingHost)
        #expect(Transcript.violation(fields: "Host: a", "host: a") == .repeatedHost)
        #expect(Transcript.violation(fields: "A: b", line: "GET / HTTP/1.0") == nil)
        #expect(Transcript.violation(fields: "Host: a", "Host: b", line: "GET / HTTP/1.0") == .repeatedHost)
        #expect(Transcript.violation(fields: "A: b", line: "GET http://a/ HTTP/1.1") == .missingHost)
    }

    @Test(
        "RFC 9110 7.2: Host is well formed",
        arguments: [
            "", "a b", "a/b", "u@a", "a:b", "a:80:80", "a:99999", "a:+80", "[::1", "[::1]x", "[zz::]", "[1]", ":80",
            "a?b", "a#b", "a%41",
        ])
    func refusesMalformedHost(host: String) {
        #expect(Transcript.violation(fields: "Host: \(host)") == .malformedHost)
    }

    @Test(arguments: ["a", "a.b-c_d", "127.0.0.1:80", "[::1]", "[fe80::1]:8080", "a:"])
    func acceptsHost(host: String) {
        #expect(Transcript.violation(fields: "Host: \(host)") == nil)
    }

    @Test("RFC 6585 5: 431 beyond the limits")
    func boundsFields() {
        var limits = Limits()
        limits.fieldCountLimit = 3
        limits.fieldBytesLimit = 40
        func violation(_ fields: String) -> Violation? {
            Transcript.violation("GET / HTTP/1.1\r\n\(fields)\r\n\r\n", limits: limits)
        }
        #expect(violation("Host: a\r\nA: b\r\nC: d") == nil)
        #expect(violation("Host: a\r\nA: b\r\nC: d\r\nE: f") == .fieldsTooLarge)
        #expect(violation("Host: a\r\nA: " + String(repeating: "b", count: 30)) == nil)
        #expect(violation("Host: a\r\nA: " + String(repeating: "b", count: 31)) == .fieldsTooLarge)
        #expect(
            Transcript.violation("GET / HTTP/1.1\r\nA: \(String(repeating: "b", count: 50))", limits: limits)
                == .fieldsTooLarge)
        #expect(Violation.fieldsTooLarge.status == 431)
    }

    @Test("RFC 9112 9.6: Connection: close, in any list and case; HTTP/1.0 always closes")
    func readsConnection() {
        func closes(_ value: String, _ version: String = "1.1") -> Bool? {
            Transcript("GET / HTTP/\(version)\r\nHost: a\r\nConnection: \(value)\r\n\r\n").exchanges.first?.closes
        }
        #expect(closes("close") == true && closes("a, CLOSE ,b") == true)
        #expect(closes("keep-alive") == false && closes("closed") == false)
        #expect(closes("keep-alive", "1.0") == true)
    }
}

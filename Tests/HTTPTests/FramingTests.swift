import HTTP
import Testing

/// RFC 9112 sections 6 and 7.
@Suite struct FramingTests {
    private func violation(_ fields: String...) -> Violation? {
        Transcript.violation("POST / HTTP/1.1\r\nHost: a\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n")
    }

    @Test(
        "RFC 9110 8.6: Content-Length is 1*DIGIT",
        arguments: [
            "", "+5", "-5", "5 5", "5,5", "5, 5", "0x5", "5.0", "٥", "99999999999999999999", "9223372036854775808",
        ])
    func refusesMalformedLength(value: String) {
        #expect(violation("Content-Length: \(value)") == .malformedContentLength)
    }

    @Test("RFC 9112 6.3: one Content-Length, equal or not")
    func refusesRepeatedLength() {
        #expect(violation("Content-Length: 5", "Content-Length: 5") == .repeatedContentLength)
        #expect(violation("Content-Length: 5", "content-length: 6") == .repeatedContentLength)
    }

    @Test("RFC 9112 6.3: length and coding exclude each other")
    func refusesBoth() {
        #expect(violation("Content-Length: 5", "Transfer-Encoding: chunked") == .lengthAndTransferEncoding)
        #expect(violation("Transfer-Encoding: chunked", "Content-Length: 0") == .lengthAndTransferEncoding)
    }

    @Test(
        "RFC 9112 6.1: chunked exactly",
        arguments: [
            "", "chunked, chunked", "gzip, chunked", "chunked, identity", ",chunked",
        ])
    func refusesCodingLists(value: String) {
        #expect(violation("Transfer-Encoding: \(value)") == .malformedTransferEncoding)
    }

    @Test(
        "RFC 9112 6.1: other codings are 501",
        arguments: ["gzip", "identity", "xchunked", "chunked;q=1", "\"chunked\""])
    func refusesOtherCodings(value: String) {
        #expect(violation("Transfer-Encoding: \(value)") == .unsupportedTransferEncoding)
        #expect(Violation.unsupportedTransferEncoding.status == 501)
    }

    @Test("RFC 9112 6.1: not repeated, not on HTTP/1.0, not behind a control")
    func refusesHiddenCodings() {
        #expect(violation("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") == .malformedTransferEncoding)
        #expect(violation("Transfer-Encoding: \u{B}chunked") == .malformedField)
        #expect(violation("Transfer-Encoding : chunked") == .malformedField)
        #expect(
            Transcript.violation("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == .transferEncodingOnHTTP10)
    }

    @Test func readsASizedBodyAndTheRequestBehindIt() {
        let stream = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        let exchanges = Transcript(stream).exchanges
        #expect(exchanges.map(\.head) == ["POST /a ?- 1", "GET /b ?- 1"])
        #expect(exchanges.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", ""])
        #expect(exchanges.allSatisfy { $0.isComplete })
    }

    private func chunked(_ body: String, limits: Limits = Limits()) -> Transcript {
        Transcript("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body, limits: limits)
    }

    @Test(
        "RFC 9112 7.1: chunks, extensions, trailers",
        arguments: [
            "5\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n03\r\nllo\r\n000\r\n\r\n", "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n",
            "5 ;a\r\nhello\r\n0\r\nTrailer: x\r\nContent-Length: 3\r\n\r\n",
            "00000000000000000005\r\nhello\r\n0\r\n\r\n",
        ])
    func readsChunks(body: String) {
        let transcript = chunked(body)
        #expect(transcript.violation == nil)
        #expect(transcript.exchanges.first.map { String(decoding: $0.body, as: UTF8.self) } == "hello")
        #expect(transcript.exchanges.first?.isComplete == true)
        // RFC 9110 6.5.1: a trailer is no field.
        #expect(transcript.exchanges.first?.fields.count == 2)
    }

    @Test(
        "RFC 9112 7.1: 1*HEXDIG, CRLF only, no overflow",
        arguments: [
            "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n",
            "\r\nhello\r\n", ";a\r\nhello\r\n", "g\r\n", "5,5\r\nhello", "10000000000000000\r\n",
            "8000000000000000\r\n",
            "5\r\nhelloworld\r\n", "5\r\nhello0\r\n\r\n", "5;a\rb\r\nhello\r\n", "5;\0\r\nhello\r\n",
            "5\r\nhello\r\r\n",
        ])
    func refusesMalformedChunks(body: String) {
        #expect(chunked(body).violation == .malformedChunk)
    }

    @Test(
        "RFC 9112 7.1: LF alone ends no chunk line",
        arguments: ["5\nhello\r\n", "5\r\nhello\n0\r\n\r\n", "5;a\nhello\r\n"])
    func refusesBareLineFeeds(body: String) {
        #expect([.bareLineFeed, .malformedChunk].contains(chunked(body).violation))
    }

    @Test("RFC 9112 7.1.1: extensions are bounded, each and together")
    func boundsExtensions() {
        #expect(chunked("5;" + String(repeating: "a", count: 2_000) + "\r\nhello\r\n").violation == .malformedChunk)
        var limits = Limits()
        limits.chunkExtensionBytesLimit = 100
        let chunk = "1;" + String(repeating: "a", count: 20) + "\r\nx\r\n"
        #expect(chunked(String(repeating: chunk, count: 4), limits: limits).violation == nil)
        #expect(chunked(String(repeating: chunk, count: 5), limits: limits).violation == .chunkExtensionsTooLarge)
    }

    @Test("RFC 9112 7.1.2: trailers are checked and bounded")
    func boundsTrailers() {
        #expect(chunked("0\r\nBad name: x\r\n\r\n").violation == .malformedField)
        #expect(chunked("0\r\n folded\r\n\r\n").violation == .foldedField)
        let many = (0...100).map { "T\($0): x\r\n" }.joined()
        #expect(chunked("0\r\n\(many)\r\n").violation == .fieldsTooLarge)
    }
}

import Foundation
import HTTP
import Testing

/// Good requests, delivered in every way, and bad ones made from them.
@Suite struct CorpusTests {
    static let corpus = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nHEAD /v1/jobs/7?wait=30&a=%C3%A9+b HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: a.example:8080\r\n\r\n",
        "GET http://a.example/x%20y HTTP/1.1\r\nHost: b\r\nAccept: */*\r\nX:\t\r\n\r\n",
        "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello\r\nworl",
        "PUT /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5;a=b\r\nhello\r\n1\r\n\n\r\n0\r\nT: u\r\n\r\n",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
            + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.0\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test(arguments: corpus)
    func parsesTheSameByteByByte(stream: [UInt8]) {
        let whole = Transcript([stream[...]])
        #expect(whole.violation == nil && whole.exchanges.allSatisfy { $0.isComplete } && !whole.exchanges.isEmpty)
        #expect(Transcript(stream.indices.map { stream[$0...$0] }) == whole)
    }

    @Test(arguments: corpus)
    func parsesTheSameSplitAnywhere(stream: [UInt8]) {
        let whole = Transcript([stream[...]])
        for cut in 1..<stream.count {
            #expect(Transcript([stream[..<cut], stream[cut...]]) == whole, "cut at \(cut)")
            for second in stride(from: cut + 1, to: stream.count, by: 3) {
                #expect(Transcript([stream[..<cut], stream[cut..<second], stream[second...]]) == whole)
            }
        }
    }

    /// Mutated streams crash nothing, and mean the same however they are cut. What is accepted is what the grammar of
    /// the head allows: no bare CR or LF, no control, a known framing.
    @Test func meansTheSameWhenMutated() {
        let count = ProcessInfo.processInfo.environment["HTTP_FUZZ_COUNT"].flatMap { Int($0) } ?? 200_000
        var generator = SplitMix(seed: 20_260_101)
        var accepted = 0
        var refused = 0
        for round in 0..<count {
            let stream = Self.mutated(&generator)
            let whole = Transcript([stream[...]])
            let cut = Transcript(Self.pieces(stream, &generator))
            if whole != cut {
                Issue.record(
                    "round \(round): cut otherwise, \(String(decoding: stream, as: UTF8.self)) means otherwise")
                return
            }
            for exchange in whole.exchanges {
                let lines = [exchange.head] + exchange.fields
                let hasControl = lines.contains { $0.utf8.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F } }
                if hasControl { Issue.record("round \(round): a control passed in \(lines)") }
                if case .length(let length) = exchange.framing, exchange.isComplete, exchange.body.count != length {
                    Issue.record("round \(round): \(exchange.body.count) octets of \(length)")
                }
            }
            if whole.violation == nil { accepted += 1 } else { refused += 1 }
        }
        // Both outcomes must be common, or the mutations explore nothing.
        #expect(accepted > count / 20 && refused > count / 20)
    }

    private static let splices = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", ";", "%", "%2e", "+", "-", "0", "f", "FFFFFFFFFFFFFFFF",
        "Host: a\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
        "GET / HTTP/1.1\r\n", "HTTP/1.0", "\r\n\r\n", "0\r\n\r\n", "../", "é",
    ].map { Array($0.utf8) }

    private static func mutated(_ generator: inout SplitMix) -> [UInt8] {
        var stream = corpus.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let at = Int.random(in: 0..<stream.count, using: &generator)
            let end = Int.random(in: at...min(stream.count, at + 8), using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: stream[at] = UInt8.random(in: 0...255, using: &generator)
            case 1: stream[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: stream.insert(contentsOf: splices.randomElement(using: &generator) ?? [], at: at)
            case 3: stream.insert(contentsOf: stream[at..<end], at: at)
            default: if end - at < stream.count { stream.removeSubrange(at..<end) }
            }
        }
        return stream
    }

    private static func pieces(_ stream: [UInt8], _ generator: inout SplitMix) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 1...24, using: &generator))
            pieces.append(stream[start..<end])
            start = end
        }
        return pieces
    }
}

/// A small seeded generator, so that a failing round can be had again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

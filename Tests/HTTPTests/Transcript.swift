import HTTP

/// What the parser made of a stream, in a form that two ways of cutting the stream can be compared in.
struct Transcript: Equatable {
    struct Exchange: Equatable {
        var head: String
        var fields: [String]
        var framing: RequestHead.Framing
        var closes: Bool
        var body: [UInt8] = []
        var isComplete = false
    }

    var exchanges: [Exchange] = []
    var violation: Violation?

    /// Feeds a stream in the given pieces.
    init(_ pieces: [ArraySlice<UInt8>], limits: Limits = Limits()) {
        var parser = RequestParser(limits: limits)
        do {
            for piece in pieces {
                parser.append(Array(piece))
                while let event = try parser.next() { add(event) }
            }
        } catch {
            violation = error
        }
    }

    /// Feeds a stream whole.
    init(_ text: String, limits: Limits = Limits()) {
        self.init([Array(text.utf8)[...]], limits: limits)
    }

    private mutating func add(_ event: RequestParser.Event) {
        switch event {
        case .head(let head):
            let request = Request(
                head: head, parameters: [], routePattern: "", body: .none, peer: .loopback, clientSubject: nil,
                trace: TraceContext(high: 1, low: 1))
            exchanges.append(
                Exchange(
                    head: "\(head.method.rawValue) \(request.path) ?\(request.rawQuery ?? "-") \(head.minorVersion)",
                    fields: head.fields.map { "\($0.name)=\($0.value)" }, framing: head.framing, closes: head.closes))
        case .body(let part):
            exchanges[exchanges.count - 1].body += part
        case .end:
            exchanges[exchanges.count - 1].isComplete = true
        }
    }
}

extension Transcript {
    /// The violation that a stream ends in.
    static func violation(_ text: String, limits: Limits = Limits()) -> Violation? {
        Transcript(text, limits: limits).violation
    }

    /// The violation that a head with these lines ends in.
    static func violation(fields: String..., line: String = "GET / HTTP/1.1") -> Violation? {
        violation(([line] + fields).joined(separator: "\r\n") + "\r\n\r\n")
    }
}

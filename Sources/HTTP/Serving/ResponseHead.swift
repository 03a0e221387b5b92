/// The head of an answer as it goes on the wire.
struct ResponseHead {
    enum Framing {
        /// 1xx, 204 and 304: no length at all (RFC 9110 section 8.6).
        case none
        case length(Int)
        case chunked
        /// HTTP/1.0 has no chunks: the end of the connection ends the body (RFC 9112 section 6.3).
        case untilClose
    }

    let status: Status
    let fields: Fields
    let framing: Framing
    let closes: Bool

    /// - Parameter dateLine: the Date field with its line end.
    func write(to output: inout OutputQueue, dateLine: [UInt8]) {
        if status.code == 200 {
            output.append("HTTP/1.1 200 OK\r\n" as StaticString)
        } else {
            output.append("HTTP/1.1 " as StaticString)
            output.append(number: status.code)
            output.append(" " as StaticString)
            output.append(status.reason)
            output.append("\r\n" as StaticString)
        }
        output.append(dateLine)
        for line in fields.lines {
            output.append(line.name)
            output.append(": " as StaticString)
            output.append(line.value)
            output.append("\r\n" as StaticString)
        }
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            output.append("Content-Length: " as StaticString)
            output.append(number: length)
            output.append("\r\n" as StaticString)
        case .chunked: output.append("Transfer-Encoding: chunked\r\n" as StaticString)
        }
        output.append(closes ? "Connection: close\r\n\r\n" : "\r\n" as StaticString)
    }
}

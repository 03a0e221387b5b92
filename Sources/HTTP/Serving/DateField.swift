import Glibc

/// The Date field's line, made once per second.
///
/// - Source: RFC 9110 section 6.6.1.
struct DateField {
    private var second = -1
    private(set) var line: [UInt8] = []

    mutating func refresh() {
        let now = time(nil)
        guard now != second else { return }
        second = now
        line = Array("Date: \(HTTPDate(secondsSince1970: now))\r\n".utf8)
    }
}

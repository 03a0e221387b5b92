/// A request line and its fields, checked: the octets as they came and where each part lies in them.
///
/// Nothing is turned into a `String` until somebody asks, so a request costs two allocations here.
package struct RequestHead: Sendable {
    /// How the body is delimited (RFC 9112 section 6.3).
    package enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    struct FieldLine: Sendable {
        let name: Range<Int>
        let value: Range<Int>
    }

    let octets: [UInt8]
    let fieldLines: [FieldLine]
    package let method: Method
    package let target: RequestTarget
    package let minorVersion: Int
    package let framing: Framing
    /// The client wants the connection to end after this exchange, or speaks HTTP/1.0.
    package let closes: Bool

    /// The first value under a name. Names are compared without case (RFC 9110 section 5.1).
    package func value(_ name: String) -> String? {
        valueOctets(name).map { String(decoding: $0, as: UTF8.self) }
    }

    func valueOctets(_ name: String) -> ArraySlice<UInt8>? {
        let wanted = name.utf8
        for line in fieldLines where line.name.count == wanted.count {
            let matches = zip(octets[line.name], wanted).allSatisfy {
                Octet.lowercased($0) == Octet.lowercased($1)
            }
            if matches { return octets[line.value] }
        }
        return nil
    }

    /// All fields in the order they came.
    package var fields: [(name: String, value: String)] {
        fieldLines.map {
            (String(decoding: octets[$0.name], as: UTF8.self), String(decoding: octets[$0.value], as: UTF8.self))
        }
    }

    /// The decoded path's octets, which begin with a slash; the request for `*` has an empty path.
    var path: ArraySlice<UInt8> {
        target.decodedPath.map { $0[...] } ?? octets[target.path]
    }
}

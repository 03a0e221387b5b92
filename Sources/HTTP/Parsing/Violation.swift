/// What a peer did wrong in the bytes of a request, and the status it earns. The connection closes after each.
package enum Violation: Error, Equatable, Sendable {
    case malformedRequestLine
    case bareLineFeed
    case requestLineTooLong
    case unknownMethod
    case unsupportedVersion
    case malformedTarget
    case malformedField
    case foldedField
    case fieldsTooLarge
    case missingHost
    case repeatedHost
    case malformedHost
    case malformedContentLength
    case repeatedContentLength
    case lengthAndTransferEncoding
    case transferEncodingOnHTTP10
    case unsupportedTransferEncoding
    case malformedTransferEncoding
    case malformedChunk
    case chunkExtensionsTooLarge

    package var status: Status {
        switch self {
        case .requestLineTooLong: 414
        case .fieldsTooLarge: 431
        case .unknownMethod, .unsupportedTransferEncoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// One sentence for the problem document; it never repeats the peer's bytes.
    package var explanation: String {
        switch self {
        case .malformedRequestLine: "The request line is not `method SP target SP HTTP/1.x`."
        case .bareLineFeed: "A line ends in LF without CR."
        case .requestLineTooLong: "The request line is longer than this server reads."
        case .unknownMethod: "The method is not known here."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are spoken here."
        case .malformedTarget: "The request target is not a valid URI reference."
        case .malformedField: "A header field is malformed."
        case .foldedField: "Folded header fields are obsolete and refused."
        case .fieldsTooLarge: "There are more, or longer, header fields than this server reads."
        case .missingHost: "The Host field is missing."
        case .repeatedHost: "The Host field is repeated."
        case .malformedHost: "The Host field is malformed."
        case .malformedContentLength: "Content-Length is not a decimal number in range."
        case .repeatedContentLength: "Content-Length is repeated."
        case .lengthAndTransferEncoding: "Content-Length and Transfer-Encoding exclude each other."
        case .transferEncodingOnHTTP10: "HTTP/1.0 has no Transfer-Encoding."
        case .unsupportedTransferEncoding: "The only transfer coding understood here is chunked."
        case .malformedTransferEncoding: "Chunked must be the one and last transfer coding."
        case .malformedChunk: "The chunked framing is malformed."
        case .chunkExtensionsTooLarge: "The chunk extensions are longer than this server reads."
        }
    }
}

/// A status code with its registered reason phrase.
///
/// - Source: RFC 9110 section 15, RFC 6585 for 428, 429 and 431.
public struct Status: Sendable, Hashable, ExpressibleByIntegerLiteral {
    public let code: Int

    public init(integerLiteral code: Int) {
        self.init(code)
    }

    public init(_ code: Int) {
        precondition((100...599).contains(code), "a status code has three digits")
        self.code = code
    }

    /// 1xx, 204 and 304 end at the head, whatever a handler wants (RFC 9112 section 6.3).
    var forbidsBody: Bool { code < 200 || code == 204 || code == 304 }

    public var reason: StaticString {
        switch code {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Unassigned"
        }
    }
}

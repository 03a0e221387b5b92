/// The methods a route can have, and TRACE and QUERY, which none has: a known method that no resource supports is 405, one
/// that is not known 501.
///
/// - Source: RFC 9110 section 9, RFC 5789 for PATCH.
public enum Method: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
    case trace = "TRACE"
    case query = "QUERY"

    /// What somebody may be told to use instead.
    static let routable = allCases.filter { $0 != .trace && $0 != .query }

    /// Method names are case-sensitive (RFC 9110 section 9.1).
    init?(_ octets: ArraySlice<UInt8>) {
        switch octets.count {
        case 3 where octets.elementsEqual("GET".utf8): self = .get
        case 3 where octets.elementsEqual("PUT".utf8): self = .put
        case 4 where octets.elementsEqual("POST".utf8): self = .post
        case 4 where octets.elementsEqual("HEAD".utf8): self = .head
        case 5 where octets.elementsEqual("PATCH".utf8): self = .patch
        case 5 where octets.elementsEqual("TRACE".utf8): self = .trace
        case 5 where octets.elementsEqual("QUERY".utf8): self = .query
        case 6 where octets.elementsEqual("DELETE".utf8): self = .delete
        case 7 where octets.elementsEqual("OPTIONS".utf8): self = .options
        default: return nil
        }
    }
}

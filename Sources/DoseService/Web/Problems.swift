package import HTTP

/// The kinds of problems that requests meet. Their URIs never change; `openapi.yaml` lists them.
package enum ProblemType: String, CaseIterable, Sendable {
    case invalidParameter = "invalid-parameter"
    case invalidBody = "invalid-body"
    case invalidMultipart = "invalid-multipart"
    case invalidConfiguration = "invalid-configuration"
    case unauthenticated
    case keyInvalid = "key-invalid"
    case keyExpired = "key-expired"
    case forbidden
    case unknownClient = "unknown-client"
    case foreignHost = "foreign-host"
    case notFound = "not-found"
    case conflict
    case alreadyEnded = "already-ended"
    case stateForbids = "state-forbids"
    case unsupportedMediaType = "unsupported-media-type"
    case idempotencyConflict = "idempotency-conflict"
    case rateLimited = "rate-limited"
    case tooManyWaiting = "too-many-waiting"
    case internalError = "internal"
    case databaseUnavailable = "database-unavailable"
    case insufficientStorage = "insufficient-storage"

    package var uri: String { "/problems/\(rawValue)" }

    package var status: Status {
        switch self {
        case .invalidParameter, .invalidBody, .invalidMultipart: 400
        case .unauthenticated, .keyInvalid, .keyExpired: 401
        case .forbidden, .unknownClient, .foreignHost: 403
        case .notFound: 404
        case .conflict, .alreadyEnded, .stateForbids: 409
        case .unsupportedMediaType: 415
        case .idempotencyConflict, .invalidConfiguration: 422
        case .rateLimited: 429
        case .internalError: 500
        case .tooManyWaiting, .databaseUnavailable: 503
        case .insufficientStorage: 507
        }
    }

    var title: String {
        switch self {
        case .invalidParameter: "Invalid parameter"
        case .invalidBody: "Invalid body"
        case .invalidMultipart: "Invalid multipart body"
        case .invalidConfiguration: "The configuration cannot be used"
        case .unauthenticated: "A key is needed"
        case .keyInvalid: "The key is not known"
        case .keyExpired: "The key has expired or was revoked"
        case .forbidden: "The role does not permit it"
        case .unknownClient: "The certificate's subject has no role"
        case .foreignHost: "The host is not this machine"
        case .notFound: "Not found"
        case .conflict: "Conflict"
        case .alreadyEnded: "It has ended"
        case .stateForbids: "The state does not permit it"
        case .unsupportedMediaType: "Unsupported media type"
        case .idempotencyConflict: "The key was used for another request"
        case .rateLimited: "Too many requests"
        case .tooManyWaiting: "Too many are waiting"
        case .internalError: "Internal error"
        case .databaseUnavailable: "Database unavailable"
        case .insufficientStorage: "Insufficient storage"
        }
    }

    private var fields: Fields {
        switch self {
        case .unauthenticated, .keyInvalid, .keyExpired: ["WWW-Authenticate": "Bearer"]
        case .databaseUnavailable, .tooManyWaiting: ["Retry-After": "5"]
        default: Fields()
        }
    }

    func problem(_ detail: String? = nil) -> Problem {
        Problem(status, type: uri, title: title, detail: detail, fields: fields)
    }
}

extension Problem {
    static func invalid(_ name: String, _ text: String) -> Problem {
        ProblemType.invalidParameter.problem("\(name) \(text)")
    }

    static func notFound(_ what: String) -> Problem { ProblemType.notFound.problem("There is no such \(what).") }
}

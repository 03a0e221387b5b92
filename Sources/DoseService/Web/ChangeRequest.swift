import Foundation
import HTTP
import Jobs
import Postgres

/// Why a request that changes something fails inside its transaction.
enum ChangeFailure: Error {
    case database(PostgresError)
    case jobs(JobsError)
    case dosecase(CaseActionError)
    case problem(Problem)

    /// What the handler throws on.
    var cause: any Error {
        switch self {
        case .database(let error): error
        case .jobs(let error): error
        case .dosecase(let error): error
        case .problem(let problem): problem
        }
    }
}

extension ChangeFailure: PostgresFailure {
    init(_ error: PostgresError) { self = .database(error) }

    var postgresError: PostgresError? {
        switch self {
        case .database(let error): error
        case .jobs(let error): error.postgresError
        case .dosecase(let error): error.postgresError
        case .problem: nil
        }
    }
}

/// What a change answers, in a form that can be kept for a repetition.
struct ChangeAnswer: Sendable {
    var status: Int
    var location: String?
    var body: String
    /// What was changed, as the audit names it; no patient.
    var subject: String
    /// For the audit.
    var detail: [String: String] = [:]
    /// The body that a repetition gets, when it must not get the same: a key is shown once.
    var kept: String?

    var response: Response {
        var response = Response.json(Array(body.utf8), status: Status(status))
        if let location { response.fields.set("Location", location) }
        return response
    }
}

/// A request that changes something: the change, its audit and what is answered to a repetition are one transaction.
struct ChangeRequest: Sendable {
    typealias Body = @Sendable (Transaction) throws(ChangeFailure) -> ChangeAnswer

    /// Longer keys are refused.
    static let keyLengthLimit = 200

    let action: AuditTrail.Action
    let principal: Principal
    private let peer: String
    private let key: String?
    private let digest: String

    /// - Throws: the problem of an `Idempotency-Key` that is none.
    init(_ request: Request, action: AuditTrail.Action, by principal: Principal) throws(Problem) {
        (self.action, self.principal, peer) = (action, principal, "\(request.peer)")
        key = request.header("Idempotency-Key")
        if let key, !(1...Self.keyLengthLimit).contains(key.utf8.count) || !key.utf8.allSatisfy(Self.isVisible) {
            throw .invalid("Idempotency-Key", "has 1 to \(Self.keyLengthLimit) characters of ASCII")
        }
        digest = Digest.hex(of: Array("\(request.method.rawValue) \(request.path)\n".utf8) + request.bytes)
    }

    /// Blanks within it too.
    private static func isVisible(_ octet: UInt8) -> Bool { (0x20...0x7E).contains(octet) }

    func perform(_ pool: Pool, _ body: @escaping Body) async throws -> Response {
        do throws(ChangeFailure) {
            let answer = try await pool.transaction { (transaction) throws(ChangeFailure) in
                if let kept = try kept(transaction) { return kept }
                let answer = try body(transaction)
                try record(answer, transaction)
                return answer
            }
            return answer.response
        } catch { throw error.cause }
    }

    private static let reserve = Statement(
        "idempotency_reserve",
        """
        INSERT INTO idempotency (principal, key, request_digest, status, body) VALUES ($1, $2, $3, 0, '')
        ON CONFLICT DO NOTHING RETURNING key
        """)
    private static let find = Statement(
        "idempotency_find",
        "SELECT request_digest, status, location, body FROM idempotency WHERE principal = $1 AND key = $2")
    private static let keep = Statement(
        "idempotency_keep",
        "UPDATE idempotency SET status = $3, location = $4, body = $5 WHERE principal = $1 AND key = $2")

    /// What was answered to this very request before. A repetition that comes while the first is under way waits for it.
    private func kept(_ transaction: Transaction) throws(ChangeFailure) -> ChangeAnswer? {
        guard let key else { return nil }
        do throws(PostgresError) {
            let names: [Parameter] = [.text(principal.name), .text(key)]
            if try transaction.query(Self.reserve, names + [.text(digest)]).first != nil { return nil }
            let row = try transaction.queryOne(Self.find, names)
            let known: String = try row["request_digest"]
            if known == digest {
                return ChangeAnswer(
                    status: try row["status"], location: try row["location"], body: try row["body"], subject: "")
            }
        } catch { throw .database(error) }
        throw .problem(ProblemType.idempotencyConflict.problem())
    }

    private func record(_ answer: ChangeAnswer, _ transaction: Transaction) throws(ChangeFailure) {
        do throws(PostgresError) {
            try AuditTrail.write(
                .init(
                    actor: principal.name, action: action, subject: answer.subject, peer: peer, detail: answer.detail),
                transaction)
            guard let key else { return }
            let names: [Parameter] = [.text(principal.name), .text(key)]
            try transaction.query(
                Self.keep,
                names + [
                    .integer(Int64(answer.status)), .optional(answer.location), .text(answer.kept ?? answer.body),
                ])
        } catch { throw .database(error) }
    }
}

import Foundation
import HTTP
import Jobs
import Postgres

/// Objects and results for workers that share no folder with this service.
extension Routes {
    /// Octets of one file of a result.
    private static let artefactLimit = 4 << 30

    func addArtefacts(_ router: inout Router) {
        add(.get, "/v1/objects/{name}", .operator_, to: &router) { request, principal in
            let name = request.parameter("name") ?? ""
            guard name.utf8.count == 64, name.utf8.allSatisfy({ Self.isHexadecimal($0) }) else {
                throw Problem.invalid("name", "is no digest")
            }
            try await auditView("object/\(name)", request, by: principal)
            let path = store.path("\(name.prefix(2))/\(name).dcm")
            // Opening a file may block.
            let body = try await Service.onThread { () throws(HTTPError) in try FileBody(path: path) }
            return .file(body, type: "application/dicom")
        }
        let gatekeeper = gatekeeper
        router.asynchronous(
            .put, "/v1/attempts/{id}/files/{name}",
            body: .streamed(limit: Self.artefactLimit) { request in
                let principal = try gatekeeper.principalBlocking(of: request, atLeast: .operator_)
                return try openArtefact(request, principal)
            }
        ) { request in
            guard case .sink = request.body else { throw ProblemType.invalidBody.problem("There is no body.") }
            return Response(204)
        }
    }

    private static let holder = Statement(
        "artefact_attempt", "SELECT id FROM job WHERE id = $1 AND lease_token = $2 AND state = 'running'")

    /// Only the attempt that holds its job may write, and only into its own folder.
    private func openArtefact(_ request: Request, _ principal: Principal) throws -> ArtefactUpload {
        let attempt = request.parameter("id") ?? ""
        let name = request.parameter("name") ?? ""
        guard let match = attempt.wholeMatch(of: #/([1-9]\d{0,17})-([1-9]\d{0,17})/#), let job = Int64(match.output.1),
            let token = Int64(match.output.2)
        else { throw Problem.invalid("id", "is no attempt") }
        guard ResultFiles.isPlain(name) else { throw Problem.invalid("name", "is no plain name of a file") }
        let holds = try pool.withConnection { (connection) throws(PostgresError) in
            try !connection.query(Self.holder, [.integer(job), .integer(token)]).isEmpty
        }
        guard holds else { throw ProblemType.stateForbids.problem("The attempt does not hold the job.") }
        let folder = "\(store.results)/\(attempt)"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch { throw ProblemType.insufficientStorage.problem() }
        return try ArtefactUpload(path: "\(folder)/\(name)", by: principal)
    }

    private static func isHexadecimal(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet)
    }
}

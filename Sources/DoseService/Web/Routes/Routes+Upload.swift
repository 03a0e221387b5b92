import Foundation
import HTTP
import Postgres

extension Routes {
    /// Octets of one upload; a patient's PET/CT has about half a gigabyte.
    private static let uploadLimit = 8 << 30

    func addUpload(_ router: inout Router) {
        for pattern in ["/v1/dicom/studies", "/v1/dicom/studies/{study}"] {
            let gatekeeper = gatekeeper
            router.asynchronous(
                .post, pattern,
                body: .streamed(limit: Self.uploadLimit) { request in
                    // Runs on a thread that may block, before any of the body is read.
                    let principal = try gatekeeper.principalBlocking(of: request, atLeast: .operator_)
                    return try open(request, principal)
                }
            ) { request in
                guard case .sink(let sink) = request.body, let upload = sink as? Upload else {
                    // A request without a body opens no sink.
                    _ = try await gatekeeper.principal(of: request, atLeast: .operator_)
                    throw ProblemType.invalidMultipart.problem("There is no body.")
                }
                try await auditUpload(upload, request)
                return upload.answer
            }
        }
    }

    private func open(_ request: Request, _ principal: Principal) throws(Problem) -> Upload {
        guard let media = request.header("Content-Type").flatMap({ MediaType($0) }), media.name == "multipart/related",
            media.parameters["type"]?.lowercased() ?? "application/dicom" == "application/dicom",
            request.header("Content-Encoding") == nil
        else { throw ProblemType.unsupportedMediaType.problem("multipart/related of application/dicom is expected.") }
        guard let parser = media.parameters["boundary"].flatMap({ MultipartParser(boundary: $0) }) else {
            throw ProblemType.invalidMultipart.problem("The boundary has 1 to 70 printable characters.")
        }
        let study = request.parameter("study")
        if let study, !Self.isUID(study) { throw .invalid("study", "is no UID") }
        guard store.freeBytes() > settings.diskReserveBytes else {
            throw ProblemType.insufficientStorage.problem()
        }
        return Upload(
            intake, prefix: "\(store.incoming)/upload-\(UUID().uuidString.lowercased())", study: study,
            boundary: parser, by: principal, trace: request.trace.traceID)
    }

    /// - Source: DICOM PS3.5 section 9.1.
    private static func isUID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }

    private func auditUpload(_ upload: Upload, _ request: Request) async throws {
        let stored = upload.outcomes.count { $0.status == 0 }
        let refused = upload.outcomes.count - stored
        let event = AuditTrail.Event(
            actor: upload.principal.name, action: .upload, subject: "instances", peer: "\(request.peer)",
            outcome: refused > 0 ? 4 : 0, detail: ["stored": "\(stored)", "refused": "\(refused)"])
        try await pool.run { (connection) throws(PostgresError) in try AuditTrail.write(event, connection) }
    }
}

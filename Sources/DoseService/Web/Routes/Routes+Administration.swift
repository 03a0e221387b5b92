import HTTP
import Postgres
import Tomography

extension Routes {
    func addAdministration(_ router: inout Router) {
        addKeys(&router)
        addCalibrations(&router)
        addConfiguration(&router)
        add(.get, "/v1/peers", .reader, to: &router) { _, _ in
            let counts = try await pool.run { (connection) throws(PostgresError) in
                try PeerView.waiting(connection)
            }
            let peers = settings.everyPeer.map { PeerView($0, waiting: counts[$0.name] ?? [:]) }
            return Self.tagged(["peers": peers])
        }
        add(.get, "/v1/models", .reader, to: &router) { request, _ in
            let (before, limit) = try Self.page(request)
            let models = try await pool.run { (connection) throws(PostgresError) in
                try ModelView.list(before: before, limit: limit, connection)
            }
            return Self.tagged(ModelPage(models: models, next: models.last?.id))
        }
        // For workers that share no folder with this service: a patient's model is as good as his data.
        add(.get, "/v1/models/{id}/files/{name}", .operator_, to: &router) { request, principal in
            let id = try request.identifier()
            guard request.parameter("name") == ModelJobs.fileName else { throw Problem.notFound("file") }
            let name = try await pool.run { (connection) throws(PostgresError) -> String? in
                try connection.query(ModelStatements.find, [.integer(id)]).first?["file_name"]
            }
            guard let name else { throw Problem.notFound("model") }
            try await auditView("model/\(id)", request, by: principal)
            let path = "\(store.results)/\(name)"
            // Opening a file may block.
            let body = try await Service.onThread { () throws(HTTPError) in try FileBody(path: path) }
            return .file(body, type: "application/octet-stream")
        }
        add(.get, "/v1/audit", .admin, to: &router) { request, principal in
            let (before, limit) = try Self.page(request)
            let (subject, actor) = (try request.text("subject"), try request.text("actor"))
            let entries = try await pool.run { (connection) throws(PostgresError) in
                try AuditView.list(before: before, subject: subject, actor: actor, limit: limit, connection)
            }
            return Self.tagged(AuditPage(entries: entries, next: entries.last?.id))
        }
    }

    private struct NewKeyRequest: Decodable {
        let name: String
        let role: Role
        let days: Int?
        let certificateSubject: String?

        enum CodingKeys: String, CodingKey {
            case name, role, days
            case certificateSubject = "certificate_subject"
        }
    }

    private func addKeys(_ router: inout Router) {
        add(.get, "/v1/keys", .admin, to: &router) { request, _ in
            let (before, limit) = try Self.page(request)
            let keys = try await pool.run { (connection) throws(PostgresError) in
                try KeyStore(connection).list(before: before, limit: limit)
            }
            return Self.tagged(KeyPage(keys: keys, next: keys.last?.id))
        }
        addChange(.post, "/v1/keys", .admin, action: .keyCreated, to: &router) { request, _ in
            let wanted = try request.decoded(NewKeyRequest.self)
            let name = try wanted.name.checked("name", upTo: 100)
            let subject = try wanted.certificateSubject.map { subject throws(Problem) in
                try subject.checked("certificate_subject", upTo: 1000)
            }
            if let days = wanted.days, !(1...3660).contains(days) {
                throw ProblemType.invalidBody.problem("days is from 1 to 3660.")
            }
            return { (transaction) throws(ChangeFailure) in
                do throws(PostgresError) {
                    var view = try KeyStore(transaction).add(
                        name: name, role: wanted.role, certificateSubject: subject,
                        lifetime: wanted.days.map { .seconds(86_400 * $0) })
                    let body = JSONText.encode(view)
                    view.key = nil
                    return ChangeAnswer(
                        status: 201, location: "/v1/keys/\(view.id)", body: body, subject: "key/\(view.id)",
                        kept: JSONText.encode(view))
                } catch { throw .database(error) }
            }
        }
        addChange(.delete, "/v1/keys/{id}", .admin, action: .keyRevoked, to: &router) { request, _ in
            let id = try request.identifier()
            return { (transaction) throws(ChangeFailure) in
                var view: KeyView?
                do throws(PostgresError) { view = try KeyStore(transaction).revoke(id) } catch {
                    throw .database(error)
                }
                guard let view else { throw .problem(.notFound("key")) }
                return ChangeAnswer(status: 200, body: JSONText.encode(view), subject: "key/\(id)")
            }
        }
    }

    private func addCalibrations(_ router: inout Router) {
        add(.get, "/v1/calibrations", .reader, to: &router) { request, _ in
            let (before, limit) = try Self.page(request)
            let views = try await pool.run { (connection) throws(PostgresError) in
                try Calibrations.list(before: before, limit: limit, connection)
            }
            return Self.tagged(
                CalibrationPage(calibrations: views, next: views.last?.id, files: before == nil ? settings.sites : []))
        }
        addChange(.post, "/v1/calibrations", .admin, action: .calibrationAdded, to: &router) { request, principal in
            let site = try request.decoded(CameraSite.self)
            if let flaw = Calibrations.flaw(in: site) {
                throw ProblemType.invalidBody.problem("\(flaw) is missing or impossible.")
            }
            return { (transaction) throws(ChangeFailure) in
                var view: CalibrationView?
                do throws(PostgresError) {
                    view = try Calibrations.add(site, by: principal.name, transaction)
                } catch {
                    // The form of a date is checked before; whether there is such a day the database says.
                    throw error.sqlState?.code.hasPrefix("22") == true
                        ? .problem(ProblemType.invalidBody.problem("measured_on or valid_until is no day."))
                        : .database(error)
                }
                guard let view else { throw .problem(ProblemType.invalidBody.problem()) }
                return ChangeAnswer(
                    status: 201, location: "/v1/calibrations/\(view.id)", body: JSONText.encode(view),
                    subject: "calibration/\(view.id)")
            }
        }
        addChange(.delete, "/v1/calibrations/{id}", .admin, action: .calibrationWithdrawn, to: &router) { request, _ in
            let id = try request.identifier()
            return { (transaction) throws(ChangeFailure) in
                var view: CalibrationView?
                do throws(PostgresError) { view = try Calibrations.withdraw(id, transaction) } catch {
                    throw .database(error)
                }
                guard let view else { throw .problem(.notFound("calibration")) }
                return ChangeAnswer(status: 200, body: JSONText.encode(view), subject: "calibration/\(id)")
            }
        }
    }
}

struct KeyPage: Codable, Equatable {
    let keys: [KeyView]
    let next: Int64?
}

struct CalibrationPage: Codable, Equatable {
    let calibrations: [CalibrationView]
    let next: Int64?
    /// Descriptions that the service was started with, on the first page.
    let files: [CameraSite]
}

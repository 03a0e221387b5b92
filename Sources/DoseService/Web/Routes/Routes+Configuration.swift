import Foundation
import HTTP
import Postgres

extension Routes {
    /// A description is a page or two, not a book.
    private static let configurationLimit = SiteConfiguration.byteLimit

    func addConfiguration(_ router: inout Router) {
        add(.get, "/v1/configuration", .admin, to: &router) { _, _ in
            Self.tagged(try await configuration())
        }
        addReplacement(&router)
        add(
            .post, "/v1/configuration/check", .admin, to: &router, bodyLimit: Self.configurationLimit
        ) { request, _ in
            _ = try request.decoded(JSONValue.self)
            // As `scintivol check-config` reads it, byte for byte.
            let check = ConfigurationCheck(SiteConfiguration(json: Data(request.bytes)), echoes: false)
            return .json(Array(check.json.utf8))
        }
        add(.post, "/v1/peers/{name}/echo", .operator_, to: &router) { request, principal in
            let name = request.parameter("name") ?? ""
            guard let peer = settings.everyPeer.first(where: { $0.name == name }) else {
                throw Problem.notFound("peer")
            }
            guard peer.address != nil else {
                throw ProblemType.conflict.problem("It only calls: there is no address to call it at.")
            }
            // Names of peers are the site's, not a patient's.
            try await auditView("peer/\(peer.name)", request, by: principal)
            let answer = await Service.onThread { ConfigurationCheck.ask(peer) }
            return .json(Array(JSONText.encode(answer).utf8))
        }
    }

    private func configuration() async throws(PostgresError) -> ConfigurationView {
        // What another process has stored a moment ago is shown as it is used.
        try await site.refresh(pool)
        let stored = try await pool.run { (connection) throws(PostgresError) in
            try StoredConfiguration.newest(after: 0, connection)
        }
        return ConfigurationView(stored, site)
    }

    private func addReplacement(_ router: inout Router) {
        let site = site
        let pool = pool
        addChange(
            .put, "/v1/configuration", .admin, action: .configurationReplaced, to: &router,
            bodyLimit: Self.configurationLimit, changed: { try await site.refresh(pool) }
        ) { request, principal in
            let document = try request.decoded(JSONValue.self)
            // The bytes themselves: a document that was read has lost what stood twice.
            let problems = SiteConfiguration(json: Data(request.bytes)).problems
            guard problems.isEmpty else {
                var problem = ProblemType.invalidConfiguration.problem("problems names everything that is wrong.")
                problem.extensions["problems"] = JSONText.encode(problems)
                throw problem
            }
            let known = request.header("If-Match")
            return { (transaction) throws(ChangeFailure) in
                try Self.replace(with: document, ifMatch: known, by: principal, site, transaction)
            }
        }
        addChange(
            .delete, "/v1/configuration", .admin, action: .configurationWithdrawn, to: &router,
            changed: { try await site.refresh(pool) }
        ) { request, principal in
            let known = request.header("If-Match")
            return { (transaction) throws(ChangeFailure) in
                try Self.replace(with: nil, ifMatch: known, by: principal, site, transaction)
            }
        }
    }

    private static let lock = Statement(
        "site_configuration_lock", "LOCK TABLE site_configuration IN SHARE ROW EXCLUSIVE MODE")

    /// - Parameter known: the tag of the description that the client has seen; when another is in use by now, nothing is
    ///   replaced.
    private static func replace(
        with document: JSONValue?, ifMatch known: String?, by principal: Principal, _ site: SiteSettings,
        _ transaction: Transaction
    ) throws(ChangeFailure) -> ChangeAnswer {
        let before: ConfigurationView
        do throws(PostgresError) {
            _ = try transaction.query(lock, [])
            before = ConfigurationView(try StoredConfiguration.newest(after: 0, transaction), site)
        } catch { throw .database(error) }
        let tag = tagged(before).fields["ETag"].flatMap { EntityTag.first(in: $0) }
        if let known, tag?.isNamed(byIfMatch: known) != true {
            throw .problem(ProblemType.conflict.problem("Another configuration is in use by now."))
        }
        do throws(PostgresError) {
            let stored = try StoredConfiguration.add(document, by: principal.name, transaction)
            return ChangeAnswer(
                status: 200, body: JSONText.encode(ConfigurationView(stored, site)),
                subject: "configuration/\(stored.id)")
        } catch { throw .database(error) }
    }
}

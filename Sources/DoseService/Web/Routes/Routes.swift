import DICOM
import Foundation
package import HTTP
import Jobs
package import Logging
package import Postgres

/// The REST interface: the same rows that the flow works on, read and steered.
package struct Routes: Sendable {
    static let pageLimit = 200
    static let pageDefault = 50
    /// How long an answer may be held back until something changes, in seconds.
    static let waitLimit = 60

    typealias Handle = @Sendable (Request, Principal) async throws -> Response

    let pool: Pool
    let queue: JobQueue
    let store: ObjectStore
    let site: SiteSettings
    let gatekeeper: Gatekeeper
    let changes: Changes
    let metrics: Metrics
    let readiness: Readiness
    /// Takes what is uploaded.
    let intake: Intake
    let reader: JobReader

    init(
        pool: Pool, queue: JobQueue, store: ObjectStore, site: SiteSettings, metrics: Metrics,
        readiness: Readiness, intake: Intake, changes: Changes, gatekeeper: Gatekeeper
    ) {
        (self.pool, self.queue, self.store, self.site) = (pool, queue, store, site)
        (self.metrics, self.readiness, self.intake) = (metrics, readiness, intake)
        (self.changes, self.gatekeeper) = (changes, gatekeeper)
        reader = JobReader(pool: pool)
    }

    /// Everything on one database, for what needs no listener beside it.
    package init(pool: Pool, store: ObjectStore, settings: ServiceSettings, log: Logger) {
        let queue = JobQueue(pool: pool)
        let ring = KeyRing(pool: pool)
        let site = SiteSettings(settings)
        self.init(
            pool: pool, queue: queue, store: store, site: site, metrics: Metrics(queue: queue, listener: nil),
            readiness: Readiness(pool: pool, store: store, diskReserveBytes: settings.diskReserveBytes),
            intake: Intake(store: store, pool: pool, receiver: "web", site: site, log: log),
            changes: Changes(ring: ring),
            gatekeeper: Gatekeeper(
                ring: ring, requiresKeys: settings.requiresKeys, requestsPerSecond: settings.requestsPerSecond))
    }

    /// As they are now.
    var settings: ServiceSettings { site.current }

    package func router() -> Router {
        var router = Router()
        router.inline(.get, "/livez") { _ in .text("alive\n") }
        router.blocking(.get, "/readyz") { _ in readiness.answer() }
        router.asynchronous(.get, "/metrics") { _ in
            .text(try await metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        addJobs(&router)
        addCases(&router)
        addResults(&router)
        addCycles(&router)
        addUpload(&router)
        addArtefacts(&router)
        addEvents(&router)
        addAdministration(&router)
        router.screen = { screen($0) }
        router.failure = { error, _ in FailurePolicy.problem(error).response }
        return router
    }

    /// What can be answered on the event loop: too many requests, and a job that has not changed.
    private func screen(_ request: Request) -> Response? {
        guard request.routePattern.hasPrefix("/v1/") else { return nil }
        if let refusal = gatekeeper.refusal(request) { return refusal }
        guard request.routePattern == Self.jobPattern, request.method == .get, request.rawQuery == nil,
            let list = request.header("If-None-Match"), let id = request.parameter("id").flatMap(Int64.init),
            let revision = changes.revision(of: JobID(rawValue: id)), gatekeeper.remembered(request) != nil
        else { return nil }
        let tag = EntityTag("\(revision)")
        return tag.isNamed(byIfNoneMatch: list) ? Response(304, fields: ["ETag": tag.description]) : nil
    }

    /// A route for those who have at least this role.
    func add(
        _ method: HTTP.Method, _ pattern: String, _ role: Role, to router: inout Router,
        bodyLimit: Int = Router.bodyLimitByDefault, shortcut: Shortcut? = nil, _ handle: @escaping Handle
    ) {
        let gatekeeper = gatekeeper
        router.asynchronous(method, pattern, body: .buffered(limit: bodyLimit), shortcut: shortcut) { request in
            try await handle(request, try await gatekeeper.principal(of: request, atLeast: role))
        }
    }

    /// A route that changes something, and answers a repetition as it answered first.
    ///
    /// - Parameter changed: what has to follow before the answer goes out.
    func addChange(
        _ method: HTTP.Method, _ pattern: String, _ role: Role, action: AuditTrail.Action, to router: inout Router,
        bodyLimit: Int = Router.bodyLimitByDefault, changed: @escaping @Sendable () async throws -> Void = {},
        _ prepare: @escaping @Sendable (Request, Principal) throws -> ChangeRequest.Body
    ) {
        let (pool, changes) = (pool, changes)
        add(method, pattern, role, to: &router, bodyLimit: bodyLimit) { request, principal in
            let body = try prepare(request, principal)
            let answer = try await ChangeRequest(request, action: action, by: principal).perform(pool, body)
            // Whoever has changed something sees it at once; others a notification later.
            changes.forgetRevisions()
            try await changed()
            return answer
        }
    }

    /// Says who looked at what; the answer goes out when the row is written.
    func auditView(_ subject: String, _ request: Request, by principal: Principal) async throws {
        let event = AuditTrail.Event(
            actor: principal.name, action: .viewed, subject: subject, peer: "\(request.peer)")
        try await pool.run { (connection) throws(PostgresError) in try AuditTrail.write(event, connection) }
    }

    /// A JSON answer whose tag is a digest of it.
    static func tagged(_ value: some Encodable) -> Response {
        let bytes = Array(JSONText.encode(value).utf8)
        var response = Response.json(bytes)
        response.fields.set("ETag", EntityTag(String(Digest.hex(of: bytes).prefix(32))).description)
        return response
    }

    static func page(_ request: Request) throws(Problem) -> (before: Int64?, limit: Int) {
        let limit = try request.number("limit", 1...Int64(pageLimit))
        return (try request.number("before", 1...Int64.max), limit.map(Int.init) ?? pageDefault)
    }

    /// Reads again and again until the answer is another than the client has, or its patience ends.
    func held(
        _ request: Request, on topic: Changes.Topic, _ read: () async throws -> Response
    ) async throws -> Response {
        let seconds = try request.number("wait", 0...Int64(Self.waitLimit)) ?? 0
        guard seconds > 0, let known = request.header("If-None-Match") else { return try await read() }
        let subscription = try changes.subscribe(topic)
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let response = try await read()
            let left = end - .now
            guard left > .zero, !Task.isCancelled, response.status == 200,
                response.fields["ETag"].flatMap({ EntityTag.first(in: $0) })?.isNamed(byIfNoneMatch: known) == true
            else { return response }
            await subscription.next(atMost: left)
        }
    }
}

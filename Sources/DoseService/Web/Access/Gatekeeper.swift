import HTTP

/// Decides who may ask for what.
package struct Gatekeeper: Sendable {
    package let ring: KeyRing
    /// Without keys everybody on this machine may do everything, and nobody else is listened to.
    package let requiresKeys: Bool
    package let requests: RateLimiter
    /// Guesses at keys from one address.
    package let failures: RateLimiter

    package init(ring: KeyRing, requiresKeys: Bool, requestsPerSecond: Double) {
        (self.ring, self.requiresKeys) = (ring, requiresKeys)
        requests = RateLimiter(perSecond: requestsPerSecond, burst: 2 * requestsPerSecond)
        failures = RateLimiter(perSecond: requestsPerSecond > 0 ? 1 : 0, burst: 20)
    }

    /// What must be answered at once, on the event loop.
    func refusal(_ request: Request) -> Response? {
        var caller = RateLimiter.Caller(request.peer)
        // A number alone is no proof: whoever only names another's key must not use up its tokens.
        if requiresKeys, let credential = try? Credential(request), case .key(let id, _) = credential,
            ring.remembered(credential) != nil
        {
            caller = .key(id)
        }
        return requests.take(caller, now: .now).map { Self.tooMany($0).response }
    }

    /// The principal, when it is known without asking the database.
    func remembered(_ request: Request) -> Principal? {
        if !requiresKeys { return Self.isForThisMachine(request) ? .local : nil }
        // What is no key is refused where the reason is told.
        return (try? Credential(request)).flatMap { ring.remembered($0) }
    }

    /// - Throws: the problem of a request that may not be made.
    func principal(of request: Request, atLeast role: Role) async throws -> Principal {
        do {
            guard let credential = try credential(request) else { return .local }
            return try Self.check(try await ring.principal(credential), role)
        } catch { throw counted(error, request) }
    }

    /// The same on a thread that may block.
    func principalBlocking(of request: Request, atLeast role: Role) throws -> Principal {
        do {
            guard let credential = try credential(request) else { return .local }
            return try Self.check(try ring.principalBlocking(credential), role)
        } catch { throw counted(error, request) }
    }

    /// Nil when none is asked for.
    private func credential(_ request: Request) throws(Problem) -> Credential? {
        if requiresKeys {
            guard let credential = try Credential(request) else { throw ProblemType.unauthenticated.problem() }
            return credential
        }
        // A page of elsewhere that reaches this machine by a name of its own carries that name in Host.
        guard Self.isForThisMachine(request) else { throw ProblemType.foreignHost.problem() }
        return nil
    }

    private static func check(_ principal: Principal, _ role: Role) throws(Problem) -> Principal {
        guard principal.role >= role else {
            throw ProblemType.forbidden.problem("The role \(role.rawValue) is needed.")
        }
        return principal
    }

    /// Whoever guesses too often is told to wait instead.
    private func counted(_ error: any Error, _ request: Request) -> any Error {
        // A role that is too low, and a key that was good once, are no guesses.
        let guesses = [ProblemType.keyInvalid, .unknownClient].map(\.uri)
        guard let problem = error as? Problem, guesses.contains(problem.type),
            let wait = failures.take(.init(request.peer), now: .now)
        else { return error }
        return Self.tooMany(wait)
    }

    private static func isForThisMachine(_ request: Request) -> Bool {
        guard let host = request.header("Host")?.lowercased() else { return true }
        return ["localhost", "127.0.0.1", "[::1]"].contains { name in
            host == name || host.hasPrefix(name + ":")
        }
    }

    private static func tooMany(_ wait: Duration) -> Problem {
        var problem = ProblemType.rateLimited.problem()
        problem.fields.set("Retry-After", String(max(1, Int((wait / .seconds(1)).rounded(.up)))))
        return problem
    }
}

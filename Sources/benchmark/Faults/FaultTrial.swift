import Foundation
import Glibc
import Jobs
import Postgres

/// One scenario, once: two workers as two hosts, some jobs, one fault, and what is left afterwards.
struct FaultTrial {
    struct Outcome {
        let lost, doubled, fenced, rescued: Int
        /// From the fault until every job that it hit was running again, or done; nil when it hit none.
        let recoverySeconds: Double?
    }

    let scenario: FaultScenario
    let server: PrivateServer
    let workspace: Workspace
    let number: Int
    let jobCount: Int
    let leaseSeconds: Double
    /// A small disk of its own, when one could be mounted.
    let smallDisk: String?

    static let effects = Statement("trial.effect", "CREATE TABLE effect (job_id bigint NOT NULL, file text NOT NULL)")

    func run() async throws -> Outcome {
        let database = "trial_\(number)"
        let administration = ConnectionSettings(url: server.url(database: "postgres"))
        try Connection(administration).runSimple(Statement("trial.database", "CREATE DATABASE \(database)"))
        let settings = ConnectionSettings(url: server.url(database: database))
        _ = try Migrator(settings).up()
        try Connection(settings).runSimple(Self.effects)
        let queue = JobQueue(pool: Pool(settings, countLimit: 2))
        for index in 0..<jobCount {
            let payload = FaultWorker.Payload(devoursMemory: scenario == .childOutOfMemory && index % 4 == 0)
            let text = String(decoding: try JSONEncoder().encode(payload), as: UTF8.self)
            _ = try await queue.enqueue(NewJob(kind: FaultWorker.kind, payload: text, attemptLimit: 20))
        }
        let results = scenario == .diskFull ? smallDisk ?? workspace.folder : try workspace.subfolder("trial\(number)")
        var relay: Relay?
        var url = settings.url
        if scenario == .connectionHalfOpen {
            let made = try Relay(to: Self.socketPath(settings.url))
            url = "postgresql://scintivol@127.0.0.1:\(made.port)/\(database)"
            relay = made
        }
        defer { relay?.end() }
        let victim = try start("victim", url, results, failpoints: scenario.failpoints)
        let other = try start("other", settings.url, results, failpoints: nil)
        defer { [victim, other].forEach { $0.kill() } }
        let hit = try await inject(queue, settings, victim, relay, results)
        var recovery: Double?
        if let hit { recovery = try await recover(hit, queue) }
        // As a supervisor would.
        let again = victim.isRunning ? nil : try start("victim-again", settings.url, results, failpoints: nil)
        defer { again?.kill() }
        try await waitUntilDone(queue)
        return try await judge(queue, settings, results, recovery)
    }

    private func start(_ owner: String, _ url: String, _ results: String, failpoints: String?) throws -> ChildProgram {
        guard let own = ChildProgram.sibling("benchmark") else { throw MeasuringError.programSilent("benchmark") }
        var arguments = [
            "fault-worker", "--database-url", url, "--results", results, "--lease-seconds", "\(leaseSeconds)",
            "--owner", owner,
        ]
        if let failpoints { arguments += ["--failpoints", failpoints] }
        return try workspace.start(own, arguments)
    }

    /// The jobs that a fault hit, and when by the monotonic clock.
    struct Hit {
        let jobs: [JobID: LeaseToken]
        let start: Double
    }

    private func inject(
        _ queue: JobQueue, _ settings: ConnectionSettings, _ victim: ChildProgram, _ relay: Relay?, _ results: String
    ) async throws -> Hit? {
        try await waitUntil("the victim works") {
            if scenario.failpoints != nil { return Self.isHeld(victim) || !victim.isRunning }
            return try await !held(queue, by: "victim").isEmpty
        }
        let beyondLease = Duration.seconds(leaseSeconds * 1.5)
        let start = Timing.now()
        let jobs = try await held(queue, by: "victim")
        switch scenario {
        case .kill: victim.kill()
        case .killAt: break
        case .stop, .stopAt:
            Glibc.kill(victim.identifier, SIGSTOP)
            // The successor must have begun before the late one goes on.
            try await Task.sleep(for: beyondLease)
            Glibc.kill(victim.identifier, SIGCONT)
        case .databaseRestarted, .databaseCrashed:
            try server.stop(scenario == .databaseCrashed ? .immediate : .fast)
            try await Task.sleep(for: .milliseconds(300))
            _ = try PrivateServer.start(in: workspace.folder)
        case .backendsTerminated: try terminateOthers(settings)
        case .connectionHalfOpen:
            relay?.standStill(true)
            try await Task.sleep(for: beyondLease)
            relay?.standStill(false)
        case .connectionsExhausted:
            try terminateOthers(settings)
            var taken: [Connection] = []
            while taken.count < 1000, let connection = try? Connection(settings) { taken.append(connection) }
            try await Task.sleep(for: .seconds(leaseSeconds / 2))
            taken.removeAll()
        case .diskFull:
            let filler = "\(results)/filler"
            Self.fill(filler)
            try await Task.sleep(for: .seconds(1))
            try FileManager.default.removeItem(atPath: filler)
        case .childOutOfMemory: break
        }
        return jobs.isEmpty ? nil : Hit(jobs: jobs, start: start)
    }

    private static func fill(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let piece = [UInt8](repeating: 0, count: 4096)
        // Ends when there is no room left.
        while write(descriptor, piece, piece.count) > 0 {}
        close(descriptor)
    }

    private func terminateOthers(_ settings: ConnectionSettings) throws {
        try Connection(settings).runSimple(
            Statement(
                "trial.terminate",
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND datname = current_database()
                """))
    }

    private func held(_ queue: JobQueue, by owner: String) async throws -> [JobID: LeaseToken] {
        var held: [JobID: LeaseToken] = [:]
        for job in try await queue.list(JobFilter(states: [.running]), limit: 500) where job.owner == owner {
            if let token = job.token { held[job.id] = token }
        }
        return held
    }

    /// - Returns: seconds until each of the jobs has a newer token, or has ended.
    private func recover(_ hit: Hit, _ queue: JobQueue) async throws -> Double {
        try await waitUntil("the jobs run again") {
            for (id, token) in hit.jobs {
                let job = try await queue.get(id)
                guard job.state.isEnd || (job.state == .running && job.token.map { $0 > token } == true) else {
                    return false
                }
            }
            return true
        }
        return Timing.now() - hit.start
    }

    private func waitUntilDone(_ queue: JobQueue) async throws {
        try await waitUntil("all jobs end") {
            try await queue.counts().allSatisfy { $0.state.isEnd }
        }
    }

    private func judge(
        _ queue: JobQueue, _ settings: ConnectionSettings, _ results: String, _ recovery: Double?
    ) async throws -> Outcome {
        let connection = try Connection(settings)
        func number(_ sql: String) throws -> Int {
            try connection.queryOne(Statement("trial.\(sql.hashValue)", "SELECT (\(sql))::bigint AS n"))["n"]
        }
        let completed = try number(
            "SELECT count(*) FROM job j WHERE state = 'completed' AND EXISTS (SELECT FROM effect e WHERE e.job_id = j.id)"
        )
        let doubled = try number("SELECT count(*) FROM effect") - number("SELECT count(DISTINCT job_id) FROM effect")
        // The result that stands is that of the attempt that completed the job, and its file is there.
        var missing = 0
        for row in try connection.query(
            Statement("trial.files", "SELECT e.file, j.lease_token FROM effect e JOIN job j ON j.id = e.job_id"))
        {
            let (file, token): (String, Int64) = (try row["file"], try row["lease_token"])
            if !file.hasSuffix("-\(token)") || !FileManager.default.fileExists(atPath: "\(results)/\(file)") {
                missing += 1
            }
        }
        return Outcome(
            lost: jobCount - completed + missing, doubled: doubled,
            fenced: try number("SELECT count(*) FROM job_log WHERE event = 'fenced'"),
            rescued: try number("SELECT count(*) FROM job_log WHERE event = 'rescued'"), recoverySeconds: recovery)
    }

    /// A process that a failpoint has stopped.
    private static func isHeld(_ program: ChildProgram) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(program.identifier)/status", encoding: .utf8)) ?? ""
        return text.contains("State:\tT")
    }

    private static func socketPath(_ url: String) -> String {
        let host = url.split(separator: "host=").last?.prefix { $0 != "&" } ?? ""
        return (String(host).removingPercentEncoding ?? "") + "/.s.PGSQL.5432"
    }

    /// - Throws: ``MeasuringError/programSilent(_:)`` when it does not come about.
    private func waitUntil(_ what: String, _ holds: () async throws -> Bool) async throws {
        let end = Timing.now() + 60 + 4 * leaseSeconds
        while Timing.now() < end {
            // The database may be away just now.
            if (try? await holds()) == true { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw MeasuringError.programSilent("\(scenario.name): \(what)")
    }
}

import FoundationEssentials
import Glibc

/// PostgreSQL's own programs, run as the server's account.
struct ServerCommands: Sendable {
    private let programFolder: String
    private let layout: ServerLayout
    let owner: ServerOwner

    /// Finds the programs of the version that made the data folder, or the newest.
    ///
    /// - Throws: ``PostgresError/serverProgramsMissing``
    init(layout: ServerLayout, owner: ServerOwner) throws(PostgresError) {
        let parent = "/usr/lib/postgresql"
        // A missing folder is the same as an empty one: no programs.
        let installed = ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).filter {
            access("\(parent)/\($0)/bin/initdb", X_OK) == 0
        }
        let newest = installed.max { (Int($0) ?? 0) < (Int($1) ?? 0) }
        guard let version = layout.majorVersion ?? newest, installed.contains(version) else {
            throw .serverProgramsMissing
        }
        programFolder = "\(parent)/\(version)/bin"
        self.layout = layout
        self.owner = owner
    }

    func initialise(_ data: String, until end: ContinuousClock.Instant) throws(PostgresError) {
        let status = try run(
            "initdb",
            [
                "--pgdata", data, "--username", "scintivol", "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
                "--data-checksums", "--no-instructions",
            ], until: end)
        guard status == 0 else { throw .serverCommandFailed(program: "initdb", status: status) }
    }

    /// - Returns: pg_ctl's exit status; 0 when the server accepts connections.
    func start(until end: ContinuousClock.Instant) throws(PostgresError) -> Int32 {
        let seconds = max(1, Int((end - .now).seconds))
        return try run(
            "pg_ctl",
            [
                "start", "--pgdata", layout.data, "--wait", "--timeout", String(seconds), "--log",
                layout.logFolder + "/start.log",
            ], until: end + .seconds(5))
    }

    func stop(_ mode: PrivateServer.StopMode) throws(PostgresError) {
        let status = try run(
            "pg_ctl", ["stop", "--pgdata", layout.data, "--wait", "--timeout", "60", "--mode", mode.rawValue],
            until: .now + .seconds(65))
        // pg_ctl fails as well when the server ends by itself before it is asked to.
        guard status == 0 || layout.runningProcess == nil else {
            throw .serverCommandFailed(program: "pg_ctl", status: status)
        }
    }

    private func run(
        _ program: String, _ arguments: [String], until end: ContinuousClock.Instant
    ) throws(PostgresError) -> Int32 {
        var command = [programFolder + "/" + program] + arguments
        if owner.mustDropPrivileges {
            command =
                ["/usr/bin/setpriv", "--reuid", "\(owner.user)", "--regid", "\(owner.group)", "--clear-groups"]
                + command
        }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw .serverFolderUnusable(errno: errno) }
        defer { close(null) }
        let spawned = SpawnedProcess.spawn(
            command[0], Array(command.dropFirst()), environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
            descriptors: (null, null, null))
        guard case .success(let process) = spawned else { throw .serverProgramsMissing }
        while true {
            switch process.reapIfEnded() {
            case .exited(let status): return status
            case .signalled(let signal): return 128 + signal
            case nil:
                if ContinuousClock.now > end {
                    process.signalGroup(SIGKILL)
                    throw .serverCommandFailed(program: program, status: 128 + SIGKILL)
                }
                usleep(5_000)
            }
        }
    }
}

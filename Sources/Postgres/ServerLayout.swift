import FoundationEssentials
import Glibc

/// Where a private server keeps what.
struct ServerLayout: Sendable {
    let root: String
    let socketFolder: String

    var data: String { root + "/data" }
    var unfinishedData: String { root + "/data.unfinished" }
    var logFolder: String { root + "/log" }
    private var configuration: String { root + "/server.conf" }

    /// Makes the folders, readable by the server's account alone.
    ///
    /// - Throws: ``PostgresError/serverFolderUnusable(errno:)``
    init(folder: String, owner: ServerOwner) throws(PostgresError) {
        root = folder + "/postgres"
        // sun_path has 108 bytes with the final zero.
        let socketName = "/.s.PGSQL.5432"
        let near = root + "/socket"
        let fits = near.utf8.count + socketName.utf8.count <= 107
        socketFolder = fits ? near : "/tmp/scintivol-\(owner.user)-\(ServerLayout.hash(root))"
        if mkdir(folder, 0o755) != 0 && errno != EEXIST { throw .serverFolderUnusable(errno: errno) }
        for path in [root, logFolder, socketFolder] { try owner.makePrivateFolder(path) }
    }

    var isInitialised: Bool { access(data + "/PG_VERSION", F_OK) == 0 }

    /// The version that made the data folder.
    var majorVersion: String? {
        text(of: data + "/PG_VERSION")?.split(separator: "\n").first.map { String($0) }
    }

    func removeUnfinished() throws(PostgresError) {
        guard access(unfinishedData, F_OK) == 0 else { return }
        do { try FileManager.default.removeItem(atPath: unfinishedData) } catch {
            throw .serverFolderUnusable(errno: errno)
        }
    }

    /// Writes the settings that the data folder's configuration includes.
    func writeConfiguration(owner: ServerOwner) throws(PostgresError) {
        func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
        // Errors are not logged, and what is logged is terse: messages, details and statements may quote values.
        let settings = """
            listen_addresses = ''
            unix_socket_directories = \(quoted(socketFolder))
            unix_socket_permissions = 0700
            port = 5432
            max_connections = 100
            fsync = on
            synchronous_commit = on
            timezone = 'UTC'
            logging_collector = on
            log_directory = \(quoted(logFolder))
            log_filename = 'postgresql-%a.log'
            log_truncate_on_rotation = on
            log_rotation_age = '1d'
            log_rotation_size = 0
            log_min_messages = log
            log_min_error_statement = panic
            log_error_verbosity = terse

            """
        try owner.write(settings, to: configuration)
        let include = "include = \(quoted(configuration))\n"
        guard let main = text(of: data + "/postgresql.conf") else { throw .serverFolderUnusable(errno: errno) }
        // A moved folder has another path; the last line of them wins, and the old one must go or nothing starts.
        let kept = main.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("include = ") }
        try owner.write(kept.joined(separator: "\n") + "\n" + include, to: data + "/postgresql.conf")
    }

    /// The server's process, when it lives. The data folder's lock file may name a stranger, as after a container was
    /// restarted: PostgreSQL would take that for a living server, and pg_ctl would signal it.
    var runningProcess: Int32? {
        guard let recorded = text(of: lockFile)?.split(separator: "\n").first, let process = Int32(recorded) else {
            return nil
        }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        // A postmaster's working directory is its data folder.
        let length = readlink("/proc/\(process)/cwd", &buffer, buffer.count)
        if length < 0 {
            // In a container even root may not look into another account's process.
            let isHidden = errno == EACCES || errno == EPERM
            return isHidden && !isZombie(process) && text(of: "/proc/\(process)/comm") == "postgres\n" ? process : nil
        }
        guard let resolved = realpath(data, nil) else { return nil }
        defer { free(resolved) }
        let folder = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return folder == String(cString: resolved) ? process : nil
    }

    /// Whether it has died and nobody has looked yet, as it stays where the first process of a container does not.
    private func isZombie(_ process: Int32) -> Bool {
        // The state follows the name, which may hold anything but stands in parentheses.
        text(of: "/proc/\(process)/stat")?.split(separator: ")").last?.hasPrefix(" Z") ?? false
    }

    /// Puts a number that no process can have in place of a stranger's in the lock file. The rest stays: by it the
    /// next postmaster finds sessions of a killed server that still use its memory.
    func disownLockFile(owner: ServerOwner) throws(PostgresError) {
        guard runningProcess == nil else { return }
        // The socket is this folder's alone, and the data folder has its own lock.
        unlink(socketFolder + "/.s.PGSQL.5432.lock")
        guard var lines = text(of: lockFile)?.split(separator: "\n", omittingEmptySubsequences: false)
        else { return }
        // Linux's limit for process numbers.
        lines[0] = "4194304"
        try owner.write(lines.joined(separator: "\n"), to: lockFile)
    }

    private var lockFile: String { data + "/postmaster.pid" }

    private func text(of path: String) -> String? {
        // Missing and unreadable are the same here: there is no usable file.
        try? String(contentsOfFile: path, encoding: .utf8)
    }

    /// FNV-1a, 64 bits: a short name that stays the same for the same folder.
    private static func hash(_ text: String) -> String {
        let value = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(value, radix: 16)
    }
}

import FoundationEssentials
import Glibc

/// The account a private server runs as: our own, or `postgres` when we are root, as whom PostgreSQL refuses to run.
struct ServerOwner: Sendable {
    let user: uid_t
    let group: gid_t
    /// Set when commands must be started as this account rather than as ourselves.
    let mustDropPrivileges: Bool

    /// - Throws: ``PostgresError/serverAccountMissing``
    static func current() throws(PostgresError) -> ServerOwner {
        guard geteuid() == 0 else {
            return ServerOwner(user: geteuid(), group: getegid(), mustDropPrivileges: false)
        }
        guard let account = getpwnam("postgres") else { throw .serverAccountMissing }
        return ServerOwner(user: account.pointee.pw_uid, group: account.pointee.pw_gid, mustDropPrivileges: true)
    }

    /// Makes a folder that only this account can enter, or checks that an existing one is just that: a folder that a
    /// stranger prepared in a shared place is refused.
    func makePrivateFolder(_ path: String) throws(PostgresError) {
        if mkdir(path, 0o700) == 0 {
            try own(path)
        } else if errno != EEXIST {
            throw .serverFolderUnusable(errno: errno)
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .serverFolderUnusable(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .serverFolderUnusable(errno: ENOTDIR) }
        // Killed between making and giving away, an earlier start of root's left the folder as its own.
        if status.st_uid == geteuid() && status.st_uid != user { return try own(path) }
        guard status.st_uid == user, status.st_mode & 0o077 == 0 else { throw .serverFolderUnusable(errno: EACCES) }
    }

    /// Replaces a file in one step.
    func write(_ text: String, to path: String) throws(PostgresError) {
        let unfinished = path + ".unfinished"
        do { try text.write(toFile: unfinished, atomically: false, encoding: .utf8) } catch {
            throw .serverFolderUnusable(errno: errno)
        }
        guard chmod(unfinished, 0o600) == 0 else { throw .serverFolderUnusable(errno: errno) }
        try own(unfinished)
        guard rename(unfinished, path) == 0 else { throw .serverFolderUnusable(errno: errno) }
    }

    private func own(_ path: String) throws(PostgresError) {
        guard !mustDropPrivileges || chown(path, user, group) == 0 else { throw .serverFolderUnusable(errno: errno) }
    }
}

/// A lock between processes that start or stop the server of one folder; the kernel frees it when its holder dies.
struct FolderLock {
    private let descriptor: Int32

    /// - Throws: ``PostgresError/serverFolderBusy`` when another process holds it until `end`.
    init(_ path: String, until end: ContinuousClock.Instant) throws(PostgresError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .serverFolderUnusable(errno: errno) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < end else {
                close(descriptor)
                throw .serverFolderBusy
            }
            usleep(20_000)
        }
    }

    func release() { close(descriptor) }
}

import Foundation
import Glibc
public import Postgres
import Synchronization

/// One private PostgreSQL per test process, a fresh database per test.
public enum PrivatePostgres {
    private static let databaseCount = Atomic<Int>(0)
    private static let template = Mutex<Bool>(false)
    private static let shared = Result { try TemporaryServer() }

    /// A new database; with this program's schema unless asked for an empty one.
    public static func makeDatabase(migrated: Bool = true) throws -> ConnectionSettings {
        let server = try shared.get().server
        let name = "test_\(databaseCount.add(1, ordering: .relaxed).newValue)"
        try template.withLock { isMade in
            let administration = try Connection(ConnectionSettings(url: server.url(database: "postgres")))
            if !isMade {
                try administration.runSimple(Statement("template", "CREATE DATABASE migrated"))
                try Migrator(ConnectionSettings(url: server.url(database: "migrated"))).up()
                isMade = true
            }
            try administration.runSimple(
                Statement("create", "CREATE DATABASE \(name) TEMPLATE \(migrated ? "migrated" : "template1")"))
        }
        return ConnectionSettings(url: server.url(database: name))
    }
}

/// A private server in a temporary folder; both are gone soon after this process ends, however it ends.
public final class TemporaryServer: Sendable {
    public let server: PrivateServer
    public let folder: String
    private let keeper: Process
    private let lifeline: Pipe

    public init() throws {
        var name = Array("/tmp/scintivol-test-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw PostgresError.serverFolderUnusable(errno: errno) }
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // mkdtemp makes it 0700, and the server may run as another account.
        chmod(folder, 0o755)
        // The shell waits for the end of its input, which the kernel closes with this process.
        lifeline = Pipe()
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        keeper = Process()
        keeper.executableURL = URL(fileURLWithPath: "/bin/sh")
        keeper.arguments = ["-c", TemporaryServer.cleanUp, folder]
        keeper.standardInput = lifeline
        keeper.standardOutput = FileHandle.nullDevice
        keeper.standardError = FileHandle.nullDevice
        try keeper.run()
        server = try PrivateServer.start(in: folder)
    }

    deinit { try? lifeline.fileHandleForWriting.close() }  // A pipe that is already closed is what we want.

    private static let cleanUp = """
        cat > /dev/null
        for server in "$0"/*/postmaster.pid "$0"/*/*/postmaster.pid; do
            process=$(head -n 1 "$server")
            kill -QUIT "$process"
            while kill -0 "$process"; do sleep 0.05; done
        done
        rm -rf "$0"
        """
}

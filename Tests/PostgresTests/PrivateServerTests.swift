import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct PrivateServerTests {
    @Test func isReachedOnlyThroughAFolderOfItsOwn() async throws {
        let temporary = try await onThread { try TemporaryServer() }
        let connection = try Connection(ConnectionSettings(url: temporary.server.url()))
        func setting(_ name: String) throws -> String {
            let statement = Statement("test.setting", "SELECT current_setting($1) AS value")
            return try connection.queryOne(statement, [.text(name)])["value"]
        }
        #expect(try setting("listen_addresses") == "")
        #expect(try setting("fsync") == "on")
        #expect(try setting("data_checksums") == "on")
        for folder in ["", "/data", "/socket"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: temporary.folder + "/postgres" + folder)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func isAdoptedOrStartedAgain() async throws {
        let temporary = try await onThread { try TemporaryServer() }
        let server = temporary.server
        let process = try #require(server.processIdentifier)
        try await onThread {
            let connection = try Connection(ConnectionSettings(url: server.url()))
            try connection.runSimple(Statement("test.table", "CREATE TABLE kept (n int)"))
        }
        func startAgain() async throws -> PrivateServer {
            try await onThread { try PrivateServer.start(in: temporary.folder) }
        }

        // Its parent died: the server that runs is taken over.
        #expect(try await startAgain().processIdentifier == process)

        // It was killed without a word, with a session open.
        let session = try Connection(ConnectionSettings(url: server.url()))
        kill(process, SIGKILL)
        let second = try await startAgain()
        #expect(second.processIdentifier != process)
        #expect(throws: PostgresError.self) { try session.runSimple(Statement("test.one", "SELECT 1")) }

        // It was stopped, and its process number, left in the lock file, is a stranger's by now.
        try await onThread { try second.stop(.immediate) }
        #expect(!second.isRunning)
        let lockFile = temporary.folder + "/postgres/data/postmaster.pid"
        try "\(getpid())\n\(temporary.folder)/postgres/data\n0\n5432\n\n\n0 0\n".write(
            toFile: lockFile, atomically: false, encoding: .utf8)
        let third = try await startAgain()
        #expect(third.isRunning)

        let rows = try await onThread {
            try Connection(ConnectionSettings(url: third.url())).query(
                Statement("test.kept", "SELECT to_regclass('kept')::text AS name WHERE to_regclass('kept') IS NOT NULL")
            ).count
        }
        #expect(rows == 1)
    }

    @Test func aHalfMadeClusterIsMadeAnew() async throws {
        var name = Array("/tmp/scintivol-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A temporary folder, at worst left behind.
        chmod(folder, 0o755)
        // Too deep for a socket's name, with a name that needs quoting.
        let deep = folder + "/it's " + String(repeating: "deep", count: 25)
        let server = try await onThread { try PrivateServer.start(in: deep) }
        try await onThread { try server.stop() }
        try FileManager.default.moveItem(atPath: deep + "/postgres/data", toPath: deep + "/postgres/data.unfinished")
        try FileManager.default.removeItem(atPath: deep + "/postgres/data.unfinished/PG_VERSION")
        let again = try await onThread { try PrivateServer.start(in: deep) }
        _ = try Connection(ConnectionSettings(url: again.url()))
        try await onThread { try again.stop(.immediate) }
        let socketFolder = try #require(again.url().split(separator: "host=").last?.split(separator: "&").first)
        let decoded = try #require(String(socketFolder).removingPercentEncoding)
        #expect(decoded.utf8.count < 60)
        try FileManager.default.removeItem(atPath: decoded)
    }
}

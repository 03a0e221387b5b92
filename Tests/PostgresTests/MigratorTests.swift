import Dispatch
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct MigratorTests {
    private let settings: ConnectionSettings
    private let first = Migration(number: 1, name: "one", sql: "CREATE TABLE one (n int)")
    private let second = Migration(number: 2, name: "two", sql: "CREATE TABLE two (n int)")

    init() throws { settings = try PrivatePostgres.makeDatabase(migrated: false) }

    private func has(_ table: String) throws -> Bool {
        let statement = Statement("test.has", "SELECT to_regclass($1) IS NOT NULL AS present")
        return try Connection(settings).queryOne(statement, [.text(table)])["present"]
    }

    /// The list in the source, the files of the folder and what the program carries are the same.
    @Test func carriesEveryFileOfTheFolder() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../migrations").standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        #expect(Migration.all.map(\.fileName) == files.sorted())
        for migration in Migration.all {
            let file = folder.appendingPathComponent(migration.fileName)
            #expect(migration.sql == (try String(contentsOf: file, encoding: .utf8)))
        }
        // A number may be left out, but the order is that of the files.
        #expect(zip(Migration.all, Migration.all.dropFirst()).allSatisfy { $0.number < $1.number })
    }

    @Test func appliesOnce() throws {
        let migrator = Migrator(settings, migrations: [second, first])
        #expect(try migrator.status().map(\.state) == [.pending, .pending])
        #expect(try migrator.up() == [1, 2])
        #expect(try migrator.up() == [])
        #expect(try migrator.status().map(\.state) == [.applied, .applied])
        #expect(try has("one") && has("two"))
        #expect(migrator.printed().contains("-- 0001_one.sql\nCREATE TABLE one"))
    }

    @Test func refusesAChangedFile() throws {
        try Migrator(settings, migrations: [first]).up()
        let changed = Migration(number: 1, name: "one", sql: "CREATE TABLE one (n bigint)")
        let migrator = Migrator(settings, migrations: [changed, second])
        #expect(throws: PostgresError.migrationChanged(number: 1)) { try migrator.up() }
        #expect(try migrator.status().map(\.state) == [.changed, .pending])
        #expect(try !has("two"))
    }

    @Test func leavesANewerProgramsAlone() throws {
        try Migrator(settings, migrations: [first, second]).up()
        let older = Migrator(settings, migrations: [first])
        #expect(try older.up() == [])
        #expect(try older.status().map(\.state) == [.applied, .unknown])
    }

    @Test func refusesALateNumber() throws {
        try Migrator(settings, migrations: [second]).up()
        #expect(throws: PostgresError.migrationOutOfOrder(number: 1)) {
            try Migrator(settings, migrations: [first, second]).up()
        }
    }

    @Test func aFailedFileLeavesNothing() throws {
        let broken = Migration(number: 2, name: "two", sql: "CREATE TABLE two (n int);\nSELECT no_such_column;")
        #expect(
            throws: PostgresError.migrationFailed(number: 2, line: 2, sqlState: SQLState("42703"))
        ) { try Migrator(settings, migrations: [first, broken]).up() }
        #expect(try has("one") && !has("two"))
        #expect(try Migrator(settings, migrations: [first, second]).up() == [2])
    }

    @Test func manyAtOnceApplyEachOnce() throws {
        let applied = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            do {
                let numbers = try Migrator(settings, migrations: [first, second]).up()
                applied.withLock { $0 += numbers }
            } catch { Issue.record(error) }
        }
        #expect(applied.withLock { $0.sorted() } == [1, 2])
    }

    @Test func theRealSchemaAppliesToAnEmptyDatabase() throws {
        #expect(try Migrator(settings).up() == Migration.all.map(\.number))
        #expect(try Migrator(settings).up() == [])
    }
}

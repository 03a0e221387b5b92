import DICOM
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// What breaks in the middle, and goes on.
    @Suite struct InterruptionTests {
        /// Two services with one private database would stop it under each other.
        @Test func aSecondServiceInTheSameFolderIsRefused() async throws {
            let state = try StateFolder()
            let first = try await RunningService(in: state)
            let second = try await Scintivol.run(
                "run", "--state", state.file("state"), "--dicom-port", "0", "--http-port", "0")
            #expect(second.status != 0 && second.errors.contains("another process runs with the state folder"))
            #expect(try await first.get("/readyz").status == 200)
            // One that cannot listen leaves no database behind.
            let other = state.file("other")
            let taken = try await Scintivol.run(
                "run", "--state", other, "--dicom-port", "0", "--http-port", "\(first.addresses.httpPort)")
            #expect(taken.status != 0 && taken.errors.contains("cannot listen for HTTP"))
            #expect(!FileManager.default.fileExists(atPath: other + "/postgres/postgres/data/postmaster.pid"))
            #expect(try await first.end() == 0)
        }

        /// The line to the archive holds still in the middle of the first object, and there the service is killed.
        @Test func anExportThatWasCutOffGoesOnWithTheNextStart() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let archivePort = try Archive.freePort()
            let archive = try await Archive(in: state, dicomPort: archivePort)
            let relay = try Relay(to: archivePort, objectLimit: 0)
            func arguments(_ port: UInt16) -> [String] {
                [
                    "--destination", "\(Archive.title)@127.0.0.1:\(port)", "--site", phantom.siteFile,
                    "--quiet-seconds", "1",
                ]
            }
            let killed = try await RunningService(in: state, arguments(relay.port))
            #expect(try await killed.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let isHeld = try await eventually(within: .seconds(300)) { relay.isHolding }
            #expect(isHeld)
            #expect(try await killed.count("SELECT count(*) FROM export_item WHERE state = 'sending'") == 2)
            try await killed.kill()
            relay.end()

            let service = try await RunningService(in: state, arguments(archivePort))
            // Sooner than the attempt of the dead would run out.
            let delivered = try await service.firstCase(reaches: "delivered", within: .seconds(50))
            #expect(delivered.results.first?.exports.map(\.attempt) == [2, 2])
            #expect(try await archive.instances(ofModality: "RTDOSE").count == 1)
            #expect(try await archive.instances(ofModality: "RTPLAN").count == 1)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// The archive is killed in the middle of the second of two objects, is away for an hour, and is started again.
        @Test func anArchiveThatIsRestartedInTheMiddleOfASendGetsTheRestOnce() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let archivePort = try Archive.freePort()
            let killed = try await Archive(in: state, dicomPort: archivePort)
            let relay = try Relay(to: archivePort, objectLimit: 1)
            let service = try await RunningService(
                in: state,
                [
                    "--destination", "\(Archive.title)@127.0.0.1:\(relay.port)", "--site", phantom.siteFile,
                    "--quiet-seconds", "1",
                ])
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let isHeld = try await eventually(within: .seconds(300)) { relay.isHolding }
            #expect(isHeld)
            try await killed.kill()
            relay.end()
            let waiting = "SELECT count(*) FROM export_item WHERE state = 'pending' AND last_reason = 'not-sent'"
            let isWaiting = try await eventually { try await service.count(waiting) == 1 }
            #expect(isWaiting)
            // The hour passes: two more attempts find nobody.
            for attempt in 2...3 {
                try await service.execute("UPDATE export_item SET next_attempt_at = now() WHERE state = 'pending'")
                let isTried = try await eventually {
                    try await service.count("\(waiting) AND attempt = \(attempt)") == 1
                }
                #expect(isTried)
            }
            let archive = try await Archive(in: state, dicomPort: archivePort)
            let mended = try Relay(to: archivePort, port: relay.port)
            try await service.execute("UPDATE export_item SET next_attempt_at = now() WHERE state <> 'confirmed'")
            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.results.flatMap(\.exports).map(\.attempt).sorted() == [1, 4])
            #expect(try await archive.instances(ofModality: "RTDOSE").count == 1)
            #expect(try await archive.instances(ofModality: "RTPLAN").count == 1)
            mended.end()
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// A database that dies takes its last rows with it; here they are taken out of it.
        @Test func rowsThatTheDatabaseHasLostAreMadeAnew() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await RunningService(in: state, ["--quiet-seconds", "1"])
            let files = try Array(phantom.files("ct").prefix(20))
            #expect(try await service.store(files).status == 0)
            try await service.execute("DELETE FROM instance")
            let isMended = try await eventually(within: .seconds(240)) {
                try await service.count("SELECT count(*) FROM instance") == 20
            }
            #expect(isMended)
            // It is told to those who put cases together, and kept quiet about patients.
            let isNoted = try await eventually {
                try await service.count("SELECT count(*) FROM arrival") == 0
            }
            #expect(isNoted)
            // The line is written a moment after the rows.
            let isLogged = try await eventually { service.process.errors.contains("rows made anew") }
            #expect(isLogged)
            #expect(try await service.end() == 0)
        }

        private static func lockFile(of state: StateFolder) -> String {
            state.file("state/postgres/postgres/data/postmaster.pid")
        }

        private static func postmaster(of state: StateFolder) throws -> Int32 {
            let lock = try String(contentsOfFile: lockFile(of: state), encoding: .utf8)
            return try #require(lock.split(separator: "\n").first.flatMap { Int32($0) })
        }

        /// The private server is gone altogether, and nobody but the service looks after it.
        @Test func aPrivateDatabaseThatIsGoneIsStartedAnew() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await RunningService(in: state, ["--quiet-seconds", "1"])
            let files = try phantom.files("ct")
            #expect(try await service.store(Array(files.prefix(20))).status == 0)
            let postmaster = try Self.postmaster(of: state)
            kill(postmaster, SIGKILL)
            let isStoring = try await eventually(within: .seconds(240)) {
                try await service.store(Array(files.prefix(40))).status == 0
            }
            #expect(isStoring)
            // A session may live on for a moment and take what is sent before the service has seen that the server is gone.
            let isAnew = try await eventually(within: .seconds(240)) {
                service.process.errors.contains("database started anew")
            }
            #expect(isAnew)
            let isWhole = try await eventually(within: .seconds(240)) {
                (try? await service.count("SELECT count(*) FROM instance")) == 40
            }
            #expect(isWhole)
            #expect(try await service.end() == 0)
            #expect(!FileManager.default.fileExists(atPath: Self.lockFile(of: state)))
        }

        /// The server dies with its sessions and comes back; the service has not been restarted.
        @Test func aDatabaseThatWasKilledIsUsedAgain() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await RunningService(in: state, ["--quiet-seconds", "1"])
            let files = try phantom.files("ct")
            #expect(try await service.store(Array(files.prefix(20))).status == 0)
            let postmaster = try Self.postmaster(of: state)
            // One session dies as a crash would have it: the server ends all others and recovers from its log.
            let session = try await service.count("SELECT pid FROM pg_stat_activity WHERE state = 'idle' LIMIT 1")
            kill(Int32(session), SIGKILL)
            let isBack = try await eventually(within: .seconds(240)) {
                (try? await service.count("SELECT count(*) FROM instance")) == 20
            }
            #expect(isBack)
            #expect(kill(postmaster, 0) == 0)
            let isStoring = try await eventually(within: .seconds(240)) {
                try await service.store(Array(files.prefix(40))).status == 0
            }
            #expect(isStoring)
            // The server may have died a moment after it took the last rows; those are made anew.
            let isWhole = try await eventually(within: .seconds(240)) {
                (try? await service.count("SELECT count(*) FROM instance")) == 40
            }
            #expect(isWhole)
            #expect(try await service.end() == 0)
        }
    }
}

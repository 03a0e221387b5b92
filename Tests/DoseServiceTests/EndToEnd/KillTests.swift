import DICOM
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a power cut leaves, and what the next start makes of it.
    @Suite struct KillTests {
        /// A short lease, so that the job of a killed worker is free again soon; a busy worker still renews it in time.
        private func arguments(_ phantom: SharedPhantom, archive: UInt16) -> [String] {
            [
                "--destination", "\(Archive.title)@127.0.0.1:\(archive)", "--site", phantom.siteFile,
                "--quiet-seconds", "2", "--lease-seconds", "10",
            ]
        }

        /// The line to the service carries half of the CT and holds still in the middle of an object; there the
        /// service is killed. Whatever the machine is busy with, the same objects have been acknowledged then.
        @Test func nothingAcknowledgedIsMissingAfterAKillWhileReceiving() async throws {
            let phantom = try await SharedPhantom.get()
            let files = try phantom.files("nm", "ct", "pt", "rtstruct")
            let state = try StateFolder()
            let archivePort = try Archive.freePort()
            let archive = try await Archive(in: state, dicomPort: archivePort)
            let killed = try await RunningService(in: state, arguments(phantom, archive: archivePort))
            let passing = 100
            let relay = try Relay(to: killed.addresses.dicomPort, objectLimit: passing)
            let sending = Task { try await killed.store(files, port: relay.port) }
            let isHeld = try await eventually(within: .seconds(120)) {
                try relay.isHolding && Self.objectCount(state) == passing
                    && FileManager.default.contentsOfDirectory(atPath: state.file("state/incoming")).count == 1
            }
            #expect(isHeld)
            try await killed.kill()
            relay.end()
            let acknowledged = Self.acknowledged(try await sending.value)
            #expect(acknowledged == Array(files.prefix(passing)))

            let service = try await RunningService(in: state, arguments(phantom, archive: archivePort))
            for path in acknowledged { try await expectHeld(path, by: service, in: state) }
            // Nothing half received has a row, and nothing is left of it.
            let rows = try await service.count("SELECT count(*) FROM instance")
            #expect(rows == Self.objectCount(state) && rows == passing)
            #expect(try FileManager.default.contentsOfDirectory(atPath: state.file("state/incoming")).isEmpty)

            // The peer sends everything again, as it must, in one association: no case is put together before its end.
            #expect(try await service.store(files).status == 0)
            #expect(try await service.count("SELECT count(*) FROM instance") == files.count)
            try await expectDeliveredOnce(service, archive)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// The case waits for the association's end, not for a pause: this one pauses longer than the quiet time.
        @Test func aPauseWithinAnAssociationStartsNoJob() async throws {
            let phantom = try await SharedPhantom.get()
            let files = try phantom.files("nm", "ct", "pt")
            let state = try StateFolder()
            // The line holds still for as long as the test takes.
            let json = """
                {"listener":{"pdu_seconds":600,"idle_seconds":3600},"quiet_seconds":0.5,
                 "cameras":[\(SiteDescription.phantom)]}
                """
            try json.write(toFile: state.file("site.json"), atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", state.file("site.json")])
            let relay = try Relay(to: service.addresses.dicomPort, objectLimit: files.count - 2)
            let sending = Task { try await service.store(files, port: relay.port) }
            let isHeld = try await eventually(within: .seconds(120)) {
                relay.isHolding && Self.objectCount(state) == files.count - 2
            }
            #expect(isHeld)
            // Another patient's study is put together meanwhile, later than it would have been.
            let stranger = try await Stranger.planar(of: phantom, in: state)
            #expect(try await service.store([stranger]).status == 0)
            let isLookedAt = try await eventually {
                try await service.count("SELECT count(*) FROM dose_case WHERE state = 'needs-input'") == 1
            }
            #expect(isLookedAt)
            #expect(try await service.jobs().isEmpty)
            #expect(try await service.count("SELECT count(*) FROM dose_case") == 1)

            relay.end()
            _ = try await sending.value
            let isRevised = try await eventually { try await !service.jobs().isEmpty }
            #expect(isRevised)
            #expect(try await service.end() == 0)
        }

        @Test func aJobOfAKilledServiceCompletesOnce() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let archivePort = try Archive.freePort()
            let archive = try await Archive(in: state, dicomPort: archivePort)
            let killed = try await RunningService(in: state, arguments(phantom, archive: archivePort))
            #expect(try await killed.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            try await expectRunning(killed)
            try await killed.kill()
            #expect(try await archive.instances(ofModality: "RTDOSE").isEmpty)

            let service = try await RunningService(in: state, arguments(phantom, archive: archivePort))
            try await expectDeliveredOnce(service, archive)
            let job = try #require(try await service.jobs().first)
            #expect(job.rescue_count == 1 && job.state == "completed")
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        @Test func anEndingServiceGivesItsJobBack() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let arguments = ["--site", phantom.siteFile, "--quiet-seconds", "2"]
            let ending = try await RunningService(in: state, arguments)
            #expect(try await ending.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            try await expectRunning(ending)
            #expect(try await ending.end(within: .seconds(30)) == 0)

            let next = try await RunningService(in: state, arguments)
            // Nobody to send to: done is delivered.
            _ = try await next.firstCase(reaches: "delivered")
            let job = try #require(try await next.jobs().first)
            #expect(job.state == "completed" && job.attempt == 1 && job.rescue_count == 0)
            let givenBack = try await next.count("SELECT count(*) FROM job_log WHERE reason = 'given_back'")
            #expect(givenBack == 1)
            #expect(try await next.end() == 0)
        }

        private func expectRunning(_ service: RunningService) async throws {
            let isRunning = try await eventually {
                try await service.jobs().contains { $0.state == "running" }
            }
            #expect(isRunning)
        }

        private func expectDeliveredOnce(_ service: RunningService, _ archive: Archive) async throws {
            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.results.count == 1 && delivered.results.first?.exports.count == 2)
            #expect(try await archive.instances(ofModality: "RTDOSE").count == 1)
            #expect(try await archive.instances(ofModality: "RTPLAN").count == 1)
            #expect(try await service.jobs().filter { $0.state == "completed" }.count == 1)
        }

        private func expectHeld(_ path: String, by service: RunningService, in state: StateFolder) async throws {
            let sent = try ObjectScanner().scan(path: path)
            let name = try await service.text(
                "SELECT file_name FROM instance WHERE sop_instance_uid = '\(sent.sopInstance)'")
            let held = state.file("state/objects/\(name)")
            let offset = try ObjectScanner().scan(path: held).datasetOffset
            #expect(try Self.bytes(held, from: offset) == Self.bytes(path, from: sent.datasetOffset))
        }

        private static func bytes(_ path: String, from offset: Int) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(offset)
        }

        private static func objectCount(_ state: StateFolder) -> Int {
            let walker = FileManager.default.enumerator(atPath: state.file("state/objects"))
            return walker?.reduce(0) { $0 + (($1 as? String)?.hasSuffix(".dcm") == true ? 1 : 0) } ?? 0
        }

        /// The files for which storescu saw Success.
        private static func acknowledged(_ run: ProgramRun) -> [String] {
            var current: String?
            var files: [String] = []
            for line in (run.output + run.errors).split(separator: "\n") {
                if let place = line.range(of: "Sending file: ") { current = String(line[place.upperBound...]) }
                if line.contains("Received Store Response (Success)"), let current { files.append(current) }
            }
            return files
        }
    }
}

import DICOM
import DoseService
import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    /// Cases that wait for somebody or something, and go on.
    @Suite struct CaseWaitTests {
        private func pool(_ service: RunningService) -> Pool {
            Pool(ConnectionSettings(url: service.addresses.databaseURL), countLimit: 2)
        }

        /// Copies of files with changed attributes.
        private func changed(
            _ files: [String], _ changes: [String], in state: StateFolder, as name: String
        ) async throws -> [String] {
            let copies = files.enumerated().map { state.file("\(name)\($0.offset).dcm") }
            for (file, copy) in zip(files, copies) { try FileManager.default.copyItem(atPath: file, toPath: copy) }
            #expect(try await Tool.run("dcmodify", ["-nb"] + changes + copies).status == 0)
            return copies
        }

        @Test func anAnswerSuppliesWhatTheFileDoesNotSay() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "0.5"])
            let nm = try await changed(phantom.files("nm"), ["-e", "PixelSpacing"], in: state, as: "nm")
            #expect(try await service.store(nm + phantom.files("ct", "pt", "rtstruct")).status == 0)
            let waiting = try await service.firstCase(reaches: "needs-input")
            #expect(waiting.reason == "pixel-spacing-unknown" && waiting.fields == ["nm.pixel-spacing-unknown"])

            let original = try Dataset(contentsOf: phantom.files("nm")[0])
            let spacing = try original.decimals(.pixelSpacing)
            let json = "{\"answers\":{\"nm.pixel-spacing-unknown\":[\(spacing[1]),\(spacing[0])]}}"
            #expect(try await service.post("/v1/cases/99/answers", json).status == 404)
            #expect(try await service.post("/v1/cases/\(waiting.id)/answers", json).status == 202)
            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.revision == waiting.revision + 1 && delivered.results.count == 1)
            let audited = "SELECT count(*) FROM audit WHERE action = 'case-answered' AND subject = 'case/1'"
            #expect(try await service.count(audited) == 1)
            #expect(try await service.end() == 0)
        }

        @Test func twoPatientsUnderOneIdentifierAreNotMixed() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "0.5"])
            let pet = try await changed(phantom.files("pt"), ["-m", "PatientBirthDate=19011231"], in: state, as: "pt")
            #expect(try await service.store(phantom.files("nm", "ct", "rtstruct") + pet).status == 0)
            let waiting = try await service.firstCase(reaches: "needs-input")
            #expect(waiting.reason == "identity-conflict" && waiting.fields == ["identity.confirmed"])
            #expect(try await service.jobs().isEmpty)
            #expect(try await service.count("SELECT count(*) FROM audit WHERE action = 'identity-conflict'") == 1)
            #expect(!service.process.errors.contains("19011231"))
            let consent = #"{"answers":{"identity.confirmed":true}}"#
            #expect(try await service.post("/v1/cases/\(waiting.id)/answers", consent).status == 202)
            _ = try await service.firstCase(reaches: "delivered")
            #expect(try await service.end() == 0)
        }

        /// A patient whose association never ends is put together when somebody asks for it.
        @Test func aForcedCaseDoesNotWaitForItsAssociation() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "3600"])
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            // There is no case yet that could be forced; another study of the patient opens it.
            try await service.execute(
                "INSERT INTO dose_case (patient_key, planar_study_uid) "
                    + "SELECT patient_key, study_instance_uid FROM instance WHERE modality = 'NM'")
            #expect(try await service.post("/v1/cases/1/force").status == 202)
            _ = try await service.firstCase(reaches: "delivered")
            #expect(try await service.end() == 0)
        }

        /// A peer that never says that it is done is overruled.
        @Test func theHardDeadlineEndsTheWait() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let json = """
                {"listener":{"pdu_seconds":600,"idle_seconds":3600},"quiet_seconds":1,"hard_deadline_seconds":3,
                 "cameras":[\(SiteDescription.phantom)]}
                """
            try json.write(toFile: state.file("site.json"), atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", state.file("site.json")])
            let files = try phantom.files("nm", "ct", "pt", "rtstruct")
            let relay = try Relay(to: service.addresses.dicomPort, objectLimit: files.count)
            // The line holds still in another patient's object.
            let last = try await Stranger.planar(of: phantom, in: state)
            let sending = Task { try await service.store(files + [last], port: relay.port) }
            _ = try await service.firstCase(reaches: "delivered")
            #expect(relay.isHolding)
            #expect(try await service.count("SELECT count(*) FROM arrival WHERE ended_at IS NULL") == 1)
            relay.end()
            _ = try await sending.value
            #expect(try await service.end() == 0)
        }

        @Test func sourcesGoSomeTimeAfterDeliveryAndComeBackWhenNeeded() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "0.5"])
            let files = try phantom.files("nm", "ct", "pt", "rtstruct")
            #expect(try await service.store(files).status == 0)
            _ = try await service.firstCase(reaches: "delivered")
            let pool = pool(service)
            let store = ObjectStore(folder: state.file("state"))
            let retention = Retention(pool: pool, store: store, age: .seconds(86_400))
            #expect(try await retention.purge() == 0)
            try await service.execute("UPDATE dose_case SET delivered_at = now() - interval '2 days'")
            // Another case of the patient is on its way: nothing is taken from it.
            try await service.execute(
                "INSERT INTO dose_case (patient_key, planar_study_uid) SELECT patient_key, '1.2' FROM dose_case")
            #expect(try await retention.purge() == 0)
            try await service.execute("DELETE FROM dose_case WHERE planar_study_uid = '1.2'")
            var purged = 0
            while true {
                let count = try await retention.purge()
                if count == 0 { break }
                purged += count
            }
            #expect(purged == files.count && store.names().isEmpty)
            #expect(try await service.count("SELECT count(*) FROM instance WHERE purged_at IS NOT NULL") == purged)

            // The same again: the files come back, and the delivered case stays what it is.
            #expect(try await service.store(files).status == 0)
            #expect(try await service.count("SELECT count(*) FROM instance WHERE purged_at IS NULL") == files.count)
            let isLookedAt = try await eventually { try await service.count("SELECT count(*) FROM arrival") == 0 }
            #expect(isLookedAt)
            let again = try await service.firstCase(reaches: "delivered")
            #expect(again.revision == 1 && again.results.count == 1)
            #expect(try await service.end() == 0)
        }
    }
}

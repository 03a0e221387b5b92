import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Instances of one patient that come in several associations.
    @Suite struct LateInstanceTests {
        private static let quietSeconds = 1.0

        private func start(_ phantom: SharedPhantom, in state: StateFolder) async throws -> RunningService {
            try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "\(Self.quietSeconds)"])
        }

        /// The job waits until it has been quiet; a machine that was too busy for that may make more revisions, but
        /// never two jobs of the same content.
        @Test func associationsInQuickSuccessionMakeOneJob() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(phantom, in: state)
            for part in ["rtstruct", "ct", "pt", "nm"] {
                #expect(try await service.store(phantom.files(part)).status == 0)
                try await pass(seconds: 0.6, on: service)
            }
            _ = try await service.firstCase(reaches: "delivered")
            let longestPause = try await service.text(
                """
                SELECT max(extract(epoch FROM pause)) FROM
                (SELECT received_at - lag(received_at) OVER (ORDER BY received_at) AS pause FROM instance) AS pauses
                """)
            let jobCount = try await service.jobs().count
            if try #require(Double(longestPause)) < Self.quietSeconds { #expect(jobCount == 1) }
            #expect(try await service.count("SELECT count(DISTINCT key) FROM job") == jobCount)
            #expect(try await service.end() == 0)
        }

        /// Two planar scans and a tomographic one in one study: only the planar ones are cases, each by itself.
        @Test func scansOfOneStudyAreToldApartByTheirTimes() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(phantom, in: state)
            var paths = try phantom.files("nm")
            let changes = [
                ["-m", "AcquisitionTime=235900"],
                // A posterior image of the same scan, three seconds later.
                ["-m", "AcquisitionTime=235903"],
                ["-m", "AcquisitionTime=235000", "-m", "ImageType=ORIGINAL\\PRIMARY\\RECON TOMO\\EMISSION"],
            ]
            for (number, change) in changes.enumerated() {
                let path = state.file("\(number).dcm")
                try FileManager.default.copyItem(atPath: paths[0], toPath: path)
                #expect(try await Tool.run("dcmodify", ["-nb", "-gin"] + change + [path]).status == 0)
                paths.append(path)
            }
            #expect(try await service.store(paths).status == 0)
            let isSeen = try await eventually(within: .seconds(60)) {
                try await service.count("SELECT count(*) FROM dose_case WHERE state = 'needs-input'") == 2
            }
            #expect(isSeen)
            #expect(try await service.count("SELECT count(*) FROM dose_case") == 2)
            #expect(
                try await service.text("SELECT array_agg(cardinality(instance_ids) ORDER BY id) FROM dose_case")
                    == "{1,2}")
            #expect(try await service.count("SELECT count(*) FROM instance") == 4)
            #expect(try await service.end() == 0)
        }

        @Test func lateContoursMakeANewRevisionAndOneMoreJob() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(phantom, in: state)
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let waiting = try await service.firstCase(reaches: "needs-input")
            #expect(waiting.reason == "pt-missing" && waiting.fields == ["pt", "ct"] && waiting.revision == 1)
            #expect(try await service.jobs().isEmpty)

            #expect(try await service.store(phantom.files("ct", "pt")).status == 0)
            // Without contours the body is one region: what comes of it is the quality checks' business.
            let isDone = try await eventually(within: .seconds(240)) {
                try await service.jobs().first?.finished_at != nil
            }
            #expect(isDone)
            #expect(try await service.jobs().count == 1)

            #expect(try await service.store(phantom.files("rtstruct")).status == 0)
            // What was found without contours may have been delivered before.
            let isNew = try await eventually(within: .seconds(240)) {
                let seen = try await service.firstCase(reaches: "delivered")
                return seen.revision == 3 && seen.results.last?.revision == 3
            }
            #expect(isNew)
            #expect(try await service.jobs().count == 2)
            #expect(try await service.end() == 0)
        }

        @Test func theSameObjectsAgainMakeNoJob() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(phantom, in: state)
            let files = try phantom.files("nm", "ct", "pt", "rtstruct")
            #expect(try await service.store(files).status == 0)
            let first = try await service.firstCase(reaches: "delivered")
            #expect(try await service.store(files).status == 0)
            #expect(try await service.count("SELECT count(*) FROM instance") == files.count)
            // Another sender has another name in the meta header; the objects are the same.
            let other = ["-aet", "PACS", "-aec", "SCINTIVOL", "127.0.0.1", "\(service.addresses.dicomPort)", files[0]]
            #expect(try await Tool.run("storescu", other).status == 0)

            // Another patient's scan comes after them: once that one is looked at, the first has been too.
            let stranger = try await Stranger.planar(of: phantom, in: state)
            #expect(try await service.store([stranger]).status == 0)
            let isLookedAt = try await eventually {
                try await service.count("SELECT count(*) FROM dose_case WHERE id = 2 AND state = 'needs-input'") == 1
            }
            #expect(isLookedAt)
            let again = try await service.firstCase(reaches: "delivered")
            #expect(again.revision == first.revision && again.results.count == 1)
            #expect(try await service.jobs().count == 1)
            #expect(try await service.end() == 0)
        }

        /// Lets time go by in the database, by whose clock it is quiet.
        private func pass(seconds: Double, on service: RunningService) async throws {
            _ = try await service.count("SELECT count(*) FROM pg_sleep(\(seconds))")
        }
    }
}

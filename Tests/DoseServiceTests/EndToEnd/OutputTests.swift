import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What goes to which archive, and what makes it delivered.
    @Suite struct OutputTests {
        private static let everything = #"["plan","activity","uncertainty","seg","pt"]"#

        private func configuration(
            _ port: UInt16, in state: StateFolder, receives: String = everything, verification: String
        ) throws -> String {
            let file = state.file("site.json")
            let json = """
                {"peers":[{"name":"pacs","title":"\(Archive.title)","host":"127.0.0.1","port":\(port),
                           "receives":\(receives),"verification":"\(verification)"}],
                 "cameras":[\(SiteDescription.phantom)],"quiet_seconds":0.5}
                """
            try json.write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }

        /// All kinds of objects go out, the archive commits itself to them, and gives the same pixels back.
        @Test func everyKindOfObjectIsCommittedToAndComesBack() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let service = try await RunningService(
                in: state, ["--config", try configuration(port, in: state, verification: "commitment")])
            let archive = try await Archive(in: state, dicomPort: port, knowing: service.addresses.dicomPort)
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let delivered = try await service.firstCase(reaches: "delivered")
            let result = try #require(delivered.results.first)
            #expect(result.exports.allSatisfy { $0.state == "confirmed" && $0.attempt == 1 })
            let copies = result.exports.map(\.output).filter { $0.hasPrefix("pt-") }
            #expect(copies.count > 50)
            let others = Set(result.exports.map(\.output)).subtracting(copies)
            #expect(others == ["plan", "activity", "uncertainty", "seg"])
            let isTold = try await eventually {
                service.logLines.count { $0["message"] == "export confirmed" && $0["trace"] == delivered.trace }
                    == result.exports.count
            }
            #expect(isTold)
            // Every answer has been taken, and nothing is waited for.
            #expect(try await service.count("SELECT count(*) FROM commitment") == 0)

            for (modality, names) in [("RTDOSE", ["activity", "uncertainty"]), ("SEG", ["seg"]), ("PT", copies)] {
                let held = try await archive.instances(ofModality: modality)
                #expect(held.count == names.count)
                try await expectEqualPixels(held, names, result.id, archive, service, state)
            }
            let files = try ["nm", "ct", "pt"].map { try #require(phantom.files($0).first) }
            let made = (Array(others) + copies.prefix(3)).map { state.file("\($0).dcm") }
            try await save("plan", result.id, service, state)
            let set = try await Tool.run("dcentvfy", files + made.sorted())
            #expect((set.output + set.errors).isEmpty && set.status == 0)
            // An archive that forwards everything brings our own results back: nothing is made of them.
            let peer = try StoragePeer(
                host: "127.0.0.1", port: service.addresses.dicomPort, calledTitle: "SCINTIVOL", callingTitle: "PACS")
            let outcomes = try await onThread { try StorageSender(peer: peer).send(made) }
            #expect(outcomes == made.map { _ in .answered(StoreResponse(status: 0)) })
            let isBack = try await eventually {
                let waiting = try await service.count("SELECT count(*) FROM arrival")
                let known = try await service.count("SELECT count(*) FROM instance WHERE made_here")
                return known == made.count && waiting == 0
            }
            #expect(isBack)
            let same = try await service.firstCase(reaches: "delivered")
            #expect(same.revision == 1 && same.results.count == 1)
            #expect(try await service.count("SELECT count(*) FROM dose_case") == 1)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        private func save(
            _ output: String, _ result: Int64, _ service: RunningService, _ state: StateFolder
        ) async throws {
            let answer = try await service.get("/v1/results/\(result)/files/\(output).dcm")
            #expect(answer.status == 200)
            try Data(answer.body).write(to: URL(fileURLWithPath: state.file("\(output).dcm")))
        }

        private func expectEqualPixels(
            _ held: [String], _ names: [String], _ result: Int64, _ archive: Archive, _ service: RunningService,
            _ state: StateFolder
        ) async throws {
            var ours: [String: String] = [:]
            for name in names {
                try await save(name, result, service, state)
                let path = state.file("\(name).dcm")
                ours[try #require(Dataset(contentsOf: path).text(.sopInstanceUID))] = path
            }
            for (index, instance) in held.enumerated() {
                let path = state.file("held.dcm")
                try await archive.download(instance, to: path)
                let found = try Dataset(contentsOf: path)
                let own = ours.removeValue(forKey: found.text(.sopInstanceUID) ?? "")
                let made = try #require(own)
                if found.text(.modality) == "SEG" {
                    let regions = try SegmentationReader.read(fileAt: path).structures.regions
                    #expect(try regions == SegmentationReader.read(fileAt: made).structures.regions)
                    #expect(Set(regions.map(\.name)).isSuperset(of: ["liver", "kidney_left", "kidney_right"]))
                } else {
                    let (layout, values) = try found.pixels()
                    let same = try Dataset(contentsOf: made).pixels()
                    #expect(layout == same.layout && values == same.values)
                }
                guard index < 3 else { continue }
                let verdict = try await Tool.run("dciodvfy", [path])
                let complaints = (verdict.output + verdict.errors).split(separator: "\n").filter {
                    $0.contains("Error") || $0.contains("Warning")
                }
                #expect(complaints.isEmpty && verdict.status == 0, "\(found.text(.modality) ?? "")")
            }
            #expect(ours.isEmpty)
        }

        /// One object is refused for good; the others are delivered, once.
        @Test func whatAnArchiveRefusesKeepsNothingElseBack() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let picky = PickyArchive(
                refusing: .rtPlan, with: .refused(code: 0xC123, comment: "no plans"), in: state)
            var configuration = ListenerConfiguration()
            (configuration.address, configuration.port) = ("127.0.0.1", 0)
            let listener = StorageListener(configuration: configuration, handler: picky)
            let port = try listener.start()
            defer { listener.stop() }
            let file = try self.configuration(
                port, in: state, receives: #"["plan","activity","uncertainty","seg"]"#, verification: "none")
            let service = try await RunningService(in: state, ["--config", file])
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let ended = try await service.firstCase(reaches: "failed")
            #expect(ended.reason == "export-refused")
            let exports = try #require(ended.results.first?.exports)
            for export in exports {
                let isPlan = export.output == "plan"
                #expect(export.state == (isPlan ? "refused" : "stored") && export.attempt == 1)
                #expect(export.last_status == (isPlan ? 0xC123 : 0))
            }
            // Nothing is tried again, now or later.
            try await service.execute("UPDATE export_item SET next_attempt_at = now() - interval '1 day'")
            let isIdle = try await eventually {
                try await service.count("SELECT count(*) FROM export_item WHERE state IN ('pending', 'sending')") == 0
            }
            #expect(isIdle)
            #expect(picky.announced.count == 4)
            #expect(
                picky.kept.filter { $0 == .rtDose }.count == 2 && picky.kept.filter { $0 == .segmentation }.count == 1)
            #expect(try await service.count("SELECT count(*) FROM audit WHERE action = 'export-refused'") == 1)
            #expect(try await service.end() == 0)
        }

        /// An archive that takes objects, cannot be asked for a commitment, and reports what it pleases.
        @Test func onlyWhatIsCommittedToIsDelivered() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let forgetful = try RunningProgram(
                "/usr/bin/storescp", ["-aet", Archive.title, "--ignore", "\(port)"], name: "forgetful", in: state,
                environment: Tool.environment)
            let file = try configuration(port, in: state, receives: #"["plan","seg"]"#, verification: "commitment")
            let service = try await RunningService(in: state, ["--config", file])
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let unasked = "SELECT count(*) FROM export_item WHERE last_reason = 'cannot-be-asked' AND state = 'stored'"
            let isAsked = try await eventually(within: .seconds(300)) { try await service.count(unasked) == 2 }
            #expect(isAsked)
            let waiting = try await service.firstCase(reaches: "exporting")
            #expect(waiting.results.flatMap(\.exports).map(\.output) == ["plan", "seg"])

            let first = try await service.text(Self.newestTransaction)
            let (plan, seg) = (try await instance("plan", of: service), try await instance("seg", of: service))
            // Nobody asked for this one.
            #expect(try report("2.25.1", committed: [plan, seg], to: service) == 0x0115)
            #expect(try await service.count(unasked) == 2)
            // Neither is kept: one has been sent often enough, the other goes out once more.
            try await service.execute(
                "UPDATE export_item SET attempt = \(ExportOutbox.attemptLimit) WHERE output = 'plan'")
            #expect(try report(first, failed: [plan, seg], to: service) == 0)
            #expect(try await service.text("SELECT state FROM export_item WHERE output = 'plan'") == "refused")
            let isSentAgain = try await eventually {
                try await service.count("\(unasked) AND output = 'seg' AND attempt = 2") == 1
            }
            #expect(isSentAgain)
            // What was settled is not settled twice.
            #expect(try report(first, committed: [seg], to: service) == 0x0115)
            let second = try await service.text(Self.newestTransaction)
            #expect(try report(second, committed: [seg], to: service) == 0)
            let ended = try await service.firstCase(reaches: "failed")
            #expect(ended.reason == "export-refused")
            #expect(ended.results.flatMap(\.exports).map(\.state) == ["refused", "confirmed"])
            forgetful.signalGroup(SIGKILL)
            _ = try await forgetful.status()
            #expect(try await service.end() == 0)
        }

        private static let newestTransaction = "SELECT transaction_uid FROM commitment ORDER BY asked_at DESC LIMIT 1"

        private func instance(_ output: String, of service: RunningService) async throws -> String {
            try await service.text(
                """
                SELECT m.sop_instance_uid FROM commitment m JOIN export_item i ON i.id = m.item_id
                WHERE i.output = '\(output)' LIMIT 1
                """)
        }

        /// - Returns: the status of the answer.
        private func report(
            _ transaction: String, failed: [String] = [], committed: [String] = [], to service: RunningService
        ) throws -> UInt16 {
            let client = try #require(PeerSocket(port: service.addresses.dicomPort))
            let report = CommitmentPDU.report(transaction, failed: failed, committed: committed)
            let answer = try #require(CommitmentPDU.exchange(report, over: client, called: "SCINTIVOL"))
            return try #require(PDU.status(answer))
        }
    }
}

import DICOM
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Phantom to archive to service to archive.
    @Suite struct ArchiveRoundTripTests {
        @Test func doseOfAPlanarScanLiesInTheArchive() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let archivePort = try Archive.freePort()
            let service = try await RunningService(
                in: state,
                [
                    "--destination", "\(Archive.title)@127.0.0.1:\(archivePort)", "--site", phantom.siteFile,
                    "--quiet-seconds", "4",
                ])
            let archive = try await Archive(
                in: state, dicomPort: archivePort, forwardingTo: service.addresses.dicomPort)
            #expect(try await archive.store(["nm", "ct", "pt", "rtstruct"].map(phantom.part)).status == 0)

            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.instance_count == 450)
            let result = try #require(delivered.results.first)
            #expect(delivered.results.count == 1)
            #expect(result.exports.map(\.state) == ["confirmed", "confirmed"])
            #expect(result.exports.allSatisfy { $0.last_status == 0 && $0.attempt == 1 })

            let doses = try await archive.instances(ofModality: "RTDOSE")
            let plans = try await archive.instances(ofModality: "RTPLAN")
            #expect(doses.count == 1 && plans.count == 1)
            let held = (dose: state.file("held-dose.dcm"), plan: state.file("held-plan.dcm"))
            try await archive.download(try #require(doses.first), to: held.dose)
            try await archive.download(try #require(plans.first), to: held.plan)
            for path in [held.dose, held.plan] { try await expectConformance(path) }

            let ours = try await service.get("/v1/results/\(result.id)/rtdose")
            #expect(ours.status == 200 && ours["Content-Type"] == "application/dicom")
            try Data(ours.body).write(to: URL(fileURLWithPath: state.file("ours.dcm")))
            try expectEqualDose(held.dose, state.file("ours.dcm"))
            try await expectReference(from: held.dose, to: held.plan)
            try await expectOrgans(service, phantom)
            try await expectNobodyIsNamed(in: service)
            try await expectOneTrace(delivered.trace, in: service)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        private func expectConformance(_ path: String) async throws {
            let verdict = try await Tool.run("dciodvfy", [path])
            let complaints = (verdict.output + verdict.errors).split(separator: "\n").filter {
                $0.contains("Error") || $0.contains("Warning")
            }
            #expect(complaints.isEmpty && verdict.status == 0)
        }

        private func expectEqualDose(_ left: String, _ right: String) throws {
            let (first, second) = (try Dataset(contentsOf: left), try Dataset(contentsOf: right))
            let (held, made) = (try first.pixels(), try second.pixels())
            #expect(held.values == made.values && held.layout == made.layout)
            #expect(held.values.contains { $0 > 0 })
            for tag in [AttributeTag.doseGridScaling, .sopInstanceUID, .frameOfReferenceUID] {
                #expect(first.text(tag) == second.text(tag))
            }
        }

        private func expectReference(from dose: String, to plan: String) async throws {
            let plans = try Dataset(contentsOf: dose).items(.referencedRTPlanSequence)
            #expect(plans.count == 1)
            #expect(
                try plans.first?.text(.referencedSOPInstanceUID) == Dataset(contentsOf: plan).text(.sopInstanceUID))
        }

        /// The organs that the eye can find on a planar image are within a tenth of the truth.
        private func expectOrgans(_ service: RunningService, _ phantom: SharedPhantom) async throws {
            let truth = try JSONDecoder().decode(Truth.self, from: phantom.json("truth.json"))
            let summary = try await service.text("SELECT summary FROM result")
            let found = try JSONDecoder().decode(Truth.self, from: Data(summary.utf8))
            for name in ["kidney_left", "kidney_right", "liver", "spleen"] {
                let expected = try #require(truth.organs.first { $0.name == name }?.activity_mbq)
                let value = try #require(found.organs.first { $0.name == name }?.activity_mbq)
                #expect(abs(value / expected - 1) < 0.1, "\(name)")
            }
        }

        /// One number leads from the association that brought the planar image to the archive that has the result.
        private func expectOneTrace(_ trace: String, in service: RunningService) async throws {
            for message in [
                "association ended", "case assembled", "job claimed", "child started", "child at work", "child ended",
                "job ended", "export", "export confirmed",
            ] {
                // That a job has ended is said a moment after its rows.
                let isSaid = try await eventually {
                    service.logLines.contains { $0["message"] == message && $0["trace"] == trace }
                }
                #expect(isSaid, "\(message)")
            }
            let lines = service.logLines
            // The CT came in another association, which the case names.
            let assembled = lines.last { $0["message"] == "case assembled" }
            let bringers = assembled?["brought_by"]?.split(separator: " ").map(String.init) ?? []
            let associations = lines.filter { $0["message"] == "association ended" && $0["stored"] != "0" }
            #expect(Set(bringers) == Set(associations.compactMap { $0["trace"] }) && bringers.contains(trace))
        }

        private func expectNobodyIsNamed(in service: RunningService) async throws {
            let metrics = try await service.get("/metrics").text
            for word in ["Phantom", "SCINTIVOL-1", "19500101"] {
                #expect(!service.process.errors.contains(word))
                #expect(!metrics.contains(word))
            }
        }
    }

    private struct Truth: Decodable {
        struct Organ: Decodable {
            let name: String
            let activity_mbq: Double
        }
        let organs: [Organ]
    }
}

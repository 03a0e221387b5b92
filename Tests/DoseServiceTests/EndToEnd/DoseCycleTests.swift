import DICOM
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Two planar studies of one administration to the dose that lies in the archive.
    @Suite struct DoseCycleTests {
        private struct Cycle: Decodable {
            struct Point: Decodable { let hours: Double? }
            struct Dose: Decodable {
                let id: Int64
                let revision: Int
                let exports: [CaseAnswer.Export]
            }
            let state: String
            let reason: String?
            let fields: [String]
            let revision: Int
            let administered_mbq: Double?
            let points: [Point]
            let doses: [Dose]
            let dose_in_force: Int64?
        }

        private struct Summary: Decodable {
            struct Region: Decodable {
                let name: String
                let dose_gy, activity_mbq: Double
                let spect_factor: Double?
            }
            let hours: [Double]
            struct Sum: Decodable {
                let name: String
                let dose_gy: Double
                let limit_gy: Double?
            }
            let findings: [String]
            let regions: [Region]
            let cumulative: [Sum]
        }

        private func cycle(
            _ service: RunningService, reaches state: String, points: Int, revision: Int = 1
        ) async throws -> Cycle {
            var seen: Cycle?
            let holds = try await eventually(within: .seconds(400)) {
                let answer = try await service.get("/v1/cycles/1")
                guard answer.status == 200 else { return false }
                seen = try JSONDecoder().decode(Cycle.self, from: Data(answer.body))
                return seen?.state == state && seen?.points.count == points && (seen?.revision ?? 0) >= revision
            }
            #expect(holds, "the cycle is \(seen?.state ?? "not there") (\(seen?.reason ?? ""))")
            return try #require(seen)
        }

        @Test func twoTimePointsBecomeADoseThatIsSentWhenSomebodyAgrees() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let later = try await Scintivol.run("phantom", "--out", state.file("later"), "--seed", "1", "--hours", "72")
            #expect(later.status == 0)
            let archivePort = try Archive.freePort()
            let service = try await RunningService(
                in: state,
                [
                    "--dose", "approval", "--destination", "\(Archive.title)@127.0.0.1:\(archivePort)", "--site",
                    phantom.siteFile, "--quiet-seconds", "1",
                ])
            let archive = try await Archive(in: state, dicomPort: archivePort)

            // The image says how much was given and at which time of day, and not on which day.
            #expect(try await service.store(["nm", "ct", "pt", "rtstruct"].map(phantom.part)).status == 0)
            let asking = try await cycle(service, reaches: "needs-input", points: 1)
            #expect(asking.reason == "administration-missing" && asking.fields == ["administered_at"])
            let late = #"{"administered_at":"20240329100000"}"#
            #expect(try await service.post("/v1/cycles/1/administration", late) == 409)
            let given = #"{"administered_at":"20240325100000"}"#
            #expect(try await service.post("/v1/cycles/1/administration", given) == 200)
            // One image alone gives a dose, and says so.
            let first = try await cycle(service, reaches: "review", points: 1)
            #expect(first.revision == 2 && first.points.map(\.hours) == [24])
            let truth = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: phantom.part("truth.json"))))
            let administered = try #require((truth as? [String: Any])?["administered_mbq"] as? Double)
            #expect(abs(try #require(first.administered_mbq) - administered) < 1)
            let alone = try await service.decoded(
                Summary.self, from: "/v1/doses/\(try #require(first.doses.first).id)/summary")
            #expect(alone.findings.contains("single-time-point"))

            // The second is another case and the same cycle.
            #expect(try await service.store([state.file("later/nm")]).status == 0)
            let both = try await cycle(service, reaches: "review", points: 2)
            #expect(both.revision == 3 && both.points.map(\.hours) == [24, 72])
            let dose = try #require(both.doses.last)
            #expect(dose.revision == 3 && both.doses.allSatisfy { $0.exports.isEmpty })
            let summary = try await service.decoded(Summary.self, from: "/v1/doses/\(dose.id)/summary")
            #expect(summary.hours == [24, 72] && !summary.findings.contains("single-time-point"))
            let kidney = try #require(summary.regions.first { $0.name == "kidney_left" })
            #expect((0.5...20).contains(kidney.dose_gy))
            // Nobody has contoured the marrow; published values of 177Lu-PSMA are 0.01 to 0.05 Gy/GBq.
            let marrow = try #require(summary.cumulative.first { $0.name == "marrow" })
            #expect((0.005...0.1).contains(marrow.dose_gy / administered * 1000) && marrow.limit_gy == 2)
            #expect(summary.findings.contains("marrow-from-cancellous-bone"))
            for part in ["report", "table", "volume", "files/report.html", "files/masks.nii.gz"] {
                #expect(try await service.get("/v1/doses/\(dose.id)/\(part)").status == 200, "\(part)")
            }

            // A SPECT of the administration says how much there is, one that lies elsewhere does not.
            try await store(spectOf: 1.25, of: phantom, in: state, service)
            let anchored = try await cycle(service, reaches: "review", points: 2, revision: 5)
            let held = try await service.decoded(
                Summary.self, from: "/v1/doses/\(try #require(anchored.doses.last).id)/summary")
            #expect(held.findings.contains("spect-anchored"))
            #expect(held.findings.contains("spect-not-used-registration-missing"))
            let sent = try #require(held.regions.first { $0.name == "kidney_left" })
            let factor = try #require(sent.spect_factor)
            #expect((1.02...1.5).contains(factor))
            #expect(abs(sent.dose_gy / kidney.dose_gy / factor - 1) < 0.05)

            #expect(try await service.post("/v1/cycles/1/approve", #"{"reason":"checked"}"#) == 200)
            let delivered = try await cycle(service, reaches: "delivered", points: 2)
            let exports = try #require(delivered.doses.last).exports
            #expect(exports.map(\.output).contains("dose") && exports.allSatisfy { $0.state == "confirmed" })
            try await expectDose(in: archive, of: sent, state)
            for word in ["Phantom", "SCINTIVOL-1", "19500101"] { #expect(!service.process.errors.contains(word)) }

            // Somebody states another activity than the images' files: a new dose, which says so. The one that was sent stands.
            let stated = #"{"administered_mbq":\#(administered * 1.05)}"#
            #expect(try await service.post("/v1/cycles/1/administration", stated) == 200)
            let restated = try await cycle(
                service, reaches: "review", points: 2, revision: delivered.revision + 1)
            #expect(
                restated.dose_in_force == delivered.doses.last?.id && restated.doses.last?.id != restated.dose_in_force)
            let other = try await service.decoded(
                Summary.self, from: "/v1/doses/\(try #require(restated.doses.last).id)/summary")
            #expect(other.findings.contains("administered-activity-not-the-images"))
            #expect(!held.findings.contains("administered-activity-not-the-images"))
            // One trace leads through the logs of all of it.
            let lines = service.logLines.filter { $0["kind"] == "dose" || $0["message"] == "cycle assembled" }
            #expect(!lines.isEmpty && lines.allSatisfy { $0["trace"]?.count == 32 })
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// Stores what the planar images gave, times a factor, as a SPECT at 48 h, and the same in another frame of reference.
        private func store(
            spectOf factor: Float, of phantom: SharedPhantom, in state: StateFolder, _ service: RunningService
        ) async throws {
            let path = state.file("map.dcm")
            let answer = try await service.get("/v1/results/1/rtdose")
            try Data(answer.body).write(to: URL(fileURLWithPath: path))
            let map = try ActivityMapReader.read(try Dataset(contentsOf: path))
            // From 24 to 48 h about a third is cleared.
            let volume = map.volume.map { $0 * factor * 0.65 }
            let start = LocalTimestamp(year: 2024, month: 3, day: 27, secondsOfDay: 36_000)
            for (name, frame) in [("elsewhere", "1.2.3"), ("spect", map.frameOfReferenceUID)] {
                let study = SyntheticStudy(seed: 1, name: name, description: "SPECT", startedAt: start)
                let file = state.file("\(name).dcm")
                try TomographyWriter.dataset(volume, study: study, frameOfReferenceUID: frame).write(to: file)
                #expect(try await service.store([file]).status == 0)
                // Each on its own makes a revision.
                let revision = name == "spect" ? 5 : 4
                _ = try await cycle(service, reaches: "review", points: 2, revision: revision)
            }
        }

        /// The archive holds one map in Gy, whose histogram says what the summary said.
        private func expectDose(in archive: Archive, of kidney: Summary.Region, _ state: StateFolder) async throws {
            var physical = 0
            for (index, instance) in try await archive.instances(ofModality: "RTDOSE").enumerated() {
                let path = state.file("held-\(index).dcm")
                try await archive.download(instance, to: path)
                let dataset = try Dataset(contentsOf: path)
                guard dataset.text(.doseUnits) == "GY", dataset.text(.doseType) == "PHYSICAL" else { continue }
                physical += 1
                let means = try dataset.items(.dvhSequence).compactMap { try $0.decimal(.dvhMeanDose) }
                #expect(means.contains { abs($0 / kidney.dose_gy - 1) < 1e-4 })
            }
            #expect(physical == 1)
            for modality in ["SR", "DOC", "RTSTRUCT"] {
                #expect(try await archive.instances(ofModality: modality).count >= 1, "\(modality)")
            }
        }
    }
}

extension RunningService {
    /// - Returns: the answer's status.
    func post(_ path: String, _ body: String) async throws -> Int {
        let client = try RawClient(port: addresses.httpPort, timeoutSeconds: 30)
        await client.send(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try await client.receiveAnswer().status
    }
}

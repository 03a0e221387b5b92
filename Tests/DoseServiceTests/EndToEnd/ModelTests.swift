import DoseService
import Foundation
import Reconstruction
import TestSupport
import Testing

extension EndToEnd {
    /// Patients' models from the arrival of PET and CT to the result that was made with one.
    @Suite struct ModelTests {
        private struct Models: Decodable {
            struct Model: Decodable {
                let id: Int64
                let kind, sha256: String
            }

            let models: [Model]
        }

        private struct Summary: Decodable {
            struct Provenance: Decodable {
                let modelHash: String
            }

            struct Check: Decodable {
                let name, outcome: String
            }

            let method: String
            let provenance: Provenance
            let checks: [Check]
        }

        private func start(
            _ state: StateFolder, networks: String, failpoints: String? = nil
        ) async throws -> RunningService {
            let file = state.file("site.json")
            let json = """
                {"cameras":[\(SiteDescription.phantom)],"quiet_seconds":0.5,"networks":\(networks)}
                """
            try json.write(toFile: file, atomically: true, encoding: .utf8)
            return try await RunningService(
                in: state, ["--config", file, "--lease-seconds", "15"],
                environment: failpoints.map { ["SCINTIVOL_FAILPOINTS": $0] } ?? [:])
        }

        /// The step of the training under way, as soon as it is one that is waited for; rewarded steps follow the
        /// others.
        ///
        /// - Parameters:
        ///   - count: of the steps without reward.
        ///   - lives: how many workers had the job before.
        private func step(
            of service: RunningService, count: Int, after lives: Int = 0, until isReached: (Int) -> Bool
        ) async throws -> Int? {
            var found: Int?
            // It runs where nothing else wants a processor, such as other tests.
            _ = try await eventually(within: .seconds(1800)) {
                let job = try await service.jobs().first { $0.kind == "personalise" && $0.state == "running" }
                guard let job, job.attempt + job.rescue_count > lives else { return false }
                let stage = job.stage
                let words = stage?.split(separator: " ").map(String.init) ?? []
                guard let place = words.firstIndex(of: "step"), place + 3 < words.count,
                    let step = Int(words[place + 1])
                else { return false }
                let reached = words[place + 3].hasPrefix("\(count),") ? step : count + step
                found = isReached(reached) ? reached : nil
                return found != nil
            }
            return found
        }

        private func summary(_ service: RunningService, _ result: Int64) async throws -> Summary {
            try await service.decoded(Summary.self, from: "/v1/results/\(result)/summary")
        }

        @Test func theModelIsTrainedBeforeThePlanarScanComesAndIsWaitedFor() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let networks = #"{"method":"unet","steps":24,"rewarded_steps":2,"checkpoint_seconds":1}"#
            let killed = try await start(state, networks: networks)
            #expect(try await killed.store(phantom.files("ct", "pt", "rtstruct")).status == 0)
            let reached = try #require(try await step(of: killed, count: 24) { $0 >= 8 })
            #expect(try await killed.count("SELECT count(*) FROM dose_case") == 0)
            try await killed.kill()
            // It goes on where it was: what a new training says first is its step 10.
            let interrupted = try await start(state, networks: networks, failpoints: "after-result-files=kill")
            let resumed = try #require(try await step(of: interrupted, count: 24, after: 1) { _ in true })
            #expect(resumed > max(reached, 10))
            // Killed again when the model is there and no row names it: what was trained is not trained again.
            #expect(try await interrupted.process.status(within: .seconds(1800)) == -SIGKILL)
            // After two deaths somebody has to say that it may be tried once more.
            let waiting = try await start(state, networks: networks)
            let isSetAside = try await eventually(within: .seconds(120)) {
                try await waiting.jobs().contains { $0.kind == "personalise" && $0.state == "discarded" }
            }
            #expect(isSetAside)
            #expect(try await waiting.end() == 0)
            // Until somebody does, what was trained stays, also where the next start tidies.
            let trainings = state.file("state/training")
            try FileManager.default.createDirectory(atPath: "\(trainings)/nobodys", withIntermediateDirectories: true)
            let service = try await start(state, networks: networks, failpoints: "mid-run=pause:8000")
            let isTidied = try await eventually(within: .seconds(60)) {
                !FileManager.default.fileExists(atPath: "\(trainings)/nobodys")
            }
            #expect(isTidied)
            #expect(try FileManager.default.contentsOfDirectory(atPath: trainings).count == 1)
            let job = try #require(try await service.jobs().first { $0.kind == "personalise" }).id
            #expect((200..<300).contains(try await service.post("/v1/jobs/\(job)/retry").status))
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let delivered = try await service.firstCase(reaches: "delivered", within: .seconds(1800))
            #expect(!service.logLines.contains { $0["stage"]?.contains(", step ") == true })
            // One training, which the reconstruction waited for.
            #expect(try await service.count("SELECT count(*) FROM job WHERE depends_on IS NOT NULL") == 1)
            let jobs = try await service.jobs()
            let training = try #require(jobs.first { $0.kind == "personalise" })
            let reconstruction = try #require(jobs.first { $0.kind == "reconstruct" })
            #expect(jobs.count == 3 && training.state == "completed" && reconstruction.state == "completed")
            let (trained, started) = (try #require(training.finished_at), try #require(reconstruction.started_at))
            #expect(trained <= started)

            let model = try #require(try await service.decoded(Models.self, from: "/v1/models").models.first)
            #expect(model.kind == "personal")
            #expect(
                try await service.text("SELECT content_key FROM model").hasSuffix("/unet/\(PersonalDataset.revision)"))
            let made = try await summary(service, try #require(delivered.results.first).id)
            #expect(made.method == "unet" && made.provenance.modelHash == model.sha256)
            // After so few steps on so few maps a small organ may well be warned of.
            #expect(made.checks.contains { $0.name == "network-organ-change-percent" && $0.outcome != "fail" })

            let answer = try await service.get("/v1/models/\(model.id)/files/model.safetensors")
            #expect(answer.status == 200)
            let copy = state.file("copy.safetensors")
            try Data(answer.body).write(to: URL(fileURLWithPath: copy))
            #expect(try ModelFile(path: copy).hash == model.sha256)
            #expect(try await service.get("/v1/models/\(model.id)/files/other.bin").status == 404)
            // What the training needed on the way is gone.
            #expect(try FileManager.default.contentsOfDirectory(atPath: trainings).isEmpty)
            #expect(try await service.end() == 0)
        }

        @Test func whoDoesNotWaitForThePatientsModelGetsThePopulations() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await start(
                state, networks: #"{"method":"unet","personalise":true,"wait_for_model":false,"steps":100000}"#)
            // The training goes on; nobody waits for it.
            #expect(try await service.store(phantom.files("ct", "pt", "rtstruct", "nm")).status == 0)
            let isThere = try await eventually(within: .seconds(60)) { try await service.jobs().count == 2 }
            #expect(isThere)
            #expect(try await service.count("SELECT count(*) FROM job WHERE depends_on IS NOT NULL") == 0)
            let delivered = try await service.firstCase(reaches: "delivered", within: .seconds(600))
            let text = try await service.get(
                "/v1/results/\(try #require(delivered.results.first).id)/summary")
            let made = try JSONDecoder().decode(Summary.self, from: Data(text.body))
            let body = String(decoding: text.body, as: UTF8.self)
            #expect(made.method == "unet" && body.contains("model-of-population"))
            #expect(made.checks.contains { $0.name == "network-organ-change-percent" && $0.outcome == "pass" })
            #expect(try await service.end() == 0)
        }
    }
}

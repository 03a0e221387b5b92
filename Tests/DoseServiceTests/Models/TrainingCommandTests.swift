import DoseService
import Foundation
import TestSupport
import Testing

/// `pretrain` and `personalise` on voxels so large that a step takes a blink.
@Suite struct TrainingCommandTests {
    private static let coarse = [
        "--spacing", "20", "--validate-every", "3", "--validation-cases", "1", "--cases", "2", "--threads", "2",
        "--json",
    ]
    private static let small = coarse + ["--preset", "small"]

    private func pretrain(_ out: String, steps: Int, _ more: String...) -> [String] {
        ["pretrain", "--out", out, "--steps", "\(steps)"] + Self.small + more
    }

    private func summary(_ run: ProgramRun) throws -> [String: Any] {
        let line = try #require(run.output.split(separator: "\n").last)
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    /// Bytes of a safetensors file's header, which follow those of its length.
    private func headerLength(_ data: Data) -> Int {
        data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    }

    /// Makes another model of a file: every parameter has the other sign.
    private func negate(_ path: String) throws {
        var data = try #require(FileManager.default.contents(atPath: path))
        let start = 8 + headerLength(data)
        #expect((data.count - start) % 4 == 0 && data.count > start)
        // The last of a number's four bytes holds its sign.
        for place in stride(from: start + 3, to: data.count, by: 4) { data[place] ^= 0x80 }
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// What a file says of its networks' trainings, by name.
    private func records(_ path: String) throws -> [String: [String: Any]] {
        let data = try #require(FileManager.default.contents(atPath: path))
        let length = headerLength(data)
        let header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any]
        let metadata = try #require(header?["__metadata__"] as? [String: String])
        var records: [String: [String: Any]] = [:]
        for (key, text) in metadata where key.hasPrefix("record.") {
            records[String(key.dropFirst(7))] =
                try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        }
        return records
    }

    /// Highest learning rates of a file's networks.
    private func rates(_ path: String) throws -> [String: Double] {
        try records(path).compactMapValues { ($0["plan"] as? [String: Any])?["learningRate"] as? Double }
    }

    @Test func aKilledTrainingGoesOnToTheSameModel() async throws {
        let folder = try StateFolder()
        let whole = try await ProgramRun(Scintivol.program, pretrain(folder.file("whole"), steps: 12))
        #expect(whole.status == 0)
        let hash = try #require(try summary(whole)["hash"] as? String)
        #expect(try ModelFile(path: folder.file("whole")).hash == hash)

        let out = folder.file("killed")
        let arguments = pretrain(out, steps: 12, "--checkpoint-seconds", "0")
        let killed = try RunningProgram(
            Scintivol.program, arguments, name: "killed", in: folder)
        // Its first line is of step 3, a second one of step 6, after each of which it is written down.
        #expect(
            try await eventually(within: .seconds(120)) { killed.output.split(separator: "\n").count > 1 })
        killed.signal(SIGKILL)
        _ = try await killed.status()
        #expect(!FileManager.default.fileExists(atPath: out))

        let resumed = try await ProgramRun(Scintivol.program, arguments)
        #expect(resumed.status == 0 && !resumed.output.contains("\"step\":3,"), "\(resumed.output)")
        #expect(try summary(resumed)["hash"] as? String == hash)
        #expect(!FileManager.default.fileExists(atPath: "\(out).training"))
    }

    @Test func aCheckpointOfAnotherRecipeIsNotMixedIn() async throws {
        let folder = try StateFolder()
        let out = folder.file("model")
        let first = try RunningProgram(
            Scintivol.program, pretrain(out, steps: 500, "--checkpoint-seconds", "0"), name: "first", in: folder)
        #expect(
            try await eventually(within: .seconds(120)) {
                FileManager.default.fileExists(atPath: "\(out).training")
            })
        first.signal(SIGKILL)
        _ = try await first.status()
        let other = try await ProgramRun(Scintivol.program, pretrain(out, steps: 7))
        #expect(other.status == 1 && other.errors.contains("checkpoint-of-another-recipe"))

        // Where nobody could be asked, in a job after an update, the training begins anew.
        var request = TrainingRequest(kind: .unet, preset: "small", outputPath: out)
        (request.spacingMillimetres, request.replacesOtherCheckpoints) = (20, true)
        (request.plan.stepCount, request.plan.validationCaseCount) = (3, 1)
        let anew = try Pretraining(request, narrow: false).perform { _ in }
        #expect(anew.steps == 3 && FileManager.default.fileExists(atPath: out))
        #expect(!FileManager.default.fileExists(atPath: "\(out).training"))
        try Data("no checkpoint".utf8).write(to: URL(fileURLWithPath: "\(out).training"))
        #expect(try Pretraining(request, narrow: false).perform { _ in }.steps == 3)
        request.replacesOtherCheckpoints = false
        try Data("no checkpoint".utf8).write(to: URL(fileURLWithPath: "\(out).training"))
        #expect(throws: StudyProblem.refused(code: "checkpoint-unreadable")) {
            try Pretraining(request, narrow: false).perform { _ in }
        }
    }

    @Test func keptCasesServeAnotherTrainingAndChangeNothing() async throws {
        let folder = try StateFolder()
        let plain = try await ProgramRun(Scintivol.program, pretrain(folder.file("plain"), steps: 6))
        let hash = try #require(try summary(plain)["hash"] as? String)
        let cases = folder.file("cases")
        var made: [String: Date] = [:]
        for name in ["first", "second"] {
            let run = try await ProgramRun(
                Scintivol.program, pretrain(folder.file(name), steps: 6, "--keep-cases", cases))
            #expect(try summary(run)["hash"] as? String == hash, "\(name)")
            // The second training takes what the first has solved and writes nothing.
            for file in try FileManager.default.contentsOfDirectory(atPath: cases) {
                let date =
                    try FileManager.default.attributesOfItem(atPath: "\(cases)/\(file)")[.modificationDate] as? Date
                if name == "first" { made[file] = date } else { #expect(date != nil && made[file] == date) }
            }
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: cases).sorted()
        #expect(!kept.isEmpty && kept.allSatisfy { $0.hasSuffix(".case") })
        // A file that was cut short is no case; a whole one is taken as it is.
        let file = "\(cases)/\(kept[0])"
        let whole = try #require(FileManager.default.contents(atPath: file))
        try whole.prefix(100).write(to: URL(fileURLWithPath: file))
        let mended = try await ProgramRun(
            Scintivol.program, pretrain(folder.file("mended"), steps: 6, "--keep-cases", cases))
        #expect(try summary(mended)["hash"] as? String == hash)
        #expect(FileManager.default.contents(atPath: file) == whole)
    }

    @Test func anEvaluationTakesNetworksOfPopulationAndPatients() async throws {
        let folder = try StateFolder()
        let model = folder.file("model")
        #expect(try await ProgramRun(Scintivol.program, pretrain(model, steps: 6)).status == 0)
        let arguments = [
            "evaluate", "--suite", "narrow", "--cases", "1", "--seed", "1001", "--model", model, "--json", "--spacing",
            "20",
        ]
        let out = folder.file("out")
        let names = ["stage0", "unet", "unet-personal", "unet-reinforced"]
        func evaluated() async throws -> EvaluationReport {
            let run = try await ProgramRun(
                Scintivol.program,
                arguments + ["--methods", names.joined(separator: ","), "--personal-steps", "2", "--out", out])
            #expect(run.status == 0, "\(run.errors)")
            return try JSONDecoder().decode(EvaluationReport.self, from: Data(run.output.utf8))
        }
        let report = try await evaluated()
        #expect(report.methods.map(\.name) == names)
        #expect(report.spacing == 20)
        // After a few steps a network still gives about what it began with.
        for network in report.methods.dropFirst() {
            #expect(abs(network.relativeMAE - report.methods[0].relativeMAE) < 0.04, "\(network.name)")
            #expect(network.relativeMAEAgainstStage0 != nil)
        }
        let personal = "\(out)/models/unet-personal-1001.safetensors"
        #expect(try ModelFile(path: personal).hash != ModelFile(path: model).hash)
        // Each method is reconstructed with its own file: where one becomes another, so do its scores alone.
        var before = report
        for name in ["unet-personal", "unet-reinforced"] {
            try negate("\(out)/models/\(name)-1001.safetensors")
            let after = try await evaluated()
            for (method, (old, new)) in zip(names, zip(before.methods, after.methods)) {
                #expect((old.relativeMAE == new.relativeMAE) == (method != name), "\(method) after \(name)")
            }
            before = after
        }

        let missing = try await ProgramRun(Scintivol.program, arguments + ["--methods", "paper-unet"])
        #expect(missing.status == 1 && missing.errors.contains("model-part-missing"))
        // Without a file it is the model that comes with the program, which has no rivals in it.
        let without = try await ProgramRun(Scintivol.program, ["evaluate", "--methods", "paper-unet", "--cases", "1"])
        #expect(without.status == 1 && without.errors.contains("model-part-missing"))
    }

    @Test func aPatientsModelBeginsWithThePopulations() async throws {
        let phantom = try await SharedPhantom.get()
        let folder = try StateFolder()
        let population = try await ProgramRun(Scintivol.program, pretrain(folder.file("population"), steps: 6))
        #expect(population.status == 0)
        let arguments =
            ["personalise", "--anatomy", phantom.root, "--site", phantom.siteFile, "--steps", "6"] + Self.small
        let personal = try await ProgramRun(
            Scintivol.program, arguments + ["--from", folder.file("population"), "--out", folder.file("personal")])
        #expect(personal.status == 0)
        let progress = personal.output.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        #expect(progress.contains { $0["secondsLeft"] != nil && $0["error"] != nil })
        let facts = try summary(personal)
        let (error, initial) = (try #require(facts["error"] as? Double), try #require(facts["initialError"] as? Double))
        // What is kept is never worse than the start.
        #expect(error > 0 && error < 1.5 * initial)

        // Stage 2 stands on this Stage 1 and both come into one file.
        let diffusion = try await ProgramRun(
            Scintivol.program,
            arguments + [
                "--model", "diffusion", "--from", folder.file("personal"), "--out", folder.file("both"),
            ])
        #expect(diffusion.status == 0)
        let both = try ModelFile(path: folder.file("both"))
        _ = try both.model(.unet)
        _ = try both.model(.diffusion)
        // A network that begins learns faster than one that goes on.
        #expect(try rates(folder.file("both")) == ["unet": 3e-4, "diffusion": 1e-3])
        #expect(throws: StudyProblem.needsInput(code: "model-part-missing", fields: ["paper-unet"])) {
            try both.model(.paperUNet)
        }
    }

    @Test func withoutAFileOrASizeAPatientsTrainingBeginsWithTheModelThatComesWithTheProgram() async throws {
        let phantom = try await SharedPhantom.get()
        let folder = try StateFolder()
        let own = folder.file("personal")
        let run = try await ProgramRun(
            Scintivol.program,
            ["personalise", "--anatomy", phantom.root, "--site", phantom.siteFile, "--steps", "2", "--out", own]
                + Self.coarse)
        #expect(run.status == 0, "\(run.errors)")
        let population = try ModelFile(path: try #require(ModelFile.populationPath))
        _ = try population.model(.unet)
        _ = try population.model(.diffusion)
        #expect(try records(own)["unet"]?["startedFrom"] as? String == population.hash)
        #expect(try rates(own)["unet"] == 3e-4)
        // What is better by less than one percent is chance.
        let plan = try records(own)["unet"]?["plan"] as? [String: Any]
        #expect(plan?["leastGain"] as? Double == 0.01)
        let left = try summary(run)
        #expect(left["hasImproved"] as? Bool == false && left["leastGain"] as? Double == 0.01)
        #expect(try #require(left["gain"] as? Double) < 0.01)
    }

    @Test func aPatientsTrainingIsRewardedGoesOnAndIsNoOtherPatients() async throws {
        let phantom = try await SharedPhantom.get()
        let folder = try StateFolder()
        let out = folder.file("personal")
        let arguments =
            ["personalise", "--anatomy", phantom.root, "--site", phantom.siteFile, "--steps", "4", "--out", out]
            + Self.small
        let plain = try await ProgramRun(Scintivol.program, arguments)
        #expect(plain.status == 0)
        let hash = try summary(plain)["hash"] as? String
        // The same order finds its work done; a further one goes on from there.
        let again = try await ProgramRun(Scintivol.program, arguments)
        #expect(try summary(again)["hash"] as? String == hash && again.output.split(separator: "\n").count == 1)
        // Another camera's is not this work: it is done again.
        let description = try JSONSerialization.jsonObject(with: Data(SiteDescription.phantom.utf8))
        var changed = try #require(description as? [String: Any])
        changed["couch_water_equivalent_mm"] = 9
        let (site, elsewhere) = (folder.file("site.json"), folder.file("elsewhere"))
        try JSONSerialization.data(withJSONObject: changed).write(to: URL(fileURLWithPath: site))
        try FileManager.default.copyItem(atPath: out, toPath: elsewhere)
        let other = arguments.map { $0 == phantom.siteFile ? site : $0 == out ? elsewhere : $0 }
        let moved = try await ProgramRun(Scintivol.program, other)
        #expect(moved.status == 0)
        #expect(try #require(try summary(moved)["hash"] as? String) != hash)

        let rewarded = try await ProgramRun(Scintivol.program, arguments + ["--reinforce", "4"])
        #expect(rewarded.status == 0)
        // The training without reward is not done again: that alone would print two lines.
        #expect(rewarded.output.split(separator: "\n").count <= 5, "\(rewarded.output)")
        let text = try #require(FileManager.default.contents(atPath: out)).prefix(20_000)
        #expect(String(decoding: text, as: UTF8.self).contains("reinforcement"))

        // Without its contours the patient is another for a model.
        let bare = folder.file("bare")
        try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
        for name in ["ct", "pt"] {
            try FileManager.default.copyItem(atPath: "\(phantom.root)/\(name)", toPath: "\(bare)/\(name)")
        }
        let another = try await ProgramRun(
            Scintivol.program,
            ["personalise", "--anatomy", bare, "--site", phantom.siteFile, "--steps", "4", "--out", out] + Self.small)
        #expect(another.status == 0)
        #expect(try summary(another)["hash"] as? String != hash)
    }

    @Test func whatIsNoModelIsRefused() async throws {
        let folder = try StateFolder()
        try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.file("no-model")))
        let run = try await ProgramRun(
            Scintivol.program, pretrain(folder.file("out"), steps: 3, "--from", folder.file("no-model")))
        #expect(run.status == 1 && run.errors.contains("model-unreadable"))
        let missing = try await ProgramRun(
            Scintivol.program, pretrain(folder.file("out"), steps: 3, "--from", folder.file("nowhere")))
        #expect(missing.status == 1 && missing.errors.contains("model-missing"))
        let wrong = try await ProgramRun(Scintivol.program, ["pretrain", "--out", "x", "--preset", "huge"])
        #expect(wrong.status == 2)
    }
}

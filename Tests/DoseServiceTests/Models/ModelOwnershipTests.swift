import DoseService
import Foundation
import TestSupport
import Testing

/// A patient's model is nobody else's, and a model of the population holds what its site asks for.
@Suite struct ModelOwnershipTests {
    private static let coarse = ["--spacing", "20", "--validation-cases", "1", "--steps", "2", "--threads", "2"]

    /// CT and PET of the phantom without its contours: another anatomy for a model.
    private func bare(in folder: StateFolder, _ phantom: SharedPhantom) throws -> String {
        let bare = folder.file("bare")
        try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
        for name in ["ct", "pt"] {
            try FileManager.default.copyItem(atPath: phantom.part(name), toPath: "\(bare)/\(name)")
        }
        return bare
    }

    private func check(_ networks: String, in folder: StateFolder) async throws -> ProgramRun {
        let file = folder.file("configuration.json")
        try #"{"networks":\#(networks)}"#.write(toFile: file, atomically: true, encoding: .utf8)
        return try await ProgramRun(Scintivol.program, ["check-config", file])
    }

    @Test func aPatientsModelIsUsedForNobodyElse() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let own = folder.file("own")
        let personal = ["personalise", "--site", phantom.siteFile] + Self.coarse
        let trained = try await ProgramRun(Scintivol.program, personal + ["--anatomy", phantom.root, "--out", own])
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(trained.errors.contains("begins anew") && trained.errors.contains("held-back cases are solved first"))

        // Its Stage 1 is his on other voxels; its Stage 2, still the population's, stands on that.
        let used = try await ProgramRun(
            Scintivol.program,
            ["reconstruct", "--planar", phantom.part("nm"), "--anatomy", phantom.root]
                + ["--out", folder.file("result"), "--method", "diffusion", "--model", own])
        #expect(used.status == 1 && used.errors.contains("model-of-another-anatomy"), "\(used.errors)")
        let other = try await ProgramRun(
            Scintivol.program,
            personal + ["--anatomy", try bare(in: folder, phantom), "--from", own, "--out", folder.file("other")])
        #expect(other.status == 1 && other.errors.contains("model-of-another-anatomy: "), "\(other.errors)")
        #expect(other.errors.contains("--from \(own)"))
        let population = try await ProgramRun(
            Scintivol.program, ["pretrain", "--from", own, "--out", folder.file("other")] + Self.coarse)
        #expect(population.status == 1 && population.errors.contains("model-of-a-patient"), "\(population.errors)")
        let evaluated = try await ProgramRun(
            Scintivol.program, ["evaluate", "--methods", "unet", "--cases", "1", "--model", own])
        #expect(evaluated.status == 1 && evaluated.errors.contains("model-of-a-patient"))
        let site = try await check(#"{"population_model":"\#(own)"}"#, in: folder)
        #expect(site.status == 1 && site.output.contains("networks.population_model: model-of-a-patient: \(own)"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("other")))

        // Where the population's is there it takes the place of one that does not fit.
        let shipped = try #require(ModelFile.populationPath)
        let (file, finding) = try ModelFile.choice(of: .unet, for: "another", own: own, population: shipped)
        #expect(try file.hash == ModelFile(path: shipped).hash && finding == "model-of-another-anatomy")
        #expect(throws: StudyProblem.needsInput(code: "model-of-another-anatomy", fields: ["model"])) {
            try ModelFile.choice(of: .unet, for: "another", own: own, population: nil)
        }
    }

    @Test func aModelOfThePopulationHoldsTheNetworkThatTheSiteAsksFor() async throws {
        let folder = try StateFolder()
        let stageOne = folder.file("stage-one")
        let trained = try await ProgramRun(
            Scintivol.program, ["pretrain", "--out", stageOne, "--preset", "small"] + Self.coarse)
        #expect(trained.status == 0, "\(trained.errors)")
        let lacking = try await check(#"{"method":"diffusion","population_model":"\#(stageOne)"}"#, in: folder)
        #expect(lacking.status == 1)
        #expect(
            lacking.output.contains("networks.population_model: model-part-missing: \(stageOne) holds no diffusion"))
        #expect(try await check(#"{"method":"unet","population_model":"\#(stageOne)"}"#, in: folder).status == 0)
        // A patient's model of when the site did not ask for Stage 2 gives way to the population's, and serves for Stage 1.
        let shipped = try #require(ModelFile.populationPath)
        let (file, finding) = try ModelFile.choice(of: .diffusion, for: "his", own: stageOne, population: shipped)
        #expect(try file.hash == ModelFile(path: shipped).hash && finding == nil)
        let used = try ModelFile.choice(of: .unet, for: "his", own: stageOne, population: shipped)
        #expect(try used.file.hash == ModelFile(path: stageOne).hash && used.finding == nil)
        // Settings that no network has are found before a case is.
        for (old, new) in [(#"windowSlices\":64"#, #"windowSlices\":00"#), (#"channels\":[32,"#, #"channels\":[48,"#)] {
            let mended = folder.file("mended")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: stageOne))
            let place = try #require(bytes.range(of: Data(old.utf8)), "\(old)")
            bytes.replaceSubrange(place, with: Data(new.utf8))
            try bytes.write(to: URL(fileURLWithPath: mended))
            let run = try await check(#"{"method":"unet","population_model":"\#(mended)"}"#, in: folder)
            #expect(run.status == 1 && run.output.contains("model-unreadable: \(mended): "), "\(new) \(run.output)")
        }
        let half = folder.file("half")
        let whole = try Data(contentsOf: URL(fileURLWithPath: stageOne))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: half))
        let damaged = try await check(#"{"method":"unet","population_model":"\#(half)"}"#, in: folder)
        #expect(damaged.status == 1 && damaged.output.contains("model-unreadable: \(half): "), "\(damaged.output)")
    }

    /// Nothing is computed before what is asked for is known to make sense.
    @Test(arguments: [
        (["evaluate", "--methods", "", "--cases", "1"], 2, "names none"),
        (["evaluate", "--methods", "stage0,nothing"], 2, "does not know 'nothing'"),
        (["reconstruct", "--planar", "x", "--anatomy", "y", "--out", "z", "--model", "m"], 2, "add --method"),
        (["pretrain", "--out", "x", "--steps", "1"], 2, "2 or more"),
        (["pretrain", "--out", "/dev/null/x"], 1, "output-not-written"),
        (["personalise", "--anatomy", "/nowhere", "--out", "/"], 1, "--out /: is a folder"),
        (["pretrain", "--out", "x", "--site", "/nowhere"], 1, "site-file-missing"),
    ]) func anOrderThatCannotBeCarriedOutIsRefusedAtOnce(_ arguments: [String], _ status: Int32, _ said: String)
        async throws
    {
        let run = try await ProgramRun(Scintivol.program, arguments)
        #expect(run.status == status && run.errors.contains(said), "\(run.errors)")
    }
}

import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

/// What the phantom command writes.
@Suite struct PhantomFilesTests {
    @Test func holdsAllFourKindsAndTheTruth() async throws {
        let phantom = try await SharedPhantom.get()
        #expect(try phantom.files("nm").count == 1 && phantom.files("rtstruct").count == 1)
        #expect(try phantom.files("ct").count == 224 && phantom.files("pt").count == 224)
        #expect(FileManager.default.fileExists(atPath: phantom.part("truth.nii.gz")))
        let truth = try JSONSerialization.jsonObject(with: phantom.json("truth.json")) as? [String: Any]
        let keys = Set(truth?.keys.map(\.self) ?? [])
        #expect(keys.isSuperset(of: ["organs", "lesions", "person", "calibration_cps_per_mbq", "offset_mm", "seed"]))
        #expect(FileManager.default.fileExists(atPath: phantom.part("site.json")))
        #expect(truth?["seed"] as? Int == 1 && truth?["calibration_cps_per_mbq"] as? Double == 9.3)
        #expect((truth?["offset_mm"] as? [Double])?.count == 2)
        let organs = try #require(truth?["organs"] as? [[String: Any]])
        #expect(organs.allSatisfy { Set($0.keys) == ["name", "activity_mbq"] })
        let names = Set(organs.compactMap { $0["name"] as? String })
        #expect(names.isSuperset(of: ["kidney_left", "kidney_right", "liver", "spleen"]))
    }

    @Test func theValidatorHasNothingToSay() async throws {
        let phantom = try await SharedPhantom.get()
        let slices = try [phantom.files("ct"), phantom.files("pt")].flatMap { [$0[0], $0[111], $0[223]] }
        for path in try phantom.files("nm", "rtstruct") + slices {
            let verdict = try await Tool.run("dciodvfy", [path])
            let complaints = (verdict.output + verdict.errors).split(separator: "\n").filter {
                $0.contains("Error") || $0.contains("Warning")
            }
            #expect(verdict.status == 0 && complaints.isEmpty)
        }
    }

    @Test func thePlanarImageHasBothViewsInThreeWindows() async throws {
        let dataset = try Dataset(contentsOf: try await SharedPhantom.get().files("nm")[0])
        let (layout, values) = try dataset.pixels()
        #expect(layout.frames == 6 && layout.columns == 256 && layout.rows == 1024)
        #expect(values.allSatisfy { $0 >= 0 } && values.reduce(0) { $0 + Int($1) } > 1_000_000)
        #expect(dataset.text(.modality) == "NM")
    }

    /// Every kind of patient, camera and field that can be asked for.
    @Test(arguments: [
        ["--people", "varied", "--seed", "1"],
        ["--people", "varied", "--difficulty", "hard", "--seed", "2", "--contours", "seg"],
        ["--camera", "ge", "--difficulty", "mismatched"], ["--bed-centre", "350", "--difficulty", "matched"],
        ["--bed-centre", "350", "--camera", "ge", "--people", "varied", "--difficulty", "narrow"],
    ])
    func everyVariantIsConformant(options: [String]) async throws {
        let folder = try StateFolder()
        let run = try await ProgramRun(
            Scintivol.program, ["phantom", "--out", folder.file("p"), "--json"] + options, environment: [:])
        try #require(run.status == 0)
        let truth = try JSONDecoder().decode(PhantomFiles.Truth.self, from: Data(run.output.utf8))
        #expect(truth.organs.count > 10)
        let slices = ["0001", "0224"]
        let contours = options.contains("seg") ? "seg" : "rtstruct"
        let paths =
            ["nm/0001.dcm", "\(contours)/0001.dcm"] + slices.map { "ct/\($0).dcm" } + slices.map { "pt/\($0).dcm" }
        for path in paths {
            let verdict = try await Tool.run("dciodvfy", [folder.file("p/\(path)")])
            let complaints = (verdict.output + verdict.errors).split(separator: "\n").filter {
                $0.contains("Error") || $0.contains("Warning")
            }
            #expect(verdict.status == 0 && complaints.isEmpty, "\(path): \(complaints)")
        }
        let dataset = try Dataset(contentsOf: folder.file("p/nm/0001.dcm"))
        let isOneBed = options.contains("--bed-centre")
        #expect(dataset.texts(.imageType)[2] == (isOneBed ? "STATIC" : "WHOLE BODY"))
        let site = try SiteFile.read(folder.file("p/site.json"))
        #expect(site.calibration?["208"] == (options.contains("ge") ? 5 : 9.3))
    }
}

import DICOM
import Foundation
import Imaging
import TestSupport
import Testing

/// What else is known of an administration: a SPECT, the cycle before, activity beside the anatomy.
@Suite struct AnchoredDoseTests {
    private func liver(_ small: SmallDoseCase) throws -> [String: Any] { try region("liver", small) }

    private func region(_ name: String, _ small: SmallDoseCase) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: small.folder.file("out/dose.json")))
        let summary = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let regions = try #require(summary["regions"] as? [[String: Any]])
        return try #require(regions.first { $0["name"] as? String == name }, "\(name)")
    }

    private func spect(
        _ small: SmallDoseCase, hours: Double, factor: Float, slices: Int = 30, seed: UInt64 = 3, frame: String? = nil
    ) throws -> String {
        let grid = try VoxelGrid(
            columns: 40, rows: 40, slices: slices, spacing: SIMD3(4, 4, 4), origin: SIMD3(-78, -78, 100))
        var map = Volume<Float>(grid: grid, repeating: 0)
        let fall = Float(exp2(-hours / SmallDoseCase.halfLifeHours)) * factor
        for z in 0..<slices { for y in 4..<36 { for x in 4..<36 { map[x, y, z] = SmallDoseCase.levels.rest * fall } } }
        for z in 10..<min(20, slices) {
            for y in 16..<24 { for x in 12..<22 { map[x, y, z] = SmallDoseCase.levels.organ * fall } }
        }
        let study = SyntheticStudy(
            seed: seed, name: "spect", description: "SPECT",
            startedAt: SmallDoseCase.administered.advanced(bySeconds: hours * 3600))
        let path = small.folder.file("spect.dcm")
        try TomographyWriter.dataset(
            map, study: study, frameOfReferenceUID: frame ?? small.study.frameOfReferenceUID
        ).write(to: path)
        return path
    }

    /// The planar images say how it falls, the SPECT how much there is.
    @Test func aSPECTSetsTheLevel() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 72, 120].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        let anchor = try spect(small, hours: 26, factor: 1.3)
        let run = try await small.run(paths, ["--spect", anchor])
        #expect(run.status == 0, "\(run.errors)")
        let liver = try liver(small)
        let integral = 1.3 * 0.2 * 51.2 * SmallDoseCase.halfLifeHours / log(2)
        #expect(abs((liver["integrated_mbq_h"] as? Double ?? 0) / integral - 1) < 0.005)
        #expect(abs((liver["spect_factor"] as? Double ?? 0) / 1.3 - 1) < 0.005)
        #expect((liver["findings"] as? [String])?.contains("spect-anchored") == true)
    }

    @Test func aSPECTThatDoesNotShowARegionSaysNothingOfIt() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 72, 120].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        let anchor = try spect(small, hours: 26, factor: 1.3, slices: 15)
        #expect(try await small.run(paths, ["--spect", anchor]).status == 0)
        let liver = try liver(small)
        let integral = 0.2 * 51.2 * SmallDoseCase.halfLifeHours / log(2)
        #expect(abs((liver["integrated_mbq_h"] as? Double ?? 0) / integral - 1) < 0.005)
        #expect((liver["findings"] as? [String])?.contains("spect-does-not-cover") == true)
    }

    @Test func aSPECTOfAnotherPatientOrFrameIsRefused() async throws {
        let small = try SmallDoseCase()
        let path = try small.writeActivity(hours: 24, named: "t24")
        let other = try spect(small, hours: 26, factor: 1, seed: 4)
        let stranger = try await small.run([path], ["--spect", other])
        #expect(stranger.status == 1 && stranger.errors.contains("patients-differ"))
        let elsewhere = try spect(small, hours: 26, factor: 1, frame: "1.2.3")
        let unregistered = try await small.run([path], ["--spect", elsewhere])
        #expect(unregistered.status == 1 && unregistered.errors.contains("registration-missing"))
        let early = try spect(small, hours: -3, factor: 1)
        let before = try await small.run([path], ["--spect", early])
        #expect(before.status == 1 && before.errors.contains("times-out-of-order"))
        let planar = try await small.run([path], ["--spect", path])
        #expect(planar.status == 1 && planar.errors.contains("spect-sop-class"))
    }

    /// Half-lives of the patient's own cycle before take the place of those of other patients.
    @Test func theCycleBeforeSaysWhatToExpect() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 72, 120].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        #expect(try await small.run(paths).status == 0)
        let earlier = small.folder.file("cycle1.json")
        try FileManager.default.copyItem(atPath: small.folder.file("out/dose.json"), toPath: earlier)
        #expect(try await small.run([paths[0]]).status == 0)
        let alone = try liver(small)
        #expect(try await small.run([paths[0]], ["--earlier", earlier]).status == 0)
        let informed = try liver(small)
        let truth = 0.2 * 51.2 * SmallDoseCase.halfLifeHours / log(2)
        func miss(_ row: [String: Any]) -> Double { abs((row["integrated_mbq_h"] as? Double ?? 0) / truth - 1) }
        #expect(miss(informed) < 0.01 && miss(alone) > 0.1)
        #expect((informed["sd_percent"] as? Double ?? 100) < (alone["sd_percent"] as? Double ?? 0))
        let prior = try #require(informed["prior"] as? [String: Any])
        #expect(prior["source"] as? String == "the patient's cycle before, 3 images")
    }

    /// Activity that a reconstruction found beside the anatomy has a row, a mass and a dose of its own.
    @Test func unexplainedActivityIsARegion() async throws {
        let small = try SmallDoseCase()
        for (hours, activity) in [(24.0, 3.0), (72, 1.5)] {
            let name = "t\(Int(hours))"
            try FileManager.default.createDirectory(
                atPath: small.folder.file(name), withIntermediateDirectories: true)
            let path = try small.writeActivity(hours: hours, named: name)
            try FileManager.default.moveItem(atPath: path, toPath: small.folder.file("\(name)/activity.dcm"))
            try UnexplainedSummary.json(megabecquerel: activity, at: [40, 30, 180])
                .write(toFile: small.folder.file("\(name)/summary.json"), atomically: true, encoding: .utf8)
        }
        let run = try await small.run([24, 72].map { small.folder.file("t\($0)/activity.dcm") })
        #expect(run.status == 0, "\(run.errors)")
        let found = try region("unexplained-1", small)
        #expect(found["kind"] as? String == "lesion" && found["activity_mbq"] as? Double == 3)
        #expect((found["findings"] as? [String])?.contains("outside-of-the-anatomy") == true)
        // A sphere of a centimetre: 4.2 mL, within the rest of the body.
        #expect(abs((found["volume_ml"] as? Double ?? 0) / 4.19 - 1) < 0.1)
        let curve = try #require(found["curve"] as? [String: Any])
        #expect((curve["samples"] as? [Any])?.count == 2)
        #expect((found["dose_gy"] as? Double ?? 0) > 1)
    }

    @Test func voxelsMayHaveCurvesOfTheirOwn() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 72, 120].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        #expect(try await small.run(paths).status == 0)
        let region = try liver(small)
        #expect(try await small.run(paths, ["--per-voxel"]).status == 0)
        let voxel = try liver(small)
        let doses = [region, voxel].compactMap { $0["dose_gy"] as? Double }
        // All voxels fall alike here: nothing changes but the rounding of stored maps.
        #expect(doses.count == 2 && abs(doses[0] / doses[1] - 1) < 0.005)
    }
}

/// The least that a reconstruction's summary holds, with activity beside the anatomy.
enum UnexplainedSummary {
    static func json(megabecquerel: Double, at position: [Int]) -> String {
        """
        {"method":"stage0","calibrated":true,"unit":"Bq/mL","organs":[],"views":[],"rotation_degrees":0,"checks":[],
         "findings":[],"iterations":1,"converged":true,"sources":[],
         "provenance":{"version":"1","commit":"c","modelHash":"m","recipeHash":"r","seed":1},
         "unexplained":[{"name":"unexplained-1","activity_mbq":\(megabecquerel),"activity_percent":1,"sd_percent":12,
                         "position_mm":\(position),"depth_sd_mm":9}]}
        """
    }
}

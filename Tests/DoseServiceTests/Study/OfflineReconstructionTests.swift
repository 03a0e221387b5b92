import DoseService
import Foundation
import TestSupport
import Testing

/// `scintivol reconstruct`: folders of DICOM to a folder of results.
@Suite struct OfflineReconstructionTests {
    private func reconstruct(_ options: [String]) async throws -> (files: Set<String>, summary: [String: Any]) {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        // The anatomy's folder also holds the truth, which is no DICOM, and the planar image.
        let run = try await ProgramRun(
            Scintivol.program,
            ["reconstruct", "--planar", phantom.part("nm"), "--anatomy", phantom.root, "--out", folder.file("out")]
                + ["--json"] + options)
        #expect(run.status == 0, "\(run.errors)")
        let printed = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? NSDictionary
        let written = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: folder.file("out/summary.json"))))
        #expect(printed == written as? NSDictionary)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("out"))
        return (Set(files), try #require(written as? [String: Any]))
    }

    @Test func writesWhatTheDesignNames() async throws {
        let (files, summary) = try await reconstruct(["--site", try await SharedPhantom.get().siteFile])
        #expect(files.isSuperset(of: ["activity.dcm", "plan.dcm", "activity.nii.gz", "summary.json"]))
        #expect(!files.contains { $0.hasSuffix(".part") })
        #expect(Set(summary.keys).isSuperset(of: ["organs", "views", "method", "checks", "provenance"]))
        #expect(summary["method"] as? String == "stage0" && summary["calibrated"] as? Bool == true)
        #expect(summary["unit"] as? String == "Bq/mL")
        let organs = try #require(summary["organs"] as? [[String: Any]])
        let organKeys: Set = ["name", "activity_mbq", "mean_bq_per_ml", "sd_percent", "data_share"]
        #expect(organs.allSatisfy { organKeys.isSubset(of: $0.keys) } && organs.count > 10)
        let views = try #require(summary["views"] as? [[String: Any]])
        #expect(views.count == 2 && views.allSatisfy { $0["chi_square"] is Double })
        #expect(views.allSatisfy { ($0["offset_mm"] as? [Double])?.count == 2 })
        let provenance = try #require(summary["provenance"] as? [String: Any])
        #expect(provenance.values.contains { ($0 as? String)?.isEmpty == false })
        let assumptions = try #require(summary["assumptions"] as? [String: Any])
        #expect(assumptions["scatter_method"] as? String == "triple-energy-window")
        #expect(assumptions["tube_kv"] as? Double == 120 && assumptions["tube_kv_from"] as? String == "ct")
        #expect(assumptions["couch_water_equivalent_mm"] as? Double == 4)
        #expect((assumptions["collimator"] as? [String: Any])?["hole_length_mm"] as? Double == 40.64)
        // 387 mm of field pass at 2.5 mm/s.
        #expect(abs((assumptions["planar_dwell_s"] as? Double ?? 0) - 154.8) < 0.5)
        let calibration = try #require(assumptions["calibration"] as? [String: Any])
        #expect(calibration["station"] as? String == "*" && calibration["not_used"] == nil)
        #expect(calibration["cps_per_mbq_per_head"] as? [String: Double] == ["208": 9.3, "113": 10.2])
        let sum = try await ProgramRun("/usr/bin/sha256sum", [SharedPhantom.get().siteFile], environment: [:])
        #expect(assumptions["site_file_sha256"] as? String == String(sum.output.prefix(64)))
        let checks = try #require(summary["checks"] as? [[String: Any]])
        #expect(checks.allSatisfy { $0["outcome"] as? String != "fail" } && !checks.isEmpty)
        #expect(try !table(of: summary).contains("model"))
    }

    /// What `reconstruct` prints without `--json`.
    private func table(of summary: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: summary)
        return OfflineReport.table(try JSONDecoder().decode(ResultSummary.self, from: data))
    }

    @Test func withoutACalibrationTheResultIsRelativeAndSaysSo() async throws {
        let (_, summary) = try await reconstruct([])
        #expect(summary["calibrated"] as? Bool == false && summary["unit"] as? String == "%/mL")
        let findings = try #require(summary["findings"] as? [String])
        #expect(findings.contains("calibration-missing"))
        // The same with a network: which one, and what has to be said of it.
        var made = summary
        made["method"] = "unet"
        made["findings"] = findings + ["model-of-population"]
        var provenance = try #require(summary["provenance"] as? [String: Any])
        provenance["modelHash"] = "0123456789abcdef"
        made["provenance"] = provenance
        #expect(try table(of: made).contains("\nmethod unet, model 0123456789ab: model-of-population\n"))
        let organs = try #require(summary["organs"] as? [[String: Any]])
        #expect(organs.allSatisfy { $0["activity_mbq"] == nil && $0["mean_bq_per_ml"] == nil })
        let sum = organs.reduce(0) { $0 + ($1["activity_percent"] as? Double ?? 0) }
        #expect(abs(sum - 100) < 0.01)
    }

    /// The last line says why there is no calibration, and a person can act on it.
    @Test func aCalibrationThatIsNotUsedSaysWhy() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let expired = SiteDescription.phantom.replacing(
            "\"ct_kvp\":120", with: "\"ct_kvp\":120,\"valid_until\":\"2023-12-31\"")
        try expired.write(toFile: folder.file("site.json"), atomically: true, encoding: .utf8)
        let run = try await ProgramRun(
            Scintivol.program,
            [
                "reconstruct", "--planar", phantom.part("nm"), "--anatomy", phantom.root, "--out", folder.file("out"),
                "--site", folder.file("site.json"),
            ], environment: [:])
        #expect(run.status == 0)
        let last = run.output.split(separator: "\n").last
        #expect(last == "relative: the calibration expired on 2023-12-31", "\(run.output)")
        // Nobody watches: each stage is one line.
        let stages = run.errors.split(separator: "\n")
        #expect(stages.count >= 4 && stages.contains { $0.hasSuffix(": fit") } && !run.errors.contains("\r"))
    }
}

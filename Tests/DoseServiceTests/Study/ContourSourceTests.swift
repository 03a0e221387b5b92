import DICOM
import Foundation
import TestSupport
import Testing

/// Where the regions of a reconstruction come from.
@Suite struct ContourSourceTests {
    private struct Outcome {
        let regions: Set<String>
        let findings: Set<String>
    }

    private func reconstruct(_ anatomy: [String], in folder: StateFolder) async throws -> Outcome {
        let phantom = try await SharedPhantom.get()
        let target = folder.file("anatomy")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for (number, path) in (try phantom.files("ct", "pt") + anatomy).enumerated() {
            try FileManager.default.linkItem(atPath: path, toPath: "\(target)/\(number).dcm")
        }
        let run = try await ProgramRun(
            Scintivol.program,
            [
                "reconstruct", "--planar", phantom.part("nm"), "--anatomy", target, "--out", folder.file("out"),
                "--site", phantom.siteFile, "--json",
            ], environment: [:])
        try #require(run.status == 0, "\(run.errors)")
        let summary = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let organs = try #require(summary["organs"] as? [[String: Any]])
        return Outcome(
            regions: Set(organs.compactMap { $0["name"] as? String }),
            findings: Set(try #require(summary["findings"] as? [String])))
    }

    @Test func withoutContoursTheSummarySaysSo() async throws {
        let outcome = try await reconstruct([], in: try StateFolder())
        #expect(outcome.findings.contains("no-contours"))
        #expect(outcome.regions.contains("uptake-1") && !outcome.regions.contains("liver"))
    }

    @Test func theNewerOfStructureSetAndSegmentationCounts() async throws {
        let phantom = try await SharedPhantom.get()
        let made = try StateFolder()
        let run = try await Scintivol.run(
            "phantom", "--out", made.file("p"), "--seed", "1", "--contours", "seg")
        try #require(run.status == 0)
        let drawn = try phantom.files("rtstruct")
        // The segmentation calls one of its regions by another name, so that it is known when it was used.
        let segmentation = try Dataset(contentsOf: made.file("p/seg/0001.dcm"))
        let segment = try #require(segmentation.items(.segmentSequence).first { $0.text(.segmentLabel) == "spleen" })
        segment.put(.segmentLabel, "Special region")
        for (date, isNewer) in [("20300101", true), ("20000101", false)] {
            let folder = try StateFolder()
            segmentation.put(.contentDate, date)
            try segmentation.write(to: folder.file("seg.dcm"))
            let outcome = try await reconstruct(drawn + [folder.file("seg.dcm")], in: folder)
            #expect(outcome.regions.contains("special_region") == isNewer)
            #expect(outcome.regions.contains("spleen") != isNewer)
            #expect(outcome.regions.isSuperset(of: ["liver", "kidney_left", "kidney_right"]))
            #expect(!outcome.findings.contains("no-contours"))
        }
    }
}

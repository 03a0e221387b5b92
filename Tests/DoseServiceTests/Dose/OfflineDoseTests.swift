import DICOM
import Foundation
import Imaging
import TestSupport
import Testing

/// `scintivol dose`: activity maps to a folder of doses.
@Suite struct OfflineDoseTests {
    private func summary(_ small: SmallDoseCase) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: small.folder.file("out/dose.json")))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// Three maps that fall by half in 48 h: the integral is known, and the dose follows from it.
    @Test func threeTimePointsGiveTheDoseOfTheClosedForm() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 72, 120].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        let run = try await small.run(paths, ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        let summary = try summary(small)
        #expect(summary["radionuclide"] as? String == "177Lu")
        let regions = try #require(summary["regions"] as? [[String: Any]])
        let liver = try #require(regions.first { $0["name"] as? String == "liver" })
        let integral = 0.2 * 51.2 * SmallDoseCase.halfLifeHours / log(2)
        #expect(abs((liver["integrated_mbq_h"] as? Double ?? 0) / integral - 1) < 0.002)
        #expect(abs((liver["volume_ml"] as? Double ?? 0) - 51.2) < 0.1)
        // Local: 0.0853 Gy g/(MBq h); of the kernel a few percent leave this small box, and photons come in.
        let grams = try #require(liver["mass_g"] as? Double)
        let local = 0.0853 * integral / grams
        #expect(abs((liver["other_method_gy"] as? Double ?? 0) / local - 1) < 0.005)
        let gray = try #require(liver["dose_gy"] as? Double)
        #expect(gray / local > 0.93 && gray / local < 1.03)
        #expect(abs((liver["sphere_gy"] as? Double ?? 0) / gray - 1) < 0.06)
        #expect((liver["expanded_percent_k2"] as? Double ?? 0) == 2 * (liver["sd_percent"] as? Double ?? 1))
        let curve = try #require(liver["curve"] as? [String: Any])
        #expect(curve["model"] as? String == "mono-exponential")
        let balance = try #require(summary["balance"] as? [String: Double])
        let emitted = try #require(balance["emitted_j"])
        #expect((balance["absorbed_j"] ?? .infinity) < emitted && (balance["beyond_grid_j"] ?? -1) >= 0)
    }

    @Test func theObjectsConformAndSayTheSame() async throws {
        let small = try SmallDoseCase()
        let paths = try [24.0, 96].map { try small.writeActivity(hours: $0, named: "t\(Int($0))") }
        #expect(try await small.run(paths).status == 0)
        let names = ["plan", "regions", "dose", "dose-error", "report-sr", "report-pdf"]
        for name in names {
            let verdict = try await Tool.run("dciodvfy", [small.folder.file("out/\(name).dcm")])
            let text = verdict.output + verdict.errors
            #expect(!text.contains("Error") && !text.contains("Warning"), "\(name): \(text)")
        }
        // The tool files a structured report's accession number under its series, whatever the report says.
        let set = try await Tool.run(
            "dcentvfy", (names.filter { $0 != "report-sr" }.map { small.folder.file("out/\($0).dcm") }) + paths)
        #expect((set.output + set.errors).isEmpty)
        let dose = try Dataset(contentsOf: small.folder.file("out/dose.dcm"))
        let regions = try Dataset(contentsOf: small.folder.file("out/regions.dcm"))
        let activity = try Dataset(contentsOf: paths[0])
        for tag in [AttributeTag.studyInstanceUID, .frameOfReferenceUID, .patientID] {
            #expect(dose.text(tag) == activity.text(tag) && dose.text(tag) != nil)
        }
        #expect(dose.text(.doseUnits) == "GY")
        let histogram = try #require(dose.items(.dvhSequence).first)
        let summary = try summary(small)
        let liver = try #require((summary["regions"] as? [[String: Any]])?.first { $0["name"] as? String == "liver" })
        let mean = try #require(try histogram.decimal(.dvhMeanDose))
        #expect(abs(mean / (liver["dose_gy"] as? Double ?? 0) - 1) < 1e-4)
        let referenced = dose.items(.referencedStructureSetSequence).first?.text(.referencedSOPInstanceUID)
        #expect(referenced == regions.text(.sopInstanceUID))
        #expect(regions.items(.structureSetROISequence).first?.text(.roiName) == "liver")
    }

    @Test func theReportIsAPDFWithAllItsPages() async throws {
        let small = try SmallDoseCase()
        let path = try small.writeActivity(hours: 48, named: "t48")
        #expect(try await small.run([path]).status == 0)
        let text = try await Tool.run("pdftotext", ["-layout", small.folder.file("out/report.pdf"), "-"])
        #expect(text.status == 0)
        for words in [
            "Quality checks:", "Regions", "Conjugate view", "Dose-volume histograms", "Activity in time",
            "Curves: models", "Uncertainty budget",
            "What was assumed", "Provenance", "Approval", "Research, not for clinical use", "liver", "Gy",
        ] { #expect(text.output.contains(words), "\(words)") }
        #expect(text.output.contains("One image only") && text.output.contains(", from one image"))
        // The same words as a web page.
        let page = try String(contentsOfFile: small.folder.file("out/report.html"), encoding: .utf8)
        #expect(page.contains("Uncertainty budget") && page.contains("data:image/png;base64,"))
        try expectRoomForEveryWord(page)
        let wrapped = try Dataset(contentsOf: small.folder.file("out/report-pdf.dcm"))
        let length = try wrapped.integer(.encapsulatedDocumentLength)
        let size = try FileManager.default.attributesOfItem(atPath: small.folder.file("out/report.pdf"))[.size] as? Int
        #expect(length == size)
    }

    /// No text leaves the page's margins or runs into the next on its line.
    private func expectRoomForEveryWord(_ html: String) throws {
        let pattern = /<text x="([0-9.]+)" y="([0-9.]+)"[^>]*?>([^<]*)</
        for page in html.components(separatedBy: "<svg").dropFirst() {
            var lines: [String: [(start: Double, end: Double, text: String)]] = [:]
            for match in page.matches(of: pattern) {
                let tag = match.output.0
                let x = try #require(Double(match.output.1))
                let length = try #require(tag.firstMatch(of: /textLength="([0-9.]+)"/).flatMap { Double($0.output.1) })
                let start =
                    tag.contains("text-anchor=\"end\"")
                    ? x - length : tag.contains("text-anchor=\"middle\"") ? x - length / 2 : x
                lines[String(match.output.2), default: []].append((start, start + length, String(match.output.3)))
            }
            #expect(!lines.isEmpty)
            for line in lines.values.map({ $0.sorted { $0.start < $1.start } }) {
                for text in line { #expect(text.start > 38 && text.end < 558, "\(text)") }
                for (left, right) in zip(line, line.dropFirst()) {
                    #expect(left.end < right.start + 0.5, "\(left) \(right)")
                }
            }
        }
    }

    @Test func earlierCyclesAddUp() async throws {
        let small = try SmallDoseCase()
        let path = try small.writeActivity(hours: 48, named: "t48")
        #expect(try await small.run([path]).status == 0)
        let first = try summary(small)
        try FileManager.default.copyItem(
            atPath: small.folder.file("out/dose.json"), toPath: small.folder.file("cycle1.json"))
        #expect(try await small.run([path], ["--earlier", small.folder.file("cycle1.json")]).status == 0)
        let both = try summary(small)
        func gray(_ summary: [String: Any]) -> Double? {
            (summary["cumulative"] as? [[String: Any]])?.first { $0["name"] as? String == "liver" }?["dose_gy"]
                as? Double
        }
        let (one, two) = (try #require(gray(first)), try #require(gray(both)))
        #expect(abs(two / (2 * one) - 1) < 1e-9)
    }

    /// A sum that a limit stands beside, and one of whose cycles says nothing of the organ.
    @Test func aCycleWithoutTheOrganIsNoted() async throws {
        let small = try SmallDoseCase(organ: "kidney_left")
        let path = try small.writeActivity(hours: 48, named: "t48")
        #expect(try await small.run([path]).status == 0)
        let text = try String(contentsOfFile: small.folder.file("out/dose.json"), encoding: .utf8)
        for (name, content) in [
            ("with", text), ("without", text.replacingOccurrences(of: "\"kidney_left\"", with: "\"spleen\"")),
        ] {
            let earlier = small.folder.file("\(name).json")
            try content.write(toFile: earlier, atomically: true, encoding: .utf8)
            #expect(try await small.run([path], ["--earlier", earlier]).status == 0)
            let both = try summary(small)
            let findings = try #require(both["findings"] as? [String])
            #expect(findings.contains("cumulative-incomplete") == (name == "without"), "\(name)")
            let sum = try #require(
                (both["cumulative"] as? [[String: Any]])?.first { $0["name"] as? String == "kidney_left" })
            #expect(sum["cycles"] as? Int == (name == "with" ? 2 : 1))
            #expect(sum["cycles_without"] as? Int == (name == "with" ? nil : 1))
        }
    }

    @Test func refusalsHaveReasons() async throws {
        let small = try SmallDoseCase()
        let early = try small.writeActivity(hours: 24, named: "early")
        let late = try small.writeActivity(hours: 96, named: "late")
        let before = try small.writeActivity(hours: -2, named: "before")
        let iodine = try small.writeActivity(hours: 96, named: "iodine", radionuclide: "131I")
        let nameless = try small.writeActivity(hours: 96, named: "nameless", radionuclide: nil)
        let other = try small.writeActivity(hours: 96, named: "other", seed: 4)
        let rising = try small.writeActivity(hours: 96, named: "rising", factor: 20)
        let higher = try small.writeActivity(hours: 140, named: "higher", factor: 80)
        let cases: [([String], String)] = [
            ([late, early], "times-out-of-order"), ([early, early], "times-out-of-order"),
            ([before, early], "times-out-of-order"), ([early, iodine], "isotopes-differ"),
            ([nameless], "isotope-unknown"), ([early, other], "patients-differ"),
            ([early, rising, higher], "negative-fit"),
            ([small.folder.file("anatomy/ct/0001.dcm")], "activity-sop-class"),
        ]
        for (paths, reason) in cases {
            let run = try await small.run(paths)
            #expect(run.status == 1 && run.errors.contains(reason), "\(reason): \(run.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: small.folder.file("out/dose.json")))
        let named = try await small.run([nameless], ["--isotope", "177Lu"])
        #expect(named.status == 0)
    }

    @Test func aRelativeMapIsKeptAndGetsNoDose() async throws {
        let small = try SmallDoseCase()
        let path = try small.writeActivity(hours: 24, named: "relative", kind: .relative)
        let run = try await small.run([path])
        #expect(run.status == 1 && run.errors.contains("activity-uncalibrated"))
        #expect(try small.written() == ["relative-1.nii.gz"])
    }

    @Test func withoutACTThereAreNoMassesAndWithoutContoursNoOrgans() async throws {
        let bare = try SmallDoseCase(withContours: false)
        let path = try bare.writeActivity(hours: 24, named: "t24")
        #expect(try await bare.run([path]).status == 0)
        let summary = try summary(bare)
        #expect((summary["findings"] as? [String])?.contains("no-contours") == true)
        try FileManager.default.removeItem(atPath: bare.folder.file("anatomy/ct"))
        let run = try await bare.run([path])
        #expect(run.status == 1 && run.errors.contains("masses-missing"))
    }
}

import DoseService
import Foundation
import TestSupport
import Testing

/// A camera's description on disk.
@Suite struct SiteFileTests {
    private func read(_ text: String) throws {
        let folder = try StateFolder()
        try text.write(toFile: folder.file("site.json"), atomically: true, encoding: .utf8)
        _ = try SiteFile.read(folder.file("site.json"))
    }

    @Test func theDesignsExampleIsRead() throws {
        let folder = try StateFolder()
        try SiteDescription.phantom.write(toFile: folder.file("site.json"), atomically: true, encoding: .utf8)
        let site = try SiteFile.read(folder.file("site.json"))
        #expect(site.station == "*" && site.isotope == "177Lu" && site.fieldOfViewMillimetres == [533, 387])
        #expect(site.calibration(energy: 208.4) == 9.3 && site.collimator.holeLengthMillimetres == 40.64)
        #expect(site.couchWaterEquivalentMillimetres == 4 && site.tubeVoltage == 120)
    }

    @Test func withoutACalibrationItIsStillADescription() throws {
        try read(
            SiteDescription.phantom.replacing(
                "\"calibration_cps_per_mbq_per_head\":{\"208\":9.3,\"113\":10.2},", with: ""))
    }

    @Test(arguments: [
        ("\"isotope\":\"177Lu\",", "", "isotope"), ("\"station\":\"*\"", "\"station\":7", "station"),
        ("\"hole_length_mm\":40.64,", "", "collimator.hole_length_mm"),
        ("\"hole_diameter_mm\":2.94", "\"hole_diameter_mm\":\"wide\"", "collimator.hole_diameter_mm"),
        ("\"hole_diameter_mm\":2.94", "\"hole_diameter_mm\":-1", "collimator.hole_diameter_mm"),
        ("\"hole_length_mm\":40.64", "\"hole_length_mm\":1", "collimator"),
        ("[533,387]", "[533]", "field_of_view_mm"), ("[533,387]", "[533,0]", "field_of_view_mm"),
        ("\"208\":9.3", "\"208\":-9.3", "calibration_cps_per_mbq_per_head"),
        ("\"208\":9.3", "\"208\":\"many\"", "calibration_cps_per_mbq_per_head.208"),
        ("\"ct_kvp\":120}", "\"ct_kvp\":120", "json"), ("\"ct_kvp\":120", "\"ct_kvp\":null", "ct_kvp"),
    ])
    func namesTheFieldThatIsWrong(part: String, replacement: String, field: String) {
        let text = SiteDescription.phantom.replacing(part, with: replacement)
        #expect(text != SiteDescription.phantom)
        let error = #expect(throws: OfflineProblem.self) { try read(text) }
        #expect(error?.problem == .needsInput(code: "site-file-invalid", fields: [field]))
        // What is wrong, in the file that it is in.
        #expect(error?.found.count == 1 && error?.found[0].contains("/site.json:") == true)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: OfflineProblem.self) { try SiteFile.read("/nonexistent") }
        #expect(error?.problem == .needsInput(code: "site-file-missing", fields: ["/nonexistent"]))
        #expect(error?.found == ["--site /nonexistent: there is no such file"])
    }
}

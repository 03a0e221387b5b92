import Foundation
import TestSupport
import Testing

/// The synthetic patient of seed 1, made once for all tests of this process; nobody may change its files.
final class SharedPhantom: Sendable {
    private static let made = Task { try await SharedPhantom() }

    static func get() async throws -> SharedPhantom { try await made.value }

    private let folder: StateFolder
    /// A site's description with the phantom's calibration.
    let siteFile: String

    private init() async throws {
        folder = try StateFolder()
        siteFile = folder.file("site.json")
        let run = try await Scintivol.run("phantom", "--out", folder.file("phantom"), "--seed", "1")
        #expect(run.status == 0)
        try SiteDescription.phantom.write(toFile: siteFile, atomically: true, encoding: .utf8)
    }

    /// A folder of the phantom: `nm`, `ct`, `pt` or `rtstruct`.
    func part(_ name: String) -> String { folder.file("phantom/\(name)") }

    func files(_ parts: String...) throws -> [String] {
        try parts.flatMap { name in
            try FileManager.default.contentsOfDirectory(atPath: part(name)).sorted().map { "\(part(name))/\($0)" }
        }
    }

    func json(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: part(name))) }

    var root: String { folder.file("phantom") }
}

/// Site files as tests need them.
enum SiteDescription {
    static let phantom = """
        {"station":"*","isotope":"177Lu","calibration_cps_per_mbq_per_head":{"208":9.3,"113":10.2},
         "collimator":{"hole_diameter_mm":2.94,"hole_length_mm":40.64,"septa_mm":1.14,"intrinsic_fwhm_140kev_mm":3.8},
         "energy_resolution_140kev_percent":10,"field_of_view_mm":[533,387],"couch_water_equivalent_mm":4,
         "couch_thickness_mm":20,"ct_kvp":120}
        """
}

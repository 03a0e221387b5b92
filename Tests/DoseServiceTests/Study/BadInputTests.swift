import DICOM
import Foundation
import Imaging
import TestSupport
import Testing

/// What `scintivol reconstruct` says of each kind of input that it cannot use: one reason each, and no result.
@Suite struct BadInputTests {
    /// Runs the program on the phantom with some of its parts replaced.
    private func expect(
        _ code: String, nm: String? = nil, anatomy: [String: String] = [:], _ comment: Comment? = nil
    ) async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        for part in ["ct", "pt", "rtstruct"] {
            let (source, target) = (anatomy[part] ?? phantom.part(part), folder.file("anatomy/\(part)"))
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: source) {
                try FileManager.default.linkItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
            }
        }
        let run = try await ProgramRun(
            Scintivol.program,
            [
                "reconstruct", "--planar", nm ?? phantom.part("nm"), "--anatomy", folder.file("anatomy"), "--out",
                folder.file("out"), "--site", phantom.siteFile,
            ], environment: [:])
        #expect(run.status == 1, comment)
        #expect(run.errors.contains(code), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/summary.json")))
    }

    /// A copy of a part of the phantom, its files changed one by one.
    private func changed(
        _ part: String, in folder: StateFolder, _ change: (_ number: Int, Dataset) throws -> Bool
    ) async throws -> String {
        let phantom = try await SharedPhantom.get()
        let copy = folder.file(part)
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for (number, path) in try phantom.files(part).enumerated() {
            let dataset = try Dataset(contentsOf: path)
            if try change(number, dataset) { try dataset.write(to: "\(copy)/\(number).dcm") }
        }
        return copy
    }

    @Test func aPETInOtherUnits() async throws {
        let folder = try StateFolder()
        let pet = try await changed("pt", in: folder) { _, dataset in
            dataset.put(.units, "CNTS")
            return true
        }
        try await expect("pt-units", anatomy: ["pt": pet])
    }

    @Test func aCTWithMissingSlices() async throws {
        let folder = try StateFolder()
        let ct = try await changed("ct", in: folder) { number, _ in !(90...92).contains(number) }
        try await expect("ct-slices-missing", anatomy: ["ct": ct])
    }

    @Test func aPlanarImageOfAnotherIsotope() async throws {
        let folder = try StateFolder()
        let planar = try await changed("nm", in: folder) { _, dataset in
            let item = dataset.items(.radiopharmaceuticalInformationSequence)[0]
            item.items(.radionuclideCodeSequence)[0].put(.codeValue, "72454006")
            return true
        }
        try await expect("nm-radionuclide-unsupported", nm: planar)
    }

    @Test func aPlanarImageWithoutACount() async throws {
        let folder = try StateFolder()
        let planar = try await changed("nm", in: folder) { _, dataset in
            let count = try dataset.pixels().values.count
            dataset.put(.pixelData, words: [UInt16](repeating: 0, count: count))
            dataset.put(.countsAccumulated, integer: 0)
            return true
        }
        try await expect("nm-zero-counts", nm: planar)
    }

    @Test func aPETOfNothing() async throws {
        let folder = try StateFolder()
        let pet = try await changed("pt", in: folder) { _, dataset in
            let count = try dataset.pixels().values.count
            dataset.put(.pixelData, words: [UInt16](repeating: 0, count: count))
            return true
        }
        try await expect("pt-empty", anatomy: ["pt": pet])
    }

    /// One bed position over the head and the neck of the same patient.
    @Test func kidneysOutsideTheFieldOfView() async throws {
        let folder = try StateFolder()
        let made = try await Scintivol.run(
            "phantom", "--out", folder.file("head"), "--seed", "1", "--bed-centre", "760")
        try #require(made.status == 0)
        try await expect("regions-outside-field", nm: folder.file("head/nm"))
    }
}

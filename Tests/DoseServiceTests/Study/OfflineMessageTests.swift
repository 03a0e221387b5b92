import Foundation
import TestSupport
import Testing

/// What the offline commands say of paths that hold something else than they look for.
@Suite struct OfflineMessageTests {
    private func errors(_ arguments: [String]) async throws -> String {
        let run = try await ProgramRun(Scintivol.program, arguments, environment: [:])
        #expect(run.status == 1 && run.output.isEmpty)
        return run.errors
    }

    private func reconstruct(planar: String, anatomy: String, out: String) async throws -> String {
        try await errors(["reconstruct", "--planar", planar, "--anatomy", anatomy, "--out", out])
    }

    @Test func everythingThatIsMissingIsSaidAtOnce() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let said = try await reconstruct(
            planar: phantom.part("ct"), anatomy: phantom.part("rtstruct"), out: folder.file("out"))
        #expect(said.contains("nm-missing") && said.contains("(nm, ct, pt)"), "\(said)")
        #expect(
            said.contains("--planar \(phantom.part("ct")): 224 DICOM files, CT images; no planar NM image"), "\(said)")
        #expect(
            said.contains("--anatomy \(phantom.part("rtstruct")): 1 DICOM file, RTSTRUCT; no CT image, no PET image"),
            "\(said)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
        let anatomy = try await reconstruct(
            planar: phantom.part("nm"), anatomy: phantom.part("nm"), out: folder.file("out"))
        #expect(anatomy.contains("(ct, pt)") && anatomy.contains("no CT image, no PET image"), "\(anatomy)")
    }

    @Test func aFileIsNoMissingFolder() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let said = try await reconstruct(
            planar: phantom.siteFile, anatomy: phantom.root, out: folder.file("out"))
        #expect(said.contains("no-dicom") && said.contains("--planar \(phantom.siteFile): is no folder of DICOM files"))
        let nowhere = try await reconstruct(planar: "/nonexistent", anatomy: phantom.root, out: folder.file("out"))
        #expect(nowhere.contains("folder-missing") && nowhere.contains("--planar /nonexistent: there is no such"))
        // One planar file does as well as a folder with it: what is said is of the anatomy.
        let one = try await reconstruct(
            planar: phantom.files("nm")[0], anatomy: phantom.part("ct"), out: folder.file("out"))
        #expect(one.contains("(pt)") && one.contains("224 DICOM files, CT images; no PET image"), "\(one)")
    }

    @Test func whatCannotBeWrittenIsNamed() async throws {
        let phantom = try await SharedPhantom.get()
        let said = try await reconstruct(
            planar: phantom.part("nm"), anatomy: phantom.root, out: phantom.siteFile)
        #expect(said.contains("output-not-written") && said.contains("--out \(phantom.siteFile): is a file"), "\(said)")
        let below = try await errors(["phantom", "--out", "\(phantom.siteFile)/below"])
        #expect(below.contains("cannot be made: \(phantom.siteFile) is a file"), "\(below)")
    }

    @Test func aMapThatIsNotThereIsNamed() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let dose = ["dose", "--administered-mbq", "7400", "--administered-at", "20240325100000"]
        let said = try await errors(
            dose + ["--activity", "/nonexistent.dcm", "--anatomy", phantom.root, "--out", folder.file("out")])
        #expect(said.contains("--activity /nonexistent.dcm: there is no such file"), "\(said)")
    }

    /// Another patient's folder is left alone; the same patient may be written again.
    @Test func aPhantomReplacesNobodyUnasked() async throws {
        let folder = try StateFolder()
        let home = folder.file("p")
        try FileManager.default.createDirectory(atPath: "\(home)/ct", withIntermediateDirectories: true)
        let occupant = #"{"seed":7,"person":{"arms_petct":"absent","arms_planar":"absent"}}"#
        try occupant.write(toFile: "\(home)/truth.json", atomically: true, encoding: .utf8)
        try "old".write(toFile: "\(home)/ct/9999.dcm", atomically: true, encoding: .utf8)
        let said = try await errors(["phantom", "--out", home, "--seed", "3"])
        #expect(
            said.contains("folder-in-use") && said.contains("holds the synthetic patient of seed 7 (ct)"), "\(said)")
        #expect(FileManager.default.fileExists(atPath: "\(home)/ct/9999.dcm"))
        let run = try await Scintivol.run("phantom", "--out", home, "--seed", "3", "--force")
        #expect(run.status == 0 && run.output.contains("administered: "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(home)/ct/9999.dcm"))
    }
}

import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

/// What a reconstruction says of studies that it cannot use.
@Suite struct StudyProblemTests {
    private func run(planar: [String], anatomy: [String], method: ReconstructionMethod = .stage0) async throws {
        let output = try StateFolder()
        let request = ReconstructionRun.Request(
            planarPaths: planar, anatomyPaths: anatomy, sites: [], outputFolder: output.path, method: method,
            namespace: "test", createdAt: LocalTimestamp(year: 2024, month: 5, day: 6))
        _ = try await onThread { try ReconstructionRun(request).perform() }
    }

    @Test(arguments: [
        (["ct", "rtstruct"], StudyProblem.needsInput(code: "pt-missing", fields: ["pt"])),
        (["pt", "rtstruct"], .needsInput(code: "ct-missing", fields: ["ct"])),
        (["rtstruct"], .needsInput(code: "pt-missing", fields: ["pt"])),
    ])
    func namesWhatIsMissing(parts: [String], problem: StudyProblem) async throws {
        let phantom = try await SharedPhantom.get()
        let anatomy = try parts.flatMap { try phantom.files($0) }
        await #expect(throws: problem) { try await run(planar: phantom.files("nm"), anatomy: anatomy) }
    }

    @Test func asksForThePlanarImage() async throws {
        let phantom = try await SharedPhantom.get()
        await #expect(throws: StudyProblem.needsInput(code: "nm-missing", fields: ["nm"])) {
            try await run(planar: [], anatomy: phantom.files("ct", "pt"))
        }
    }

    @Test func refusesAnIncompleteSeries() async throws {
        let phantom = try await SharedPhantom.get()
        let slices = try phantom.files("pt")
        await #expect(throws: StudyProblem.refused(code: "pt-slices-missing")) {
            try await run(
                planar: phantom.files("nm"), anatomy: phantom.files("ct") + slices[..<100] + slices[101...])
        }
    }

    /// Slices that are missing at an end leave no gap; what stands on the CT shows that they were there.
    @Test(arguments: [true, false]) func asksForTheRestOfACTThatWasCutShort(atItsBeginning: Bool) async throws {
        let phantom = try await SharedPhantom.get()
        let all = try phantom.files("ct")
        let cut = atItsBeginning ? all.dropFirst(10) : all.dropLast(10)
        await #expect(throws: StudyProblem.needsInput(code: "ct-shorter-than-pt", fields: ["ct", "ct.whole"])) {
            try await run(planar: phantom.files("nm"), anatomy: Array(cut) + phantom.files("pt"))
        }
    }

    @Test func refusesWhatIsNoDICOM() async throws {
        let phantom = try await SharedPhantom.get()
        await #expect(throws: StudyProblem.refused(code: "file-unreadable")) {
            try await run(planar: [phantom.siteFile], anatomy: phantom.files("ct", "pt"))
        }
    }

    @Test func asksForTheModelOfAMethod() async throws {
        let phantom = try await SharedPhantom.get()
        await #expect(throws: StudyProblem.needsInput(code: "model-missing", fields: ["model"])) {
            try await run(
                planar: phantom.files("nm"), anatomy: phantom.files("ct", "pt", "rtstruct"), method: .unet)
        }
    }

    /// Copies of the phantom's files with one attribute changed.
    private func changed(_ parts: [String], _ change: String, in folder: StateFolder) async throws -> [String] {
        let phantom = try await SharedPhantom.get()
        var copies: [String] = []
        for (number, path) in try parts.flatMap({ try phantom.files($0) }).enumerated() {
            copies.append(folder.file("\(number).dcm"))
            try FileManager.default.copyItem(atPath: path, toPath: copies[number])
        }
        #expect(try await Tool.run("dcmodify", ["-nb", "-m", change] + copies).status == 0)
        return copies
    }

    @Test func refusesAPETInOtherUnits() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let pet = try await changed(["pt"], "(0054,1001)=CNTS", in: folder)
        await #expect(throws: StudyProblem.refused(code: "pt-units")) {
            try await run(planar: phantom.files("nm"), anatomy: phantom.files("ct") + pet)
        }
    }

    @Test func asksForARegistrationOfAnotherFrameOfReference() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let ct = try await changed(["ct"], "(0020,0052)=1.2.3", in: folder)
        await #expect(
            throws: StudyProblem.needsInput(code: "registration-missing", fields: ["frame-of-reference"])
        ) { try await run(planar: phantom.files("nm"), anatomy: ct + phantom.files("pt")) }
    }

    @Test func refusesAnEmptyPlanarImage() async throws {
        let (phantom, folder) = (try await SharedPhantom.get(), try StateFolder())
        let dataset = try Dataset(contentsOf: phantom.files("nm")[0])
        let count = try dataset.pixels().values.count
        dataset.put(.pixelData, words: [UInt16](repeating: 0, count: count))
        dataset.put(.countsAccumulated, integer: 0)
        try dataset.write(to: folder.file("nm.dcm"))
        await #expect(throws: StudyProblem.refused(code: "nm-zero-counts")) {
            try await run(planar: [folder.file("nm.dcm")], anatomy: phantom.files("ct", "pt"))
        }
    }

    @Test func everyProblemHasAdviceAndTravels() throws {
        let problems: [StudyProblem] = [
            .needsInput(code: "view-missing", fields: ["nm.anterior"]), .needsInput(code: "x", fields: []),
            .refused(code: "pt-units"), .failed(code: "fit-singular"),
        ]
        for problem in problems {
            #expect(problem.advice.hasPrefix(problem.code))
            let json = try JSONEncoder().encode(problem)
            #expect(try JSONDecoder().decode(StudyProblem.self, from: json) == problem)
        }
        #expect(problems[0].advice.contains("nm.anterior"))
    }
}

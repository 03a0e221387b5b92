import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

/// Every code of a study's problem has a sentence.
@Suite struct ProblemSentenceTests {
    /// The codes that the sources name where they make a problem.
    private static let codes: [String] = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let sources = root.appendingPathComponent("Sources/DoseService")
        var found: Set<String> = []
        let pattern = /\.(?:needsInput|refused|failed)\(\s*code: "([a-z-]+)"/
        for case let file as URL in FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
            ?? FileManager.DirectoryEnumerator()
        where file.pathExtension == "swift" {
            // A file that cannot be read has no codes, and the count below is too small.
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            found.formUnion(text.matches(of: pattern).map { String($0.output.1) })
        }
        return found.sorted()
    }()

    @Test func everyCodeIsASentence() {
        #expect(Self.codes.count > 30)
        for code in Self.codes { #expect(StudyProblem.sentence(code) != nil, "\(code)") }
    }

    /// What files lack, with the role before it.
    @Test(arguments: MissingInput.allCases) func everyMissingInputIsASentence(missing: MissingInput) {
        #expect(StudyProblem.sentence(missing.rawValue) != nil)
        #expect(StudyProblem.sentence("nm-\(missing.rawValue)")?.hasPrefix("planar NM image: ") == true)
    }

    @Test(arguments: [
        (StudyProblem.refused(code: "pt-units"), "pt-units: PET: the unit of the values is not Bq/mL"),
        (.needsInput(code: "pt-missing", fields: ["pt"]), "pt-missing: there is no PET; name"),
        (.refused(code: "ct-slices-missing"), "ct-slices-missing: CT: slices are missing"),
        (.failed(code: "what-nobody-knows"), "what-nobody-knows: the work failed"),
    ])
    func adviceIsCodeAndSentence(problem: StudyProblem, beginning: String) {
        #expect(problem.advice.hasPrefix(beginning), "\(problem.advice)")
    }
}

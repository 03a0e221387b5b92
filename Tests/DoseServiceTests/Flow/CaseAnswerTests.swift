import DICOM
import DoseService
import Testing

/// Which answers fit which questions.
@Suite struct CaseAnswerTests {
    static let good: [(String, JSONValue)] = [
        ("nm.view-unknown", .list([.text("anterior"), .text("posterior")])),
        ("nm.radionuclide-unknown", .text("177Lu")),
        ("nm.pixel-spacing-unknown", .list([.number(4.8), .number(4.8)])),
        ("nm.energy-window-unknown", .list([.list([.number(187), .number(229)])])),
        ("nm.energy-window-unknown", .list([.list([.number(229), .number(187)])])),
        ("nm.scan-velocity-unknown", .number(2)), ("nm.acquisition-time-unknown", .text("20240131101530")),
        ("identity.confirmed", .bool(true)), ("series.whole", .bool(false)),
    ]

    @Test(arguments: good.indices) func whatFitsIsTaken(index: Int) {
        #expect(throws: Never.self) { try CaseAnswers.check(Self.good[index].0, Self.good[index].1) }
    }

    static let bad: [(String, JSONValue, CaseAnswers.Refusal)] = [
        ("nm.colour", .number(1), .unknownField("nm.colour")),
        ("views", .list([.text("anterior")]), .unknownField("views")),
        ("nm.view-unknown", .list([.text("left")]), .unusableValue("nm.view-unknown")),
        ("nm.view-unknown", .text("anterior"), .unusableValue("nm.view-unknown")),
        ("nm.view-unknown", .null, .unusableValue("nm.view-unknown")),
        ("nm.radionuclide-unknown", .text("131I"), .unusableValue("nm.radionuclide-unknown")),
        ("nm.pixel-spacing-unknown", .list([.number(0), .number(1)]), .unusableValue("nm.pixel-spacing-unknown")),
        ("nm.energy-window-unknown", .list([]), .unusableValue("nm.energy-window-unknown")),
        (
            "nm.energy-window-unknown", .list([.list([.number(187), .number(187)])]),
            .unusableValue("nm.energy-window-unknown")
        ),
        ("nm.frame-duration-unknown", .number(1e7), .unusableValue("nm.frame-duration-unknown")),
        ("nm.scan-velocity-unknown", .number(-1), .unusableValue("nm.scan-velocity-unknown")),
        ("identity.confirmed", .text("yes"), .unusableValue("identity.confirmed")),
    ]

    @Test(arguments: bad.indices) func whatDoesNotFitIsRefused(index: Int) {
        #expect(throws: Self.bad[index].2) { try CaseAnswers.check(Self.bad[index].0, Self.bad[index].1) }
    }

    /// Whatever the reader asks for has an answer, but what only an instance can supply.
    @Test func everyQuestionOfThePlanarReaderCanBeAnswered() {
        // A report of an administration that lacks it is left out; the planar reader never asks for it.
        let byInstance: Set<MissingInput> = [.oppositeView, .photopeak, .frameOfReference, .administration]
        for missing in MissingInput.allCases where !byInstance.contains(missing) {
            #expect(CaseAnswers.fields.contains("nm.\(missing.rawValue)"), "\(missing)")
        }
    }

    @Test func answersBecomeARule() {
        let answers = AnsweredFields([
            "nm.view-unknown": .list([.text("posterior"), .text("anterior")]), "identity.confirmed": .bool(true),
        ])
        let windows = AnsweredFields(["nm.energy-window-unknown": .list([.list([.number(229), .number(187)])])])
        var rules = PlanarReadingRules()
        windows.rule.complete(&rules)
        #expect(rules.energyWindows.map(\.lower) == [187] && rules.energyWindows.map(\.upper) == [229])
        #expect(answers.rule.views == ["posterior", "anterior"])
        #expect(answers.consents(to: "identity.confirmed") && !answers.consents(to: "series.whole"))
    }
}

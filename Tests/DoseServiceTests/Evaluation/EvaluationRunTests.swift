import DoseService
import Foundation
import Reconstruction
import Testing

@Suite struct EvaluationRunTests {
    @Test func tablesPageAndPicturesSayTheSame() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("evaluation-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let names = ["template", "stage0"]
        let run = EvaluationRun(
            suite: .narrow, caseCount: 2, seed: 1001, methods: names.compactMap(EvaluationMethod.init(name:)),
            outputFolder: folder)
        var progress: [Double] = []
        let report = try run.perform { part, _ in progress.append(part) }
        #expect(progress == progress.sorted())
        #expect(progress.last == 1)

        #expect(report.methods.map(\.name) == names)
        let (template, stage) = (report.methods[0], report.methods[1])
        #expect(template.perCase.map(\.seed) == [1001, 1002])
        let mean = template.perCase.reduce(0) { $0 + $1.map.relativeMAE } / 2
        #expect(abs(template.relativeMAE - mean) < 1e-12)
        #expect(stage.relativeMAE < template.relativeMAE)
        let paired = try #require(template.relativeMAEAgainstStage0)
        #expect(abs(paired.meanDifference - (template.relativeMAE - stage.relativeMAE)) < 1e-9)
        #expect(stage.relativeMAEAgainstStage0 == nil)
        #expect(template.coverage68 == nil)
        #expect(stage.perCase.allSatisfy { $0.organDeviationPercent["liver"] ?? 0 > 0 })

        let json = try JSONDecoder().decode(
            EvaluationReport.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/evaluation.json")))
        #expect(json.methods[1].relativeMAE == stage.relativeMAE)
        let rows = try String(contentsOfFile: "\(folder)/evaluation.csv", encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 1 + 4)
        let columns = rows[0].split(separator: ",", omittingEmptySubsequences: false).count
        for row in rows { #expect(row.split(separator: ",", omittingEmptySubsequences: false).count == columns) }
        #expect(rows[1].hasPrefix("narrow,template,1001,\(template.perCase[0].map.relativeMAE),"))

        let page = try String(contentsOfFile: "\(folder)/index.html", encoding: .utf8)
        #expect(page.contains("<td>template</td><td>\(String(format: "%.3f", template.relativeMAE))</td>"))
        let pictures = page.matches(of: /<img src="([^"]+)"/).map { String($0.1) }
        #expect(pictures.count == 4)
        for picture in pictures {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(picture)"))
            #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), "\(picture)")
        }
        #expect(report.table().contains("suite narrow, 2 cases from seed 1001"))
    }

    /// Coverage and found lesions are shares of all organs and lesions, errors the median of all organs, the rest means.
    @Test func scoresArePooled() throws {
        func score(_ seed: Int, error: Double, spleen: Double, isInside: Bool, sought: Int, found: Int) throws
            -> EvaluationCase.Score
        {
            let nine = #"{"max":\#(error),"p999":0.5,"p99":0.25}"#
            let json = """
                {"seed":\(seed),"seconds":3,"within68":{"liver":true,"spleen":\(isInside)},
                 "within95":{"liver":true,"spleen":true},"detection":{"lesions":\(sought),"found":\(found),"false":\(sought)},
                 "scores":{"relative_mae":\(error),"dice":0.5,"hausdorff95_mm":9,
                           "ssim":{"whole":\(nine),"body":\(nine),"organs":\(nine)}},
                 "organ_error_percent":{"liver":-10,"spleen":\(spleen),"bladder":99},"organ_deviation_percent":{}}
                """
            return try JSONDecoder().decode(EvaluationCase.Score.self, from: Data(json.utf8))
        }
        let first = try score(1, error: 0.2, spleen: 4, isInside: false, sought: 4, found: 1)
        let second = try score(2, error: 0.4, spleen: -6, isInside: true, sought: 1, found: 1)
        let better = try [0.1, 0.2].enumerated().map {
            try score($0.offset + 1, error: $0.element, spleen: 0, isInside: true, sought: 0, found: 0)
        }
        let report = EvaluationReport(
            suite: .hard, seed: 1, withContours: true, spacing: 4.8,
            scores: [("stage0", [first, second]), ("unet", better)])
        let (stage, network) = (report.methods[0], report.methods[1])
        #expect(abs(stage.relativeMAE - 0.3) < 1e-12 && abs(stage.similarity.organs.max - 0.3) < 1e-12)
        #expect(stage.organErrorMedianPercent == 8 && stage.organErrorPercent["spleen"] == 5)
        #expect(stage.coverage68 == 0.75 && stage.coverage95 == 1)
        #expect(stage.unseenFound == 0.4 && stage.falseSpots == 2.5 && network.unseenFound == nil)
        #expect(abs(try #require(network.relativeMAEAgainstStage0).meanDifference + 0.15) < 1e-12)
    }
}

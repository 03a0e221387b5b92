import DoseService
import Foundation
import Reconstruction
import Testing

@Suite(.serialized) struct EvaluationRunTests {
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
        #expect(template.falseSpots >= 0 && template.perCase.allSatisfy { $0.detection.found <= $0.detection.lesions })
        #expect(try #require(stage.coverage95) >= #require(stage.coverage68))

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
}

import Foundation
import TestSupport
import Testing

/// A short run of the fuzzer; the long one is `benchmark fuzz-scanner`.
@Suite struct ScannerFuzzTests {
    @Test func badObjectsAreRefusedAndNothingFallsOver() async throws {
        let program = URL(fileURLWithPath: Scintivol.program).deletingLastPathComponent()
            .appendingPathComponent("benchmark").path
        let run = try await ProgramRun(program, ["fuzz-scanner", "--inputs", "100000", "--seed", "7", "--json"])
        try #require(run.status == 0, "\(run.errors)")
        struct Answer: Decodable {
            struct Figure: Decodable {
                let label: String
                let value: Double
            }
            let figures: [Figure]
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(run.output.utf8))
        let values = Dictionary(uniqueKeysWithValues: answer.figures.map { ($0.label, $0.value) })
        #expect((values["refused"] ?? 0) + (values["accepted"] ?? 0) == 100_000)
        // Mutations that say nothing, such as those of pixels, leave an object good.
        #expect((values["refused"] ?? 0) > 10_000 && (values["parsed"] ?? 0) > 10)
    }
}

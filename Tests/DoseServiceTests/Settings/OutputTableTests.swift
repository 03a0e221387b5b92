import DICOM
import DoseService
import Foundation
import Testing

/// The conformance statement's table of what is sent is that of the program.
@Suite struct OutputTableTests {
    private func table(_ name: String) throws -> [[String]] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../docs/conformance-statement.md").standardized
        let text = try String(contentsOf: path, encoding: .utf8)
        let end = try #require(text.range(of: "\n[\(name)]"))
        let lines = text[..<end.lowerBound].split(separator: "\n", omittingEmptySubsequences: false).reversed()
        let rows = lines.drop { $0.isEmpty }.prefix { $0.hasPrefix("|") }.reversed().dropFirst(2)
        return rows.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    @Test func namesEveryOutputInItsOrder() throws {
        let rows = try table("outputs")
        #expect(rows.map { $0[0] } == ResultObjects.Output.allCases.map(\.rawValue))
        // A destination may ask for each of them, and for nothing else.
        for row in rows + [["film"]] {
            let json = #"{"peers":[{"title":"A","host":"a","port":104,"receives":["\#(row[0])"]}]}"#
            #expect(SiteConfiguration(json: Data(json.utf8)).problems.isEmpty == (row[0] != "film"))
        }
    }

    @Test func namesTheStatusesOfReports() throws {
        let codes = try table("report-statuses").map { $0[0] }
        let digits = String(StoreStatus.unknownTransaction.code, radix: 16)
        #expect(codes == ["0000", "0110", String(repeating: "0", count: 4 - digits.count) + digits])
    }
}

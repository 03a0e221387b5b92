import DICOM
import DoseService
import Foundation
import Testing

/// The conformance statement's tables of what is made and sent are those of the program.
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

    @Test func namesTheLimitsOfWhatBelongsTogether() throws {
        let limits = [PlanarReader.pairingSecondsLimit, AdministrationReport.ageLimitSeconds / 86_400]
        #expect(try table("limits").map { Double($0[1]) } == limits)
    }

    @Test func namesTheFiguresOfExports() throws {
        let peer = try StoragePeer(host: "localhost", port: 104, calledTitle: "A", callingTitle: "B")
        let reportWait = StorageCommitment(peer: peer).reportWait
        let figures = [
            ExportOutbox.firstWaitSeconds, Double(ExportOutbox.attemptLimit), Double(ExportConfirmation.checkLimit),
            Double(ExportCommitment.batchLimit), Double(reportWait.components.seconds),
            ExportCommitment.firstWaitSeconds, ExportCommitment.waitLimitSeconds,
        ]
        #expect(try table("exports").map { Double($0[1]) } == figures)
    }

    /// Every status that the service may answer a C-STORE with, and no other.
    @Test func namesTheStatusesOfStorage() throws {
        let known: [StoreStatus] = [
            .success, .outOfResources(comment: ""), .dataSetMismatch(comment: ""), .cannotUnderstand(comment: ""),
            FailurePolicy.duplicateStatus, .invalidObjectInstance, .sopClassNotSupported,
        ]
        #expect(try table("store-statuses").map { UInt16($0[0], radix: 16) } == known.map(\.code))
    }

    @Test func namesTheStatusesOfReports() throws {
        let codes = try table("report-statuses").map { $0[0] }
        let digits = String(StoreStatus.unknownTransaction.code, radix: 16)
        #expect(codes == ["0000", "0110", String(repeating: "0", count: 4 - digits.count) + digits])
    }
}

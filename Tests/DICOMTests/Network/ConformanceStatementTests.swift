import DICOM
import Foundation
import TestSupport
import Testing

/// The conformance statement's tables are those of the code.
@Suite struct ConformanceStatementTests {
    private let text: String

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        text = try String(
            contentsOf: folder.appendingPathComponent("../../../docs/conformance-statement.md").standardized,
            encoding: .utf8)
    }

    /// The rows of the table that ends with a name in brackets, without its head.
    private func table(_ name: String) throws -> [[String]] {
        let end = try #require(text.range(of: "\n[\(name)]"))
        let lines = text[..<end.lowerBound].split(separator: "\n", omittingEmptySubsequences: false).reversed()
        let rows = lines.drop { $0.isEmpty }.prefix { $0.hasPrefix("|") }.reversed()
        let cells = rows.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        try #require(cells.count > 2)
        return Array(cells.dropFirst(2))
    }

    @Test func namesTheServicesThatTheCodeOffers() throws {
        let rows = try table("services")
        let provided = Set(rows.filter { $0[3] == "yes" }.map { $0[1] })
        let classes = PresentationContextPolicy.defaultStorageClasses.union([.verification])
        #expect(provided == Set(classes.map(\.description)))
        let used: [UID] = [
            .verification, .rtDose, .rtPlan, .rtStructureSet, .petImage, .segmentation, .studyRootFind, .studyRootMove,
            .studyRootGet, .storageCommitment,
        ]
        let documents: [SOPClass] = [.enhancedStructuredReport, .encapsulatedPDF]
        #expect(
            Set(rows.filter { $0[2] == "yes" }.map { $0[1] })
                == Set(used.map(\.description) + documents.map(\.rawValue)))
    }

    @Test func namesTheTransferSyntaxesInTheirOrder() throws {
        let policy = PresentationContextPolicy()
        let ours = (policy.transferSyntaxes + policy.compressedSyntaxes).map(\.description)
        #expect(try table("syntaxes").map { $0[1] } == ours)
    }

    @Test func namesTheLimitsOfAssociations() throws {
        let values = Dictionary(uniqueKeysWithValues: try table("association").map { ($0[0], $0[1]) })
        let configuration = ListenerConfiguration()
        #expect(values["Longest P-DATA-TF received"] == "\(configuration.pduLengthLimit)")
        #expect(values["Associations at a time"] == "\(configuration.associationLimit)")
        #expect(values["Associations at a time, of one address"] == "\(configuration.associationsPerPeerLimit)")
        #expect(values["Connections at a time"] == "\(configuration.connectionLimit)")
        #expect(values["Connections at a time, of one address"] == "\(configuration.connectionsPerPeerLimit)")
    }

    @Test func namesTheTimers() throws {
        let configuration = ListenerConfiguration()
        let peer = try StoragePeer(host: "localhost", port: 104, calledTitle: "A", callingTitle: "B")
        let timers = [
            configuration.requestDeadline, configuration.idleDeadline, configuration.pduDeadline,
            configuration.writeDeadline, configuration.objectDeadline, configuration.closeDeadline,
            peer.connectDeadline, peer.responseDeadline,
        ]
        #expect(try table("timers").map { $0[1] } == timers.map { "\($0.components.seconds)" })
    }

    /// What the program says of itself in an A-ASSOCIATE-AC is what the statement says.
    @Test func namesTheImplementation() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        let answer = String(decoding: try #require(client.readPDU()), as: UTF8.self)
        let values = Dictionary(uniqueKeysWithValues: try table("association").map { ($0[0], $0[1]) })
        for name in ["Application context", "Implementation class UID", "Implementation version name"] {
            #expect(answer.contains(try #require(values[name])))
        }
    }
}

import DICOM
import Foundation
import TestSupport
import Testing

/// Queries and retrievals against DCMTK's archive.
@Suite struct ArchiveQueryTests {
    /// A running dcmqrscp that knows one application besides itself.
    private final class Archive {
        let folder: ScratchFolder
        let peer: StoragePeer
        private let tool: RunningTool

        init(knowing title: String, at port: UInt16) throws {
            folder = try ScratchFolder()
            try FileManager.default.createDirectory(atPath: folder.path + "/db", withIntermediateDirectories: true)
            let own = try freePort()
            let configuration = """
                NetworkTCPPort = \(own)
                MaxPDUSize = 16384
                MaxAssociations = 16
                HostTable BEGIN
                ours = (\(title), 127.0.0.1, \(port))
                HostTable END
                VendorTable BEGIN
                VendorTable END
                AETable BEGIN
                ARCHIVE \(folder.path)/db RW (200, 1024mb) ANY
                AETable END

                """
            let file = try folder.write(Array(configuration.utf8), as: "archive.cfg")
            tool = try RunningTool("dcmqrscp", ["-c", file])
            let made = try StoragePeer(
                host: "127.0.0.1", port: own, calledTitle: "ARCHIVE", callingTitle: "SCINTIVOL")
            peer = made
            _ = eventually { (try? StorageSender(peer: made).echo()) != nil }
        }

        deinit { tool.stop() }

        func store(_ objects: [SyntheticObject]) throws {
            let paths = try objects.enumerated().map { try folder.write($1.bytes, as: "\($0).dcm") }
            let outcomes = try StorageSender(peer: peer).send(paths)
            #expect(outcomes == paths.map { _ in .answered(StoreResponse(status: 0)) })
        }
    }

    private func objects(_ count: Int) -> [SyntheticObject] {
        (1...count).map { number in
            var object = SyntheticObject()
            object.sopInstance = "1.2.3.5.\(number)"
            return object
        }
    }

    @Test func saysWhatSeriesAStudyHasAndHowManyInstances() throws {
        let archive = try Archive(knowing: "SCINTIVOL", at: 1)
        try archive.store(objects(7))
        var question = QueryIdentifier()
        question.set(.patientID, bytes: Array("PAT-7".utf8))
        question.set(.studyInstance)
        let studies = try ArchiveQuery(peer: archive.peer).find(.study, question)
        #expect(studies.map { $0[.studyInstance] } == ["1.2.3.4"])

        question = QueryIdentifier()
        question[.studyInstance] = "1.2.3.4"
        for key in [ElementNumber.seriesInstance, .modality, .seriesInstanceCount] { question.set(key) }
        let series = try ArchiveQuery(peer: archive.peer).find(.series, question)
        #expect(series.count == 1 && series[0][.seriesInstance] == "1.2.3.5" && series[0][.modality] == "NM")

        question[.seriesInstance] = "1.2.3.5"
        question.set(.sopInstance)
        let images = try ArchiveQuery(peer: archive.peer).find(.image, question)
        #expect(Set(images.compactMap { $0[.sopInstance] }) == Set(objects(7).map(\.sopInstance)))
        var limited = ArchiveQuery(peer: archive.peer)
        limited.answerLimit = 6
        #expect(throws: NetworkError.tooManyAnswers) { try limited.find(.image, question) }
        question[.sopInstance] = "1.2.3.5.99"
        #expect(try ArchiveQuery(peer: archive.peer).find(.image, question).isEmpty)
    }

    @Test func hasASeriesSentToUs() throws {
        let fixture = try ListenerFixture()
        let archive = try Archive(knowing: "SCINTIVOL", at: fixture.port)
        try archive.store(objects(5))
        var selection = QueryIdentifier()
        selection[.studyInstance] = "1.2.3.4"
        selection[.seriesInstance] = "1.2.3.5"
        let outcome = try ArchiveQuery(peer: archive.peer).move(.series, selection, to: "SCINTIVOL")
        #expect(outcome.sent == 5 && outcome.failed == 0)
        #expect(
            Set(fixture.handler.seen.files.map(\.object.sopInstance.description)) == Set(objects(5).map(\.sopInstance)))
        #expect(fixture.handler.seen.requests.first?.callingTitle == "ARCHIVE")
    }

    /// On our own association, by an archive that does not know where we are.
    @Test func getsASeriesWithoutBeingKnown() throws {
        let archive = try Archive(knowing: "SOMEBODY", at: 1)
        let given = objects(5)
        try archive.store(given)
        var selection = QueryIdentifier()
        selection[.studyInstance] = "1.2.3.4"
        selection[.seriesInstance] = "1.2.3.5"
        let handler = RecordingHandler(folder: try ScratchFolder())
        let outcome = try ArchiveQuery(peer: archive.peer).get(.series, selection, into: handler, number: -1)
        #expect(outcome.sent == 5 && outcome.failed == 0)
        #expect(Set(handler.seen.files.map(\.object.sopInstance.description)) == Set(given.map(\.sopInstance)))
        for file in handler.seen.files {
            let object = try #require(given.first { $0.sopInstance == file.object.sopInstance.description })
            #expect(Array(try fileBytes(file.path).suffix(object.usualDataset.count)) == object.usualDataset)
            #expect(file.object.associationNumber == -1 && file.object.callingTitle == "ARCHIVE")
        }
        #expect(handler.seen.ended.map(\.storedCount) == [5] && handler.seen.ended.map(\.reason) == [.released])

        selection[.seriesInstance] = "1.2.3.99"
        let nothing = try ArchiveQuery(peer: archive.peer).get(.series, selection, into: handler, number: -2)
        #expect(nothing.sent == 0 && nothing.failed == 0)
    }

    /// What is not kept here is not counted as fetched.
    @Test func whatIsRefusedHereIsNotFetched() throws {
        let archive = try Archive(knowing: "SOMEBODY", at: 1)
        try archive.store(objects(2))
        var selection = QueryIdentifier()
        selection[.studyInstance] = "1.2.3.4"
        let full = RecordingHandler(folder: try ScratchFolder(), status: .outOfResources(comment: "full"))
        // A702: none of the sub-operations could be performed.
        #expect(throws: NetworkError.refused(status: 0xA702)) {
            try ArchiveQuery(peer: archive.peer).get(.study, selection, into: full, number: -1)
        }
        #expect(full.seen.ended.map(\.refusedCount) == [2])
        #expect(full.folder.names.isEmpty)
    }

    @Test func anUnknownDestinationIsRefused() throws {
        let archive = try Archive(knowing: "SCINTIVOL", at: 1)
        try archive.store(objects(1))
        var selection = QueryIdentifier()
        selection[.studyInstance] = "1.2.3.4"
        #expect(throws: NetworkError.refused(status: 0xA801)) {
            try ArchiveQuery(peer: archive.peer).move(.study, selection, to: "NOBODY")
        }
    }

    @Test func whoOnlyStoresIsNotAsked() throws {
        let fixture = try ListenerFixture()
        let peer = try StoragePeer(
            host: "127.0.0.1", port: fixture.port, calledTitle: "ANY", callingTitle: "SCINTIVOL")
        #expect(throws: NetworkError.noAcceptedContext) {
            try ArchiveQuery(peer: peer).find(.study, QueryIdentifier())
        }
        let handler = RecordingHandler(folder: try ScratchFolder())
        #expect(throws: NetworkError.noAcceptedContext) {
            try ArchiveQuery(peer: peer).get(.study, QueryIdentifier(), into: handler, number: -1)
        }
    }
}

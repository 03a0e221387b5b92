import DICOM
import Testing

@Suite struct StorageListenerTests {
    @Test func answersEcho() throws {
        let fixture = try ListenerFixture()
        #expect(try fixture.echo().status == 0)
        #expect(eventually { fixture.handler.seen.ended.count == 1 })
        #expect(fixture.handler.seen.ended.first?.reason == .released)
        #expect(fixture.listener.counters.echoes == 1)
        #expect(eventually { fixture.listener.counters.openConnections == 0 })
    }

    @Test(arguments: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
    func keepsTheDatasetBitForBit(transferSyntax: String) throws {
        let fixture = try ListenerFixture()
        let sources = try TemporaryFolder()
        var object = SyntheticObject()
        object.transferSyntax = transferSyntax
        let source = try sources.write(object.bytes, as: "object.dcm")
        let run = try fixture.store([source], transferSyntax == "1.2.840.10008.1.2" ? ["-xi"] : ["-xe"])
        #expect(run.status == 0, "\(run.output)")

        let file = try #require(fixture.handler.seen.files.first)
        #expect(file.object.transferSyntax.description == transferSyntax)
        #expect(file.object.sopInstance.description == object.sopInstance)
        #expect(file.object.callingTitle == "STORESCU")
        #expect(file.object.calledTitle == "ANY-SCP")
        #expect(file.object.peerAddress == "127.0.0.1")
        let stored = try fileBytes(file.path)
        #expect(stored.count == file.byteCount)
        #expect(Array(stored.suffix(object.usualDataset.count)) == object.usualDataset)
        #expect(try CommandLineTool("dcmdump", [file.path]).status == 0)
        #expect(fixture.listener.counters.receivedBytes == object.usualDataset.count)
    }
}

import DICOM
import TestSupport
import Testing

/// Which compressed transfer syntaxes are taken, and that they give the pixels back.
@Suite struct CompressedSyntaxTests {
    /// A program that compresses, and what comes out of it.
    static let taken: [(tool: [String], syntax: UID)] = [
        (["dcmcrle"], .rleLossless), (["dcmcjpeg", "+el"], .jpegLossless),
        (["dcmcjpeg", "+e1"], .jpegLosslessFirstOrder), (["dcmcjpls", "+el"], .jpegLSLossless),
    ]

    private func object() -> SyntheticObject {
        var object = SyntheticObject()
        (object.rows, object.columns, object.frames) = (32, 32, "3")
        let writer = ElementWriter(isImplicit: false)
        object.extra = [
            writer.element(0x0028, 0x0101, "US", little(UInt16(16))),
            writer.element(0x0028, 0x0102, "US", little(UInt16(15))),
            writer.element(0x0028, 0x0103, "US", little(UInt16(0))),
        ]
        // The photometric interpretation stands before the rows.
        object.photometric = "MONOCHROME2"
        return object
    }

    @Test(arguments: taken.indices) func whatIsCompressedWithoutLossGivesItsPixelsBack(index: Int) throws {
        let (tool, syntax) = Self.taken[index]
        let folder = try ScratchFolder()
        let original = try folder.write(object().bytes, as: "original.dcm")
        let compressed = folder.path + "/compressed.dcm"
        let run = try CommandLineTool(tool[0], Array(tool.dropFirst()) + [original, compressed])
        #expect(run.status == 0, "\(run.output)")
        let fixture = try ListenerFixture()
        // Nothing else is proposed, so that nothing else can be chosen.
        let arguments = ["-v", "-dn", "127.0.0.1", String(fixture.port), compressed]
        let sent = try CommandLineTool("dcmsend", arguments)
        #expect(sent.status == 0, "\(sent.output)")
        let file = try #require(fixture.handler.seen.files.first)
        #expect(try ObjectScanner().scan(path: compressed).transferSyntax == syntax)
        #expect(file.object.transferSyntax == syntax)
        #expect(throws: Never.self) { try ObjectScanner().scan(file) }
        let pixels = try Dataset(contentsOf: file.path).pixels().values
        #expect(try pixels == Dataset(contentsOf: original).pixels().values)
    }

    /// JPEG 2000, lossy JPEG and JPEG-LS, deflate and big endian.
    @Test(arguments: [
        "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    ])
    func whatIsNotDecodedHereIsRefusedAtNegotiation(syntax: String) throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest(contexts: [PDU.context(1, PDU.nuclearMedicine, [syntax])]))
        let answer = try #require(client.readPDU())
        let transferSyntaxesNotSupported: [UInt8] = [1, 0, 4, 0]
        #expect(answer.first == 0x02)
        #expect(answer.indices.contains { answer[$0...].starts(with: transferSyntaxesNotSupported) })
    }

    @Test func whatIsPlainComesBeforeWhatIsCompressed() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        let proposed = ["1.2.840.10008.1.2.4.70", PDU.implicit, "1.2.840.10008.1.2.1"]
        client.write(PDU.associationRequest(contexts: [PDU.context(1, PDU.nuclearMedicine, proposed)]))
        let answer = try #require(client.readPDU())
        #expect(String(decoding: answer, as: UTF8.self).contains("1.2.840.10008.1.2.1"))
    }

    @Test func structuresAreNotTakenCompressed() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        let structures = "1.2.840.10008.5.1.4.1.1.481.3"
        client.write(PDU.associationRequest(contexts: [PDU.context(1, structures, ["1.2.840.10008.1.2.5"])]))
        let answer = try #require(client.readPDU())
        #expect(answer.indices.contains { answer[$0...].starts(with: [1, 0, 4, 0]) })
    }
}

import DICOM
import TestSupport
import Testing

/// Peers that are slow, broken or malicious (PS3.8 section 9.3), over raw sockets.
@Suite struct HostilePeerTests {
    private static let accept: UInt8 = 0x02
    private static let reject: UInt8 = 0x03
    private static let abort: UInt8 = 0x07

    @Test func idleConnectionsDelayNobody() throws {
        let fixture = try ListenerFixture { $0.requestDeadline = .seconds(120) }
        let idle = try (0..<50).map { _ in try #require(PeerSocket(port: fixture.port)) }
        #expect(eventually { fixture.listener.counters.openConnections == 50 })
        // The request deadline of the fifty is two minutes; an echo that waited for one of them would time out first.
        #expect(try fixture.echo().status == 0)
        withExtendedLifetime(idle) {}
    }

    @Test func idleConnectionsEndAtTheirDeadline() throws {
        let fixture = try ListenerFixture { $0.requestDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port, secondsLimit: 10))
        #expect(client.readToEnd() == [])
        #expect(eventually { fixture.listener.counters.refusedConnections == 1 })
    }

    @Test func halfRequestEndsAtItsDeadline() throws {
        let fixture = try ListenerFixture { $0.requestDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port, secondsLimit: 10))
        client.write(Array(PDU.associationRequest().prefix(40)))
        #expect(client.readToEnd() == [])
    }

    static let notRequests: [[UInt8]] = [
        Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
        PDU.head(0x01, 0),
        PDU.head(0x01, 0xFFFF_FFFF),
        PDU.head(0x01, 67) + [UInt8](repeating: 0, count: 67),
        PDU.data(1, isCommand: true, isLast: true, PDU.echoRequest),
        PDU.releaseRequest,
        PDU.abort,
        PDU.head(0x02, 68) + [UInt8](repeating: 0, count: 68),
        PDU.head(0xFF, 4) + [0, 0, 0, 0],
    ]

    @Test(arguments: notRequests) func whatIsNotARequestIsAborted(bytes: [UInt8]) throws {
        let fixture = try ListenerFixture { $0.closeDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(bytes)
        #expect(client.readToEnd()?.first == Self.abort)
        #expect(fixture.handler.seen.requests.isEmpty)
        #expect(try fixture.echo().status == 0)
    }

    static let malformedRequests: [[UInt8]] = [
        PDU.associationRequest(contexts: []),
        PDU.associationRequest(user: []),
        PDU.associationRequest(
            contexts: (0..<129).map { PDU.context(UInt8(2 * ($0 % 128) + 1), PDU.verification, [PDU.implicit]) }),
        PDU.associationRequest(contexts: [PDU.context(2, PDU.verification, [PDU.implicit])]),
        PDU.associationRequest(contexts: [PDU.context(1, PDU.verification, [])]),
        PDU.associationRequest(contexts: [PDU.context(1, "../../etc", [PDU.implicit])]),
        PDU.associationRequest(contexts: [PDU.context(1, String(repeating: "1", count: 65), [PDU.implicit])]),
        PDU.associationRequest(contexts: [[0x20, 0, 0xFF, 0xFF, 1, 0, 0, 0]]),
        PDU.associationRequest(
            contexts: [
                PDU.context(1, PDU.verification, [PDU.implicit]), PDU.context(1, PDU.nuclearMedicine, [PDU.implicit]),
            ]),
        PDU.associationRequest(user: [0x50, 0, 0, 8, 0x51, 0, 0xFF, 0xFF, 0, 0, 0, 0]),
        PDU.associationRequest(user: PDU.userInformation + [0x99]),
    ]

    @Test(arguments: malformedRequests) func malformedRequestsAreAborted(request: [UInt8]) throws {
        let fixture = try ListenerFixture { $0.closeDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(request)
        #expect(client.readToEnd()?.first == Self.abort)
        #expect(fixture.handler.seen.requests.isEmpty)
        #expect(fixture.listener.counters.refusedConnections == 1)
    }

    @Test func a128ContextsAreNotTooMany() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(
            PDU.associationRequest(
                contexts: (0..<128).map { PDU.context(UInt8(2 * $0 + 1), PDU.verification, [PDU.implicit]) }))
        #expect(client.readPDU()?.first == Self.accept)
    }

    @Test(arguments: ["RA\u{1}W", "RAW\n", "RA\\W", ""]) func unprintableTitlesAreRejected(title: String) throws {
        let fixture = try ListenerFixture { $0.closeDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest(calling: PDU.title(title)))
        #expect(client.readToEnd() == [Self.reject, 0, 0, 0, 0, 4, 0, 1, 1, 3])
    }

    static let brokenMessages: [[UInt8]] = [
        PDU.head(0x04, 0),
        PDU.head(0x04, 5) + [0, 0, 0, 1, 1],
        PDU.head(0x04, 0x7FFF_FFFF),
        PDU.head(0x04, 10) + [0xFF, 0xFF, 0xFF, 0xFF, 1, 3, 0, 0, 0, 0],
        PDU.head(0x05, 0xFFFF),
        PDU.associationRequest(),
        PDU.data(3, isCommand: false, isLast: true, [0, 0]),
        PDU.data(99, isCommand: true, isLast: true, PDU.echoRequest),
        PDU.data(1, isCommand: true, isLast: true, [UInt8](repeating: 0xFF, count: 40)),
        PDU.data(1, isCommand: true, isLast: false, [UInt8](repeating: 0, count: 16_000)),
        // Sequences inside sequences in a command set, which DCMTK's reader would follow.
        PDU.data(
            1, isCommand: true, isLast: true,
            [UInt8](repeatElement([0, 0, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF] + Item.undefined, count: 200).joined())),
    ]

    @Test(arguments: brokenMessages) func brokenMessagesEndTheAssociation(message: [UInt8]) throws {
        let fixture = try ListenerFixture { $0.closeDeadline = .milliseconds(50) }
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == Self.accept)
        client.write(message)
        _ = client.readToEnd()
        #expect(eventually { fixture.handler.seen.ended.first?.reason == .protocolViolation })
        #expect(try fixture.echo().status == 0)
    }

    @Test func slowMessagesEndAtTheirDeadline() throws {
        let fixture = try ListenerFixture {
            $0.pduDeadline = .milliseconds(50)
            $0.closeDeadline = .milliseconds(50)
        }
        let client = try #require(PeerSocket(port: fixture.port, secondsLimit: 10))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == Self.accept)
        client.write(Array(PDU.data(1, isCommand: true, isLast: true, PDU.echoRequest).prefix(20)))
        #expect(client.readToEnd()?.first == Self.abort)
        #expect(eventually { fixture.handler.seen.ended.first?.reason == .deadlinePassed })
    }

    enum Interruption: CaseIterable {
        case abort, release, close, silence, command
    }

    @Test(arguments: Interruption.allCases) func interruptedObjectsLeaveNoFile(interruption: Interruption) throws {
        let fixture = try ListenerFixture {
            // Within it the object begins and its file is seen.
            $0.idleDeadline = .seconds(interruption == .silence ? 2 : 40)
            $0.closeDeadline = .milliseconds(50)
        }
        var client = PeerSocket(port: fixture.port)
        client?.write(PDU.associationRequest())
        #expect(client?.readPDU()?.first == Self.accept)
        client?.write(PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopInstance: "1.2.3")))
        client?.write(PDU.data(3, isCommand: false, isLast: false, [UInt8](repeating: 7, count: 5_000)))
        #expect(eventually { fixture.folder.names == ["1.part"] })
        switch interruption {
        case .abort: client?.write(PDU.abort)
        case .release: client?.write(PDU.releaseRequest)
        case .command: client?.write(PDU.data(3, isCommand: true, isLast: true, PDU.echoRequest))
        case .close: client = nil
        case .silence: break
        }
        #expect(eventually { fixture.handler.seen.ended.count == 1 })
        let expected: [Interruption: AssociationEnd] = [
            .abort: .aborted, .release: .protocolViolation, .close: .connectionClosed, .silence: .deadlinePassed,
            .command: .protocolViolation,
        ]
        #expect(fixture.handler.seen.ended.first?.reason == expected[interruption])
        #expect(fixture.folder.names.isEmpty)
        #expect(fixture.listener.counters.interruptedObjects == 1)
        #expect(fixture.handler.seen.files.isEmpty)
    }

    @Test(arguments: ["../../../tmp/x", "/etc/passwd", "1.2.03", "1..2", "", String(repeating: "1.", count: 33) + "1"])
    func whatIsNoInstanceUIDIsRefused(uid: String) throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == Self.accept)
        client.write(PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopInstance: uid)))
        client.write(PDU.data(3, isCommand: false, isLast: true, [0, 0]))
        let invalidObjectInstance: [UInt8] = [0x00, 0x00, 0x00, 0x09, 2, 0, 0, 0, 0x17, 0x01]
        let answer = try #require(client.readPDU())
        #expect(answer.indices.contains { answer[$0...].starts(with: invalidObjectInstance) })
        #expect(fixture.handler.seen.announced.isEmpty)
        #expect(fixture.folder.names.isEmpty)
    }

    @Test func endlessObjectsAreCutOff() throws {
        let fixture = try ListenerFixture {
            $0.objectByteLimit = 50_000
            $0.closeDeadline = .milliseconds(50)
        }
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == Self.accept)
        client.write(PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopInstance: "1.2.3")))
        for _ in 0..<10 {
            client.write(PDU.data(3, isCommand: false, isLast: false, [UInt8](repeating: 7, count: 10_000)))
        }
        _ = client.readToEnd()
        #expect(eventually { fixture.handler.seen.ended.first?.reason == .protocolViolation })
        #expect(fixture.folder.names.isEmpty)
    }
}

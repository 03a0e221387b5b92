import DICOM
import Foundation
import TestSupport
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
        let sources = try ScratchFolder()
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
        #expect(throws: Never.self) { try ObjectScanner().scan(file) }
    }

    /// Around the ends of blocks, of the buffer that gathers them and of what the scanner is given; one after the other
    /// through the same buffer, on a disk and in memory.
    @Test(arguments: [NSTemporaryDirectory(), "/dev/shm"])
    func filesOfAllLengthsAreWhole(root: String) throws {
        let fixture = try ListenerFixture(in: try ScratchFolder(in: root))
        let sources = try ScratchFolder()
        #expect(try fixture.store([try sources.write(SyntheticObject().bytes, as: "plain.dcm")]).status == 0)
        let plain = try #require(fixture.handler.seen.files.first).byteCount
        let lengths = [
            65_534, 65_536, 65_538, 69_632, 69_634, 1 << 20 - 2, 1 << 20, 1 << 20 + 2, 1 << 20 + 4096, 2_600_002, 4_096,
        ]
        var objects: [SyntheticObject] = []
        for (number, length) in lengths.enumerated() {
            var object = SyntheticObject()
            object.sopInstance = "1.2.826.0.1.3680043.2.1.\(number % 10)"
            let value = (0..<length - plain - 12).map { UInt8(truncatingIfNeeded: $0 &* 7 + $0 >> 8 + number) }
            object.extra = [ElementWriter(isImplicit: false).element(0x0029, 0x1000, "OB", value)]
            objects.append(object)
        }
        let paths = try objects.enumerated().map { try sources.write($1.bytes, as: "\($0).dcm") }
        let run = try fixture.store(paths, ["-xe"])
        #expect(run.status == 0, "\(run.output)")
        let files = fixture.handler.seen.files.dropFirst()
        #expect(files.map(\.byteCount) == lengths)
        for (file, object) in zip(files, objects) {
            let stored = try fileBytes(file.path)
            #expect(stored.count == file.byteCount)
            #expect(stored.suffix(object.usualDataset.count).elementsEqual(object.usualDataset))
            #expect(try ObjectScanner().scan(file) == ObjectScanner().scan(bytes: stored))
        }
    }

    @Test func prefersExplicitLittleEndianAndRefusesWhatIsNotListed() throws {
        let fixture = try ListenerFixture()
        let sources = try ScratchFolder()
        let source = try sources.write(SyntheticObject().bytes, as: "object.dcm")
        // storescu proposes explicit little endian, explicit big endian and implicit in one context here.
        #expect(try fixture.store([source], ["-xb"]).status == 0)
        #expect(fixture.handler.seen.files.first?.object.transferSyntax == .explicitLittleEndian)

        var unknown = SyntheticObject()
        unknown.sopClass = "1.2.840.10008.5.1.4.1.1.7"
        let other = try sources.write(unknown.bytes, as: "capture.dcm")
        #expect(try fixture.store([other]).status != 0)
        #expect(fixture.handler.seen.files.count == 1)
    }

    @Test func receivesManyObjectsFromDcmsend() throws {
        let fixture = try ListenerFixture()
        let sources = try ScratchFolder()
        for number in 1...20 {
            var object = SyntheticObject()
            object.sopInstance = "1.2.3.\(number)"
            _ = try sources.write(object.bytes, as: "\(number).dcm")
        }
        let run = try CommandLineTool("dcmsend", ["-v", "127.0.0.1", String(fixture.port), "+sd", sources.path])
        #expect(run.status == 0, "\(run.output)")
        #expect(eventually { fixture.handler.seen.ended.first?.storedCount == 20 })
        #expect(Set(fixture.handler.seen.files.map(\.object.sopInstance.description)).count == 20)
    }

    static let statuses: [(StoreStatus, String)] = [
        (.outOfResources(comment: "disk"), "0xa700"), (.dataSetMismatch(comment: "class"), "0xa900"),
        (.cannotUnderstand(comment: "cut"), "0xc000"), (.refused(code: 0x0124, comment: "no"), "0x0124"),
    ]

    @Test(arguments: statuses) func handlersStatusReachesTheSender(status: StoreStatus, text: String) throws {
        let sources = try ScratchFolder()
        let source = try sources.write(SyntheticObject().bytes, as: "object.dcm")
        for isEarly in [false, true] {
            let fixture = try isEarly ? ListenerFixture(refusal: status) : ListenerFixture(status: status)
            let run = try fixture.store([source], ["-d"])
            #expect(run.output.lowercased().contains(text), "\(run.output)")
            #expect(run.output.contains(status.comment))
            #expect(fixture.folder.names.isEmpty)
            #expect(eventually { fixture.handler.seen.ended.first?.refusedCount == 1 })
            #expect(fixture.listener.counters.refusedObjects == 1)
            #expect(fixture.listener.counters.storeResponses == [status.code: 1])
        }
    }

    @Test func existingFilesAreNeitherOverwrittenNorDeleted() throws {
        let fixture = try ListenerFixture()
        let sources = try ScratchFolder()
        let source = try sources.write(SyntheticObject().bytes, as: "object.dcm")
        _ = try fixture.folder.write([1, 2, 3], as: "1.part")
        let run = try fixture.store([source], ["-d"])
        #expect(run.output.lowercased().contains("0xa700"))
        #expect(try fileBytes(fixture.folder.path + "/1.part") == [1, 2, 3])
    }

    @Test func titlesAndAddressesAreChecked() throws {
        let fixture = try ListenerFixture {
            $0.calledTitles = ["DOSE"]
            $0.access = .peers([PeerRule(title: "PACS", addresses: AddressRange.loopback)])
        }
        #expect(try fixture.echo(["-aec", "DOSE", "-aet", "PACS"]).status == 0)
        let wrongCalled = try fixture.echo(["-v", "-aec", "OTHER", "-aet", "PACS"])
        #expect(wrongCalled.status != 0)
        #expect(wrongCalled.output.contains("Called AE Title Not Recognized"), "\(wrongCalled.output)")
        let wrongCalling = try fixture.echo(["-v", "-aec", "DOSE", "-aet", "OTHER"])
        #expect(wrongCalling.output.contains("Calling AE Title Not Recognized"), "\(wrongCalling.output)")
        #expect(fixture.listener.counters.rejectedAssociations == 2)

        let elsewhere = try #require(AddressRange("10.1.2.0/24"))
        let closed = try ListenerFixture { $0.access = .peers([PeerRule(addresses: [elsewhere])]) }
        #expect(try closed.echo().status != 0)
        #expect(closed.listener.counters.refusedConnections == 1)
    }

    @Test func handlersRejectionReachesTheRequestor() throws {
        let fixture = try ListenerFixture(decision: .reject(.temporaryCongestion))
        let run = try fixture.echo(["-v"])
        #expect(run.status != 0)
        #expect(run.output.contains("Temporary Congestion"), "\(run.output)")
    }

    @Test func associationsBeyondTheLimitAreRejected() throws {
        let fixture = try ListenerFixture { $0.associationLimit = 2 }
        let open = try (0..<2).map { _ in try #require(PeerSocket(port: fixture.port)) }
        for client in open {
            client.write(PDU.associationRequest())
            #expect(client.readPDU()?.first == 0x02)
        }
        let run = try fixture.echo(["-v"])
        #expect(run.status != 0)
        #expect(run.output.contains("Local Limit Exceeded"), "\(run.output)")
        withExtendedLifetime(open) {}
    }

    @Test func connectionsBeyondTheLimitOfAPeerAreClosed() throws {
        let fixture = try ListenerFixture {
            $0.connectionsPerPeerLimit = 3
            $0.requestDeadline = .seconds(60)
        }
        let open = try (0..<3).map { _ in try #require(PeerSocket(port: fixture.port)) }
        #expect(eventually { fixture.listener.counters.openConnections == 3 })
        let fourth = try #require(PeerSocket(port: fixture.port))
        #expect(fourth.readToEnd() == [])
        withExtendedLifetime(open) {}
    }

    /// With it, every C-STORE response waits 45 ms for the peer's delayed acknowledgement.
    @Test func naglesAlgorithmIsOff() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == 0x02)
        #expect(client.otherEndHasNoDelay == true)
    }

    @Test func eightSendersAtOnceLoseNothing() throws {
        let fixture = try ListenerFixture()
        let sources = try ScratchFolder()
        var running: [RunningTool] = []
        for sender in 1...8 {
            let folder = sources.path + "/\(sender)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for number in 1...10 {
                var object = SyntheticObject()
                object.sopInstance = "1.2.\(sender).\(number)"
                _ = try sources.write(object.bytes, as: "\(sender)/\(number).dcm")
            }
            running.append(try RunningTool("storescu", ["-R", "127.0.0.1", String(fixture.port), "+sd", folder]))
        }
        for tool in running { #expect(tool.waitForStatus() == 0) }
        #expect(Set(fixture.handler.seen.files.map(\.object.sopInstance.description)).count == 80)
        #expect(fixture.listener.counters.storedObjects == 80)
    }

    /// In a process of its own, where no other test allocates or starts threads.
    @Test func manyAssociationsLeaveNothingBehind() async {
        await #expect(processExitsWith: .success) {
            let fixture = try ListenerFixture()
            func converse(_ count: Int) throws {
                for _ in 0..<count {
                    let client = try #require(PeerSocket(port: fixture.port))
                    client.write(PDU.associationRequest())
                    try #require(client.readPDU()?.first == 0x02)
                    client.write(PDU.data(1, isCommand: true, isLast: true, PDU.echoRequest))
                    try #require(client.readPDU()?.first == 0x04)
                    client.write(PDU.releaseRequest)
                    try #require(client.readPDU()?.first == 0x06)
                }
                try #require(eventually { fixture.listener.counters.openConnections == 0 })
            }
            try converse(500)
            let before = ProcessStatus()
            try converse(9_500)
            let after = ProcessStatus()
            let growth = (
                threads: after.threadCount - before.threadCount,
                kilobytes: after.residentKilobytes - before.residentKilobytes
            )
            print("10000 associations:", growth)
            try #require(growth.threads < 16)
            try #require(growth.kilobytes < 20_000)
            try #require(fixture.listener.counters.echoes == 10_000)
        }
    }

    @Test func drainWaitsForOpenAssociationsAndLetsNobodyIn() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(PDU.associationRequest())
        #expect(client.readPDU()?.first == 0x02)
        #expect(!fixture.listener.drain(within: .milliseconds(50)))
        #expect(client.readToEnd() != nil)
        #expect(fixture.handler.seen.ended.first?.reason == .stopped)
        #expect(PeerSocket(port: fixture.port)?.readToEnd() ?? [] == [])
        #expect(fixture.listener.drain(within: .seconds(30)))
    }

    @Test func aPortIsListenedOnOnce() throws {
        let fixture = try ListenerFixture()
        var configuration = ListenerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.port = fixture.port
        let second = StorageListener(configuration: configuration, handler: fixture.handler)
        #expect(throws: NetworkError.cannotListen(step: .bind, code: EADDRINUSE)) { try second.start() }
        #expect(throws: NetworkError.alreadyStarted) { try fixture.listener.start() }
    }
}

/// What the kernel says of this process.
struct ProcessStatus {
    let threadCount: Int
    let residentKilobytes: Int

    init() {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        func number(_ name: String) -> Int {
            text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                .flatMap { $0.split(whereSeparator: { !$0.isNumber }).first }.flatMap { Int($0) } ?? 0
        }
        threadCount = number("Threads")
        residentKilobytes = number("VmRSS")
    }
}

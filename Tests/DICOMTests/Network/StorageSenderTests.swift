import DICOM
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct StorageSenderTests {
    /// A running storescp and the folder it writes to.
    private final class Archive {
        let folder: ScratchFolder
        let port: UInt16
        private let tool: RunningTool

        init(_ arguments: [String] = []) throws {
            folder = try ScratchFolder()
            port = try freePort()
            tool = try RunningTool("storescp", arguments + ["-od", folder.path, "-B", String(port)])
            let peer = try StoragePeer(host: "127.0.0.1", port: port, calledTitle: "ANY", callingTitle: "TEST")
            _ = eventually { (try? StorageSender(peer: peer).echo()) != nil || arguments.contains("--refuse") }
        }

        deinit {
            tool.stop()
        }
    }

    private static func peer(_ port: UInt16, called: String = "ARCHIVE") throws -> StoragePeer {
        try StoragePeer(host: "127.0.0.1", port: port, calledTitle: called, callingTitle: "SCINTIVOL")
    }

    @Test func storescpGetsTheSameBytes() throws {
        let archive = try Archive()
        let sources = try ScratchFolder()
        var paths: [String] = []
        var objects: [SyntheticObject] = []
        for (number, syntax) in ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"].enumerated() {
            for frames in ["1", "2000"] {
                var object = SyntheticObject()
                object.transferSyntax = syntax
                object.frames = frames
                object.rows = 32
                object.columns = 32
                object.sopInstance = "1.2.\(number + 1).\(frames)"
                objects.append(object)
                paths.append(try sources.write(object.bytes, as: "\(number).\(frames).dcm"))
            }
        }
        let outcomes = try StorageSender(peer: Self.peer(archive.port)).send(paths)
        #expect(outcomes == paths.map { _ in .answered(StoreResponse(status: 0)) })
        for object in objects {
            let stored = try fileBytes("\(archive.folder.path)/NM.\(object.sopInstance)")
            #expect(Array(stored.suffix(object.usualDataset.count)) == object.usualDataset)
        }
    }

    @Test func ourListenerGetsTheSameBytes() throws {
        let fixture = try ListenerFixture()
        let sources = try ScratchFolder()
        let object = SyntheticObject()
        let path = try sources.write(object.bytes, as: "object.dcm")
        let sender = try StorageSender(peer: Self.peer(fixture.port))
        try sender.echo()
        #expect(try sender.send([path]) == [.answered(StoreResponse(status: 0))])
        let file = try #require(fixture.handler.seen.files.first)
        #expect(try Array(fileBytes(file.path).suffix(object.usualDataset.count)) == object.usualDataset)
    }

    @Test func eachFileHasItsOwnOutcome() throws {
        let fixture = try ListenerFixture(status: .outOfResources(comment: "disk full"))
        let sources = try ScratchFolder()
        var other = SyntheticObject()
        other.sopClass = "1.2.840.10008.5.1.4.1.1.7"
        let paths = [
            try sources.write(SyntheticObject().bytes, as: "good.dcm"),
            try sources.write(Array(SyntheticObject().bytes.dropLast(2)), as: "cut.dcm"),
            try sources.write(other.bytes, as: "capture.dcm"),
        ]
        let outcomes = try StorageSender(peer: Self.peer(fixture.port)).send(paths)
        #expect(outcomes[0] == .answered(StoreResponse(status: 0xA700, comment: "disk full")))
        guard case .unreadable = outcomes[1] else { Issue.record("\(outcomes[1])"); return }
        #expect(outcomes[2] == .notSent(.noAcceptedContext))
    }

    @Test func rejectionsSayWhy() throws {
        let fixture = try ListenerFixture { $0.calledTitles = ["OTHER"] }
        let sender = try StorageSender(peer: Self.peer(fixture.port))
        #expect(throws: NetworkError.associationRejected(.calledTitleNotRecognized)) { try sender.echo() }

        let archive = try Archive(["--refuse"])
        let refused = try StorageSender(peer: Self.peer(archive.port))
        #expect(
            eventually {
                do throws(NetworkError) {
                    try refused.echo()
                    return false
                } catch {
                    if case .associationRejected = error { return true }
                    return false
                }
            })
    }

    @Test func abortsMidwayAreToldPerFile() throws {
        let archive = try Archive(["--abort-during"])
        let sources = try ScratchFolder()
        let paths = try (1...2).map { number in
            var object = SyntheticObject()
            object.sopInstance = "1.2.\(number)"
            return try sources.write(object.bytes, as: "\(number).dcm")
        }
        let outcomes = try StorageSender(peer: Self.peer(archive.port)).send(paths)
        for outcome in outcomes {
            guard case .notSent(let cause) = outcome, cause == .associationAborted || cause == .connectionClosed
            else { Issue.record("\(outcome)"); continue }
        }
    }

    @Test func nobodyThereAndSilencesAreDifferent() throws {
        #expect(throws: NetworkError.connectFailed) {
            try StorageSender(peer: Self.peer(freePort())).echo()
        }
        let silent = try SilentServer()
        var peer = try Self.peer(silent.port)
        peer.responseDeadline = .milliseconds(50)
        #expect(throws: NetworkError.deadlinePassed) { try StorageSender(peer: peer).echo() }
    }

    @Test(arguments: ["", "a b", "host;rm", "::1", String(repeating: "h", count: 58)])
    func hostsThatCannotBeSentAreRefused(host: String) {
        #expect(throws: NetworkError.unusablePeer) {
            try StoragePeer(host: host, port: 104, calledTitle: "A", callingTitle: "B")
        }
    }

    @Test(arguments: ["", " ", "SEVENTEEN LETTERS", "A\\B", "A\n"]) func titlesThatCannotBeSentAreRefused(title: String)
    {
        #expect(throws: NetworkError.unusablePeer) {
            try StoragePeer(host: "pacs", port: 104, calledTitle: title, callingTitle: "B")
        }
    }
}

/// Accepts connections, by way of the kernel's backlog, and never says a word.
private final class SilentServer {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        (descriptor, port) = try boundSocket()
        listen(descriptor, 4)
    }

    deinit {
        close(descriptor)
    }
}

private struct NoSocket: Error {}

private func boundSocket() throws -> (Int32, UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let outcome = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
        }
    }
    guard outcome else { throw NoSocket() }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
func freePort() throws -> UInt16 {
    let (descriptor, port) = try boundSocket()
    close(descriptor)
    return port
}

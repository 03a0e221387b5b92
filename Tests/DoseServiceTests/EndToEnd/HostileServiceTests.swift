import DICOM
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Peers that are slow, broken or malicious, against the whole service: whatever they do, the next one gets its
    /// C-ECHO within a second, nothing is kept that was not acknowledged, and no memory is lost.
    @Suite struct HostileServiceTests {
        /// What a peer does, and how it is answered in the end.
        struct Attack: CustomTestStringConvertible, Sendable {
            let testDescription: String
            /// - Returns: what has to stay open until the service was asked how it is.
            let run: @Sendable (UInt16) throws -> [PeerSocket]
        }

        private static func connect(_ port: UInt16) throws -> PeerSocket {
            try #require(PeerSocket(port: port, secondsLimit: 30))
        }

        private static let request = PDU.associationRequest(called: PDU.title("SCINTIVOL"))

        /// Writes and reads whatever is answered until the service closes, or one PDU when it does not have to.
        private static func attack(
            _ name: String, _ bytes: [UInt8], isAssociated: Bool = true, staysOpen: Bool = false
        ) -> Attack {
            Attack(testDescription: name) { port in
                let client = try connect(port)
                if isAssociated {
                    client.write(request)
                    #expect(client.readPDU()?.first == 0x02)
                }
                client.write(bytes)
                if !staysOpen { #expect(client.readToEnd() != nil, "the service does not close") }
                return [client]
            }
        }

        /// A C-STORE request, which is refused or ends the association.
        private static func store(
            _ name: String, uid: String = "1.2.3", command: String = PDU.nuclearMedicine, _ dataset: [UInt8]
        ) -> Attack {
            Attack(testDescription: name) { port in
                let client = try connect(port)
                client.write(request)
                #expect(client.readPDU()?.first == 0x02)
                client.write(
                    PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopClass: command, sopInstance: uid)))
                for start in stride(from: 0, to: max(dataset.count, 1), by: 100_000) {
                    let end = min(start + 100_000, dataset.count)
                    client.write(
                        PDU.data(3, isCommand: false, isLast: end == dataset.count, Array(dataset[start..<end])))
                }
                guard let answer = client.readPDU(), answer.first == 0x04 else { return [client] }
                #expect(PDU.status(answer).map { $0 != 0 } == true)
                return [client]
            }
        }

        private static func object(_ change: (inout SyntheticObject) -> Void) -> [UInt8] {
            var object = SyntheticObject()
            (object.transferSyntax, object.sopInstance) = ("1.2.840.10008.1.2", "1.2.3")
            change(&object)
            return object.dataset ?? object.usualDataset
        }

        private static func nested(_ depth: Int) -> [UInt8] {
            let writer = ElementWriter(isImplicit: true)
            let opening = writer.head(0x0008, 0x1115, "SQ", ElementWriter.undefinedLength) + Item.undefined
            return object { $0.extra = [[UInt8](repeatElement(opening, count: depth).joined())] }
        }

        private static let titles = ["RA\u{1}W", "RAW\n", "RA\\W"]

        static let attacks: [Attack] =
            [
                Attack(testDescription: "idle connections") { port in try (0..<50).map { _ in try connect(port) } },
                Attack(testDescription: "a request byte by byte") { port in
                    let client = try connect(port)
                    // It goes on while the service is asked how it is.
                    Thread.detachNewThread {
                        for byte in request.prefix(100) {
                            client.write([byte])
                            usleep(20_000)
                        }
                    }
                    return [client]
                },
                attack("half a request", Array(request.prefix(40)), isAssociated: false, staysOpen: true),
                attack(
                    "half a message", Array(PDU.data(1, isCommand: true, isLast: true, PDU.echoRequest).prefix(20)),
                    staysOpen: true),
                attack("PDU without length", PDU.head(0x01, 0), isAssociated: false),
                attack("huge PDU", PDU.head(0x01, 0xFFFF_FFFF), isAssociated: false),
                attack("huge data PDU", PDU.head(0x04, 0x7FFF_FFFF)),
                attack(
                    "data before an association", PDU.data(1, isCommand: true, isLast: true, PDU.echoRequest),
                    isAssociated: false),
                attack(
                    "129 contexts",
                    PDU.associationRequest(
                        contexts: (0..<129).map {
                            PDU.context(UInt8(2 * ($0 % 128) + 1), PDU.verification, [PDU.implicit])
                        }),
                    isAssociated: false),
                attack(
                    "nested command", PDU.data(1, isCommand: true, isLast: true, [UInt8](repeating: 0xFF, count: 400))),
                attack(
                    "abort in an object",
                    PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopInstance: "1.2.3"))
                        + PDU.data(3, isCommand: false, isLast: false, [UInt8](repeating: 7, count: 5000)) + PDU.abort),
                attack(
                    "release in an object",
                    PDU.data(3, isCommand: true, isLast: true, PDU.storeRequest(sopInstance: "1.2.3"))
                        + PDU.data(3, isCommand: false, isLast: false, [UInt8](repeating: 7, count: 5000))
                        + PDU.releaseRequest),
                store("another instance than announced", uid: "1.2.4", object { _ in }),
                store(
                    "another class than announced",
                    object { $0.sopClass = "1.2.840.10008.5.1.4.1.1.2" }),
                store("another class than the context's", command: "1.2.840.10008.5.1.4.1.1.2", object { _ in }),
                store("no dataset", []),
                store("truncated pixels", Array(object { _ in }.dropLast(10))),
                store(
                    "undefined length without end",
                    object {
                        $0.extra = [
                            ElementWriter(isImplicit: true).head(0x0008, 0x1115, "SQ", ElementWriter.undefinedLength)
                        ]
                    }),
                store(
                    "overflowing sizes",
                    object {
                        ($0.rows, $0.columns, $0.frames) = (65_535, 65_535, "2147483647")
                        $0.pixelData = [0, 0]
                    }),
                store("negative frames", object { ($0.frames, $0.pixelData) = ("-1", [0, 0]) }),
                store("frames with a comma", object { $0.frames = "2,5" }),
                store("no number of frames", object { $0.frames = "NaN" }),
            ]
            + titles.map { title in
                attack(
                    "title \(title.debugDescription)", PDU.associationRequest(calling: PDU.title(title)),
                    isAssociated: false)
            }
            + ["../../../tmp/x", "/etc/passwd", "1..2", "", String(repeating: "1.", count: 33) + "1"].map { uid in
                store("instance \(uid.prefix(12))", uid: uid, object { _ in })
            } + [10, 100, 10_000, 100_000].map { depth in store("nesting \(depth)", nested(depth)) }

        @Test func everyAttackIsSurvived() async throws {
            let state = try StateFolder()
            let service = try await RunningService(in: state, [])
            let port = service.addresses.dicomPort
            var peer = try StoragePeer(host: "127.0.0.1", port: port, calledTitle: "SCINTIVOL", callingTitle: "ECHO")
            // What is asked for: an answer within a second.
            (peer.connectDeadline, peer.responseDeadline) = (.seconds(1), .seconds(1))
            for attack in Self.attacks {
                let (asked, run) = (peer, attack.run)
                let isAnswered = try await onThread { () -> Bool in
                    let open = try run(port)
                    defer { withExtendedLifetime(open) {} }
                    do { try StorageSender(peer: asked).echo() } catch { return false }
                    return true
                }
                #expect(isAnswered, "\(attack.testDescription)")
                #expect(service.process.statusIfEnded() == nil, "\(attack.testDescription)")
            }
            try await expectFlatMemory(service)
            // Those who were let go in the middle of an object leave nothing behind.
            let isEmpty = try await eventually {
                try FileManager.default.contentsOfDirectory(atPath: state.file("state/incoming")).isEmpty
            }
            #expect(isEmpty)
            #expect(try await service.count("SELECT count(*) FROM instance") == 0)
            #expect(try Self.files(below: state.file("state/objects")).isEmpty)
            #expect(try await service.end() == 0)
        }

        /// The largest of the objects, 1.6 MB, again and again; the allocator may keep some of what it has had.
        private func expectFlatMemory(_ service: RunningService) async throws {
            let (port, run) = (service.addresses.dicomPort, Self.store("large", Self.nested(100_000)).run)
            func repeated(_ count: Int) async throws -> Int {
                try await onThread { for _ in 0..<count { _ = try run(port) } }
                return try Self.residentBytes(service.process.identifier)
            }
            let before = try await repeated(10)
            let after = try await repeated(40)
            #expect(after - before < 16 << 20, "\(before) and then \(after) bytes")
        }

        /// - Source: proc_pid_statm(5), whose second number is the resident pages.
        private static func residentBytes(_ process: Int32) throws -> Int {
            let numbers = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8).split(separator: " ")
            return try #require(numbers.dropFirst().first.flatMap { Int($0) }) * Int(sysconf(Int32(_SC_PAGESIZE)))
        }

        private static func files(below folder: String) throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".dcm") }
        }

        /// Two associations bring the same instance at once, with the same bytes and with others.
        @Test func duplicatesOnTwoAssociationsAreOneInstance() async throws {
            let state = try StateFolder()
            let service = try await RunningService(in: state, [])
            let port = service.addresses.dicomPort
            let peer = try StoragePeer(host: "127.0.0.1", port: port, calledTitle: "SCINTIVOL", callingTitle: "TWICE")
            let paths = try (0..<2).map { number in
                var object = SyntheticObject()
                object.pixelData = (0..<96).map { UInt8($0 * (number + 1) % 256) }
                let path = state.file("\(number).dcm")
                try Data(object.bytes).write(to: URL(fileURLWithPath: path))
                return path
            }
            for pair in [[paths[0], paths[0]], [paths[0], paths[1]]] {
                async let first = onThread { try StorageSender(peer: peer).send([pair[0]]) }
                async let second = onThread { try StorageSender(peer: peer).send([pair[1]]) }
                let outcomes = try await first + second
                #expect(outcomes[0] == .answered(StoreResponse(status: 0)))
                if case .answered(let response) = outcomes[1] {
                    #expect(response.status == (pair[0] == pair[1] ? 0 : 0x0111))
                } else {
                    Issue.record("\(outcomes[1])")
                }
                #expect(try await service.count("SELECT count(*) FROM instance") == 1)
                #expect(try Self.files(below: state.file("state/objects")).count == 1)
            }
            #expect(try await service.end() == 0)
        }

        /// By the rule `keep-first` other bytes under a known UID are acknowledged, and the first are kept.
        @Test func theFirstIsKept() async throws {
            let state = try StateFolder()
            let file = state.file("site.json")
            try #"{"conflicting_instances":"keep-first"}"#.write(toFile: file, atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", file])
            let peer = try StoragePeer(
                host: "127.0.0.1", port: service.addresses.dicomPort, calledTitle: "SCINTIVOL", callingTitle: "TWICE")
            var kept: Data?
            for number in 0..<2 {
                var object = SyntheticObject()
                object.pixelData = (0..<96).map { UInt8($0 * (number + 1) % 256) }
                try Data(object.bytes).write(to: URL(fileURLWithPath: state.file("object.dcm")))
                let outcomes = try await onThread { try StorageSender(peer: peer).send([state.file("object.dcm")]) }
                #expect(outcomes == [.answered(StoreResponse(status: 0))])
                let names = try Self.files(below: state.file("state/objects"))
                #expect(names.count == 1)
                let bytes = FileManager.default.contents(atPath: state.file("state/objects/\(names[0])"))
                #expect(kept == nil || kept == bytes)
                kept = bytes
            }
            #expect(try await service.count("SELECT count(*) FROM instance") == 1)
            #expect(try await service.count("SELECT count(*) FROM audit WHERE action = 'instance-conflict'") == 1)
            #expect(try await service.end() == 0)
        }
    }
}

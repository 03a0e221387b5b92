import DICOM
import Foundation
import Imaging
import TestSupport
import Testing

extension EndToEnd {
    /// A service that is killed again and again while many associations bring it instances.
    @Suite struct KillStormTests {
        private static let instanceCount = 2000
        private static let killCount = 10
        private static let associationCount = 4

        /// Senders send again what was not acknowledged, and never what was.
        @Test func whatWasAcknowledgedIsThereAfterTenKills() async throws {
            let state = try StateFolder()
            let files = try Self.instances(in: state)
            let port = try Archive.freePort()
            let arguments = ["--dicom-port", "\(port)", "--quiet-seconds", "1"]
            // Progress, not time, says when it is killed: the same moments on every machine.
            var generator = Imaging.SeededGenerator(seed: 20)
            let moments = (0..<Self.killCount).map { _ in Int(generator.next() % UInt64(Self.instanceCount - 20)) }
                .sorted()
            var service = try await RunningService(in: state, arguments)
            let rounds = try await withThrowingTaskGroup(of: Int.self) { group in
                for part in 0..<Self.associationCount {
                    let share = stride(from: part, to: files.count, by: Self.associationCount).map { files[$0] }
                    group.addTask { try await Self.send(share, to: port) }
                }
                for moment in moments {
                    let hasCome = try await eventually(within: .seconds(120)) { Self.objectCount(state) > moment }
                    #expect(hasCome)
                    try await service.kill()
                    service = try await RunningService(in: state, arguments)
                }
                return try await group.reduce(0, +)
            }
            // Every kill broke somebody's association, or the test shows nothing.
            #expect(rounds > Self.associationCount + Self.killCount / 2)
            try await expectHeld(files, by: service, in: state)
            #expect(try await service.end() == 0)
        }

        private func expectHeld(_ files: [String], by service: RunningService, in state: StateFolder) async throws {
            #expect(try await service.count("SELECT count(*) FROM instance") == files.count)
            #expect(Self.objectCount(state) == files.count)
            let list = try await service.text(
                "SELECT string_agg(sop_instance_uid || ' ' || file_name, ',') FROM instance")
            let names = Dictionary(
                uniqueKeysWithValues: list.split(separator: ",").map { entry in
                    let words = entry.split(separator: " ").map(String.init)
                    return (words[0], words[1])
                })
            for path in files {
                let sent = try ObjectScanner().scan(path: path)
                let name = try #require(names[sent.sopInstance.description])
                let held = state.file("state/objects/\(name)")
                let offset = try ObjectScanner().scan(path: held).datasetOffset
                let (left, right) = (try Self.bytes(path, from: sent.datasetOffset), try Self.bytes(held, from: offset))
                #expect(left == right)
            }
        }

        /// - Returns: in how many associations all were acknowledged.
        private static func send(_ files: [String], to port: UInt16) async throws -> Int {
            let peer = try StoragePeer(
                host: "127.0.0.1", port: port, calledTitle: "SCINTIVOL", callingTitle: "CAMERA")
            var waiting = files
            var rounds = 0
            while !waiting.isEmpty {
                let batch = waiting
                let outcomes = try await onThread { (try? StorageSender(peer: peer).send(batch)) ?? [] }
                guard !outcomes.isEmpty else {
                    try await Task.sleep(for: .milliseconds(20))
                    continue
                }
                rounds += 1
                waiting = zip(batch, outcomes).filter { outcome in
                    if case .answered(let response) = outcome.1 { return !response.isStored }
                    return true
                }.map(\.0)
            }
            return rounds
        }

        private static func instances(in state: StateFolder) throws -> [String] {
            let study = SyntheticStudy(
                seed: 1, name: "storm", description: "storm",
                startedAt: LocalTimestamp(year: 2024, month: 1, day: 2, secondsOfDay: 3600))
            let grid = try VoxelGrid(
                columns: 64, rows: 64, slices: instanceCount, spacing: SIMD3(1, 1, 3), origin: SIMD3(0, 0, 0))
            let voxels = (0..<grid.voxelCount).map { Float($0 % 1999) - 1000 }
            let folder = state.file("storm")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            _ = try SliceWriter.writeCT(Volume(grid: grid, voxels: voxels), study: study, to: folder)
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
        }

        private static func bytes(_ path: String, from offset: Int) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(offset)
        }

        private static func objectCount(_ state: StateFolder) -> Int {
            let walker = FileManager.default.enumerator(atPath: state.file("state/objects"))
            return walker?.reduce(0) { $0 + (($1 as? String)?.hasSuffix(".dcm") == true ? 1 : 0) } ?? 0
        }
    }
}

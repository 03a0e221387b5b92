import DICOM
import Foundation
import Glibc
import Imaging

/// CT objects of 512 KiB of pixels, each its own instance, renamed for every round.
struct TestObjects: Sendable {
    let paths: [String]
    /// One object's file.
    let bytes: [UInt8]
    private let identifierOffsets: [Int]

    private static let digitCount = 10

    init(count: Int, in folder: String) throws {
        let study = SyntheticStudy(
            seed: 1, name: "ingest", description: "ingest",
            startedAt: LocalTimestamp(year: 2024, month: 1, day: 2, secondsOfDay: 3600))
        let side = 512
        let grid = try VoxelGrid(columns: side, rows: side, slices: 1, spacing: SIMD3(1, 1, 3), origin: SIMD3(0, 0, 0))
        let voxels = (0..<side * side).map { Float(($0 &* 2_654_435_761) >> 7 % 2000) - 1000 }
        let made = try SliceWriter.writeCT(Volume(grid: grid, voxels: voxels), study: study, to: folder)
        let template = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/0001.dcm")))
        try FileManager.default.removeItem(atPath: "\(folder)/0001.dcm")

        let identifier = Array(made[0].sopInstanceUID.utf8)
        let head = template.prefix(4096)
        identifierOffsets = head.indices.filter { template[$0...].starts(with: identifier) }
            .map { $0 + identifier.count - Self.digitCount }
        precondition(identifierOffsets.count == 2, "the instance is named in the meta header and in the dataset")
        bytes = template
        paths = (0..<count).map { "\(folder)/\($0).dcm" }
        for path in paths { try Data(template).write(to: URL(fileURLWithPath: path)) }
    }

    /// Gives every object a new identifier, and waits until the disk has nothing left to do.
    func rename(round: Int) {
        for (index, path) in paths.enumerated() {
            let digits = Array(String(1_000_000_000 + round * 100_000 + index).utf8)
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            for offset in identifierOffsets { pwrite(descriptor, digits, digits.count, off_t(offset)) }
            close(descriptor)
        }
        sync()
    }

    /// The objects of one of several associations.
    func share(_ part: Int, of count: Int) -> [String] {
        stride(from: part, to: paths.count, by: count).map { paths[$0] }
    }
}

import Foundation
import Glibc

/// What the disk itself does: the same files written and synced by as many threads as there are associations.
enum DurableWriting {
    /// The files stay: ext4 without a journal does not give a deleted file's inode away for some minutes and steps over each when it makes a
    /// new file, which would cost whoever comes next.
    ///
    /// - Parameter folder: must not exist yet.
    /// - Units: files per second.
    static func rate(of bytes: [UInt8], count: Int, threads: Int, in folder: String) throws -> Double {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let seconds = try Timing.seconds {
            try Threads.run(threads) { thread in
                for index in stride(from: thread, to: count, by: threads) { try write(bytes, to: "\(folder)/\(index)") }
            }
        }
        sync()
        return Double(count) / seconds
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw MeasuringError.noFolder(path)
        }
    }
}

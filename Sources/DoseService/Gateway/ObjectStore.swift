import Foundation
import Glibc

/// Received instances on the disk.
///
/// A file's name is a digest of its instance's UID: it names nobody, and the same instance always has the same name. A
/// file gets its name first and is made durable then; whatever lies under such a name without a row was never
/// acknowledged, and is looked through when the service starts.
package struct ObjectStore: Sendable {
    let folder: String

    package init(folder: String) { self.folder = folder }

    package var incoming: String { "\(folder)/incoming" }
    package var objects: String { "\(folder)/objects" }
    package var rejected: String { "\(folder)/rejected" }
    package var results: String { "\(folder)/results" }
    /// What trainings leave for their next attempt.
    package var training: String { "\(folder)/training" }

    package enum Placement: Equatable {
        case placed
        /// The same bytes were there before.
        case alreadyThere
        /// Other bytes are there under the same UID.
        case conflict
    }

    /// - Throws: ``DurableFile/Failure``.
    package func prepare() throws(DurableFile.Failure) {
        for path in [incoming, objects, rejected, results] { try makeFolder(path) }
        for part in 0..<256 { try makeFolder("\(objects)/\(Self.hexadecimal(UInt8(part)))") }
        // What was being received when the service ended was never acknowledged.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: incoming)) ?? [] {
            unlink("\(incoming)/\(name)")
        }
    }

    /// Name of an instance's file, relative to the folder of objects.
    package func name(of sopInstanceUID: String) -> String {
        let digest = Digest.hex(of: Array(sopInstanceUID.utf8))
        return "\(digest.prefix(2))/\(digest).dcm"
    }

    package func path(_ name: String) -> String { "\(objects)/\(name)" }

    /// Gives a received file its name and makes both durable. The temporary name is gone afterwards, unless there is a
    /// conflict.
    ///
    /// - Parameter isSame: whether a file that has the name already holds the same.
    /// - Throws: ``DurableFile/Failure``, for example without space.
    package func place(
        _ temporary: String, as name: String, isSame: (String, String) -> Bool = ObjectStore.sameBytes
    ) throws(DurableFile.Failure) -> Placement {
        let target = path(name)
        var placement = Placement.placed
        if link(temporary, target) != 0 {
            guard errno == EEXIST else { throw .init(operation: "link", errno: errno) }
            guard isSame(temporary, target) else { return .conflict }
            placement = .alreadyThere
        }
        // Also for bytes that were there: another association may have named them and not synced them yet.
        let descriptor = open(target, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .init(operation: "open", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .init(operation: "fsync", errno: errno) }
        try DurableFile.syncFolder(of: target)
        unlink(temporary)
        return placement
    }

    /// Free space in bytes for those who are not root.
    package func freeBytes() -> Int64 {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return 0 }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }

    /// All files of the store, relative to the folder of objects.
    package func names() -> [String] {
        (0..<256).flatMap { part -> [String] in
            let sub = Self.hexadecimal(UInt8(part))
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(objects)/\(sub)")) ?? []
            return files.map { "\(sub)/\($0)" }
        }
    }

    private func makeFolder(_ path: String) throws(DurableFile.Failure) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw .init(operation: "mkdir", errno: errno) }
    }

    package static func sameBytes(_ first: String, _ second: String) -> Bool {
        FileManager.default.contentsEqual(atPath: first, andPath: second)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
    }
}

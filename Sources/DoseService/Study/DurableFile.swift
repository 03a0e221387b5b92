import Glibc

/// Files that are on the disk when the call returns.
package enum DurableFile {
    /// An operation of the system that failed.
    package struct Failure: Error, Equatable {
        package let operation: String
        package let errno: Int32

        package init(operation: String, errno: Int32) { (self.operation, self.errno) = (operation, errno) }
    }

    /// Writes a file as a whole: under another name first, so that the name never stands for half a file.
    ///
    /// - Throws: ``Failure``.
    package static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let temporary = "\(path).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Failure(operation: "open", errno: errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            guard count > 0 else { throw Failure(operation: "write", errno: errno) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw Failure(operation: "fsync", errno: errno) }
        guard rename(temporary, path) == 0 else { throw Failure(operation: "rename", errno: errno) }
        try syncFolder(of: path)
    }

    /// Makes a new name in a folder durable.
    static func syncFolder(of path: String) throws(Failure) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(operation: "open", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(operation: "fsync", errno: errno) }
    }
}

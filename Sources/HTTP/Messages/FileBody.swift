import Glibc

/// An open regular file, or a range of it, as the body of an answer.
///
/// The descriptor closes with the last copy. Size and entity tag are those at the time of opening.
public struct FileBody: Sendable {
    let handle: FileHandle
    /// The octets to be sent.
    var range: Range<Int>

    /// Opens a file. Do this where blocking is allowed.
    ///
    /// - Throws: ``HTTPError/cannotOpenFile(code:)``, with ENOENT also for what is no regular file.
    public init(path: String) throws(HTTPError) {
        handle = try FileHandle(path: path)
        range = 0..<handle.size
    }

    public var size: Int { handle.size }

    /// Made of inode, size and time of change, so a file that is replaced has another tag.
    public var entityTag: EntityTag {
        EntityTag(
            [handle.inode, UInt64(handle.size), handle.modifiedNanoseconds].map { String($0, radix: 36) }.joined(
                separator: "-"))
    }

    public var lastModified: HTTPDate { HTTPDate(secondsSince1970: Int(handle.modifiedNanoseconds / 1_000_000_000)) }

    /// Owns the descriptor.
    final class FileHandle: Sendable {
        let descriptor: Int32
        let size: Int
        let inode: UInt64
        let modifiedNanoseconds: UInt64

        init(path: String) throws(HTTPError) {
            let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard opened >= 0 else { throw .cannotOpenFile(code: errno) }
            var facts = stat()
            guard fstat(opened, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
                close(opened)
                throw .cannotOpenFile(code: ENOENT)
            }
            descriptor = opened
            size = facts.st_size
            inode = UInt64(facts.st_ino)
            modifiedNanoseconds = UInt64(facts.st_mtim.tv_sec) * 1_000_000_000 + UInt64(facts.st_mtim.tv_nsec)
        }

        deinit { close(descriptor) }
    }
}

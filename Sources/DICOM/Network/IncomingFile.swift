import CDCMTK
import Glibc

/// A new file that takes an object's bytes as they come and remembers whether all of them got through.
///
/// The bytes are gathered and written past the page cache: they are synced at once and read much later, so a copy of
/// them there would only cost its making. A file system that knows no such writing takes them the usual way.
struct IncomingFile: ~Copyable {
    private let path: String
    private var descriptor: Int32
    private let buffer: GatheringBuffer
    private var gathered = 0
    private var isWhole = true
    /// Whether writes go past the page cache.
    private var isDirect: Bool
    /// What the file starts with, as far as ``ReceivedFile/beginning`` holds it.
    private(set) var beginning: [UInt8] = []
    private(set) var byteCount = 0

    /// Nil when the file exists already or cannot be made.
    init?(creating path: String, buffer: GatheringBuffer) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        var descriptor = open(path, flags | cdcmtk_uncached, 0o600)
        let isRefused = descriptor < 0 && errno == EINVAL
        // Refused only after the name was made.
        if isRefused, unlink(path) == 0 || errno == ENOENT { descriptor = open(path, flags, 0o600) }
        guard descriptor >= 0 else { return nil }
        (self.path, self.descriptor, self.buffer, isDirect) = (path, descriptor, buffer, !isRefused)
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// After the first failure, such as a full disk, nothing more is written and ``close()`` says so.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        if beginning.count < ReceivedFile.beginningByteCount {
            beginning += bytes.prefix(ReceivedFile.beginningByteCount - beginning.count)
        }
        byteCount += bytes.count
        var rest = bytes
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(GatheringBuffer.byteCount - gathered))
            UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[gathered...]).copyMemory(from: part)
            gathered += part.count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            if gathered == GatheringBuffer.byteCount {
                flush(gathered)
                gathered = 0
            }
        }
    }

    /// - Returns: whether every byte was taken.
    mutating func close() -> Bool {
        let blocks = gathered / GatheringBuffer.alignment * GatheringBuffer.alignment
        flush(blocks)
        if blocks < gathered {
            useCache()
            flush(from: blocks, gathered)
        }
        let isClosed = Glibc.close(descriptor) == 0
        descriptor = -1
        return isWhole && isClosed
    }

    private mutating func flush(from start: Int = 0, _ end: Int) {
        var rest = UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<end])
        while isWhole, !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno == EINVAL, isDirect {
                // Blocks of another size, or what is left of a write that ended within one.
                useCache()
            } else if count == 0 || errno != EINTR {
                isWhole = false
            }
        }
    }

    private mutating func useCache() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~cdcmtk_uncached)
        isDirect = false
    }

    func discard() {
        unlink(path)
    }
}

/// Where one association's objects are gathered on their way to the disk, one after the other.
final class GatheringBuffer {
    static let byteCount = 1 << 20
    /// Holds for the block sizes of most disks; for others the cache is used.
    static let alignment = 4096

    fileprivate let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: alignment)

    deinit { bytes.deallocate() }
}

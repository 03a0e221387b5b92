import Glibc

/// A new file that takes an object's bytes as they come and remembers whether all of them got through.
struct IncomingFile: ~Copyable {
    private let path: String
    private var descriptor: Int32
    private var isWhole = true
    private(set) var byteCount = 0

    /// Nil when the file exists already or cannot be made.
    init?(creating path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// After the first failure, such as a full disk, nothing more is written and ``close()`` says so.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while isWhole, !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno != EINTR {
                isWhole = false
            }
        }
        byteCount += bytes.count
    }

    /// - Returns: whether every byte was taken.
    mutating func close() -> Bool {
        let isClosed = Glibc.close(descriptor) == 0
        descriptor = -1
        return isWhole && isClosed
    }

    func discard() {
        unlink(path)
    }
}

import Glibc

/// A file seen through one buffer that moves along; what is skipped is never read.
struct ScanWindow: ~Copyable {
    let byteCount: Int
    /// Nil when the buffer holds everything.
    private let descriptor: Int32?
    private var buffer: [UInt8]
    private var start = 0
    private var filled: Int

    private static let bufferByteCount = 64 * 1024

    /// - Parameter beginning: bytes that the file is known to start with.
    init(path: String, beginning: [UInt8] = []) throws(ScanError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannotRead(code: errno) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .cannotRead(code: EINVAL)
        }
        self.descriptor = descriptor
        byteCount = Int(information.st_size)
        buffer = beginning
        filled = beginning.count
    }

    init(bytes: [UInt8]) {
        descriptor = nil
        byteCount = bytes.count
        buffer = bytes
        filled = bytes.count
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    /// - Precondition: two bytes from `offset` lie in the file.
    mutating func unsigned16(at offset: Int) throws(ScanError) -> UInt16 {
        let index = try position(of: offset, count: 2)
        return UInt16(buffer[index]) | UInt16(buffer[index + 1]) << 8
    }

    mutating func unsigned32(at offset: Int) throws(ScanError) -> UInt32 {
        let low = UInt32(try unsigned16(at: offset))
        return low | UInt32(try unsigned16(at: offset + 2)) << 16
    }

    mutating func number(at offset: Int) throws(ScanError) -> ElementNumber {
        let group = UInt32(try unsigned16(at: offset))
        return ElementNumber(group << 16 | UInt32(try unsigned16(at: offset + 2)))
    }

    /// - Precondition: at most 64 KiB, all of them in the file.
    mutating func bytes(at offset: Int, count: Int) throws(ScanError) -> [UInt8] {
        let index = try position(of: offset, count: count)
        return Array(buffer[index..<index + count])
    }

    /// Where a byte of the file lies in the buffer, with `count - 1` others behind it.
    private mutating func position(of offset: Int, count: Int) throws(ScanError) -> Int {
        if offset >= start, offset + count <= start + filled { return offset - start }
        guard let descriptor, offset + count <= byteCount else { throw .truncated(offset: offset) }
        start = offset
        filled = 0
        if buffer.count < Self.bufferByteCount { buffer = [UInt8](repeating: 0, count: Self.bufferByteCount) }
        while filled < count {
            let filledBefore = filled
            let received = buffer.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer.dropFirst(filledBefore))
                return pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filledBefore))
            }
            if received < 0, errno == EINTR { continue }
            guard received >= 0 else { throw .cannotRead(code: errno) }
            guard received > 0 else { throw .truncated(offset: offset) }
            filled += received
        }
        return 0
    }
}

import Glibc

/// The dataset of a file on its way out, one buffer at a time.
struct OutgoingFile: ~Copyable {
    private let descriptor: Int32
    private var left: Int

    /// A multiple of what the largest PDU carries would save nothing: DCMTK splits as the peer asks.
    private static let bufferByteCount = 1 << 20

    /// Nil when the file cannot be opened.
    init?(path: String, from offset: Int, byteCount: Int) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        lseek(descriptor, off_t(offset), SEEK_SET)
        self.descriptor = descriptor
        left = byteCount - offset
    }

    deinit {
        close(descriptor)
    }

    /// - Throws: ``NetworkError/upperLayerFailed`` when the file is shorter than it was when scanned; the message
    ///   cannot be ended then, only the association.
    mutating func write(to association: Association, context: UInt8) throws(NetworkError) {
        var buffer = [UInt8](repeating: 0, count: min(left, Self.bufferByteCount))
        while left > 0 {
            let wanted = min(left, buffer.count)
            let descriptor = descriptor
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, wanted) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .upperLayerFailed }
            left -= count
            let isLast = left == 0
            let outcome = buffer.withUnsafeBytes { bytes -> Result<Void, NetworkError> in
                Result { () throws(NetworkError) in
                    try association.write(
                        UnsafeRawBufferPointer(rebasing: bytes.prefix(count)), context: context, isCommand: false,
                        isLast: isLast)
                }
            }
            try outcome.get()
        }
    }
}

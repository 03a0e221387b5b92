/// What an archive says that it keeps and does not keep of what it was asked to commit itself to.
///
/// - Source: DICOM PS3.4 table J.3-2, Storage Commitment Result.
public struct CommitmentReport: Equatable, Sendable {
    public struct Failure: Equatable, Sendable {
        public let instance: UID
        /// - Source: DICOM PS3.3 C.14, Failure Reason (0008,1197): 0112 no such instance, 0213 no room.
        public let reason: UInt16

        public init(instance: UID, reason: UInt16) { (self.instance, self.reason) = (instance, reason) }
    }

    public let transaction: UID
    public let committed: [UID]
    public let failed: [Failure]

    /// Instances that are read or asked for at most in one transaction.
    public static let instanceLimit = 4096
    /// An item has two UIDs and a reason in elements of their own.
    static let lengthLimit = instanceLimit * 256
    /// A report has sequences with items; what lies deeper is passed over.
    private static let depthLimit = 8

    public init(transaction: UID, committed: [UID], failed: [Failure] = []) {
        (self.transaction, self.committed, self.failed) = (transaction, committed, failed)
    }
}

extension CommitmentReport {
    /// Reads the dataset of a report, which anybody may have sent: implicit little endian, without recursion.
    ///
    /// - Returns: nil when lengths do not add up, the transaction is not named, or there are too many instances.
    public init?(decoding bytes: [UInt8]) {
        var walk = Walk(bytes: bytes)
        guard walk.run(), let transaction = walk.transaction, walk.count <= Self.instanceLimit else { return nil }
        self.init(transaction: transaction, committed: walk.committed, failed: walk.failed)
    }

    private enum Tag {
        static let failureReason: UInt32 = 0x0008_1197
        static let failedSequence: UInt32 = 0x0008_1198
        static let referencedSequence: UInt32 = 0x0008_1199
        static let transaction: UInt32 = 0x0008_1195
        static let instance: UInt32 = 0x0008_1155
        static let item: UInt32 = 0xFFFE_E000
        static let itemEnd: UInt32 = 0xFFFE_E00D
        static let sequenceEnd: UInt32 = 0xFFFE_E0DD
        static let undefinedLength = UInt32.max
    }

    /// One pass over the elements with the sequences that are open around them.
    private struct Walk {
        let bytes: [UInt8]
        var transaction: UID?
        var committed: [UID] = []
        var failed: [Failure] = []
        var count: Int { committed.count + failed.count }

        /// A sequence or an item, and where it ends; nil when a delimiter says so.
        private struct Open {
            let tag: UInt32
            let end: Int?
        }

        private var open: [Open] = []
        private var offset = 0
        private var instance: UID?
        private var reason: UInt16?

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func run() -> Bool {
            while true {
                while let last = open.last, last.end == offset { close() }
                guard offset < bytes.count else { return open.isEmpty }
                guard step() else { return false }
            }
        }

        private mutating func step() -> Bool {
            guard bytes.count - offset >= 8 else { return false }
            let (tag, length) = (little(2) << 16 | little(2, 2), little(4, 4))
            offset += 8
            switch tag {
            case Tag.itemEnd, Tag.sequenceEnd:
                guard length == 0, let last = open.last, last.end == nil, (last.tag == Tag.item) == (tag == Tag.itemEnd)
                else { return false }
                close()
                return true
            case Tag.item, Tag.failedSequence, Tag.referencedSequence: return enter(tag, length)
            default:
                // A sequence that is not known is entered when only its delimiter tells where it ends.
                if length == Tag.undefinedLength { return enter(tag, length) }
                guard Int(length) <= limit - offset else { return false }
                take(tag, bytes[offset..<offset + Int(length)])
                offset += Int(length)
                return true
            }
        }

        private mutating func enter(_ tag: UInt32, _ length: UInt32) -> Bool {
            let end = length == Tag.undefinedLength ? nil : offset + Int(length)
            guard open.count < CommitmentReport.depthLimit, end ?? limit <= limit else { return false }
            open.append(Open(tag: tag, end: end))
            return true
        }

        /// Where the innermost sequence or item with a length ends.
        private var limit: Int { open.last(where: { $0.end != nil })?.end ?? bytes.count }

        private mutating func close() {
            let closed = open.removeLast()
            guard closed.tag == Tag.item, open.count == 1, let instance else { return }
            switch open[0].tag {
            case Tag.referencedSequence: committed.append(instance)
            case Tag.failedSequence: failed.append(Failure(instance: instance, reason: reason ?? 0x0110))
            default: break
            }
            (self.instance, reason) = (nil, nil)
        }

        private mutating func take(_ tag: UInt32, _ value: ArraySlice<UInt8>) {
            switch (tag, open.count) {
            case (Tag.transaction, 0): transaction = UID(bytes: value)
            case (Tag.instance, 2): instance = UID(bytes: value)
            case (Tag.failureReason, 2) where value.count == 2:
                reason = UInt16(value.first ?? 0) | UInt16(value.last ?? 0) << 8
            default: break
            }
        }

        private func little(_ count: Int, _ place: Int = 0) -> UInt32 {
            (0..<count).reduce(0) { $0 | UInt32(bytes[offset + place + $1]) << (8 * UInt32($1)) }
        }
    }
}

extension Association {
    /// The dataset of a report.
    func readCommitment(context: UInt8, before deadline: ContinuousClock.Instant) throws(NetworkError) -> [UInt8] {
        var bytes: [UInt8] = []
        try readDataset(context: context, byteLimit: CommitmentReport.lengthLimit, before: deadline) { bytes += $0 }
        return bytes
    }
}

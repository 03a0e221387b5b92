/// Named tensors and text in the safetensors format; it holds no code, so reading a foreign file runs nothing.
///
/// - Source: https://huggingface.co/docs/safetensors, "Format": eight bytes of header length, a JSON header, the data.
public struct Safetensors: Equatable, Sendable {
    /// Bounds on what is read; our largest file has some hundred tensors.
    public static let headerByteLimit = 4 << 20
    public static let tensorCountLimit = 8192
    static let rankLimit = 8

    public var metadata: [String: String]
    public var tensors: [String: StoredTensor]

    public init(metadata: [String: String] = [:], tensors: [String: StoredTensor]) {
        self.metadata = metadata
        self.tensors = tensors
    }

    /// Reads a whole file, or throws what is wrong with it: every byte must belong to exactly one tensor.
    public init(decoding bytes: [UInt8]) throws(LearningError) {
        guard bytes.count >= 8 else { throw .checkpointTooShort(byteCount: bytes.count) }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.headerByteLimit) else {
            throw .headerTooLong(byteCount: length, limit: Self.headerByteLimit)
        }
        let start = 8 + Int(length)
        guard bytes.count >= start else { throw .checkpointTooShort(byteCount: bytes.count) }
        var scanner = HeaderScanner(bytes[8..<start])
        let header = try scanner.header()
        metadata = header.metadata
        tensors = [:]
        var cursor = 0
        let end = bytes.count - start
        // Empty tensors come before the one that starts where they do.
        for entry in header.entries.sorted(by: { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }) {
            guard entry.begin == cursor, entry.end >= entry.begin, entry.end <= end else {
                throw .dataNotContiguous(name: entry.name)
            }
            guard let type = DataType(rawValue: entry.type) else { throw .unknownDataType(entry.type) }
            guard Self.byteCount(type, entry.shape) == entry.end - entry.begin else {
                throw .tensorLengthMismatch(name: entry.name)
            }
            let data = Array(bytes[start + entry.begin..<start + entry.end])
            tensors[entry.name] = StoredTensor(type: type, shape: entry.shape, bytes: data)
            cursor = entry.end
        }
        guard cursor == end else { throw .dataNotContiguous(name: "") }
    }

    /// The bytes of a file; equal content gives equal bytes.
    public func encoded() -> [UInt8] {
        // Wide types first, as the reference does, so that every tensor starts aligned.
        let names = tensors.sorted { left, right in
            let ranks = (left.value.type.storageRank, right.value.type.storageRank)
            return ranks.0 == ranks.1 ? left.key < right.key : ranks.0 > ranks.1
        }
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var data: [UInt8] = []
        for (name, tensor) in names {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let offsets = "\(data.count),\(data.count + tensor.bytes.count)"
            fields.append(
                "\(Self.quoted(name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offsets)]}")
            data += tensor.bytes
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + data
    }

    /// `nil` when the product does not fit an `Int`.
    private static func byteCount(_ type: DataType, _ shape: [Int]) -> Int? {
        var count = type.byteCount
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return count
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension DataType {
    /// The order in which the reference implementation lists types, highest first.
    fileprivate var storageRank: Int {
        switch self {
        case .float16: 0
        case .bfloat16: 1
        case .float32: 2
        }
    }
}

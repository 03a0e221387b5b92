/// The dataset of a query or of one of its answers: attributes of the top level and their values.
///
/// Values stay bytes: an identifier goes out in the bytes in which it came in.
///
/// - Source: DICOM PS3.4 section C.2.2 and annex C.6.2; encoded in implicit little endian (PS3.5 annex A.1).
public struct QueryIdentifier: Equatable, Sendable {
    public private(set) var values: [ElementNumber: [UInt8]] = [:]

    /// An answer that is longer is not one to a question of ours.
    static let lengthLimit = 64 * 1024

    public init() {}

    /// Text without the padding around it; nil when it is absent or empty.
    public subscript(number: ElementNumber) -> String? {
        get {
            guard let bytes = values[number] else { return nil }
            let text = bytes.filter { $0 != 0 }
            let trimmed = String(decoding: text, as: UTF8.self)
            let first = trimmed.firstIndex { $0 != " " } ?? trimmed.endIndex
            let kept = trimmed[first...].reversed().drop { $0 == " " }.reversed()
            return kept.isEmpty ? nil : String(kept)
        }
        set { values[number] = newValue.map { Array($0.utf8) } ?? [] }
    }

    /// Asks for a value, or sets it in the bytes of the character set that the dataset names.
    public mutating func set(_ number: ElementNumber, bytes: [UInt8] = []) { values[number] = bytes }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (number, value) in values.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let padding: UInt8 = Self.isUID(number) ? 0 : UInt8(ascii: " ")
            let padded = value.count % 2 == 0 ? value : value + [padding]
            for half in [number.group, UInt16(truncatingIfNeeded: number.rawValue)] {
                bytes += [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)]
            }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: UInt32(padded.count) >> (8 * $0)) } + padded
        }
        return bytes
    }

    /// Sequences and what else is long are passed over by their lengths.
    ///
    /// - Throws: ``DIMSECommandFault`` when lengths do not add up or one is undefined.
    init(decoding bytes: [UInt8]) throws(DIMSECommandFault) {
        var offset = 0
        func little(_ count: Int, at place: Int) -> UInt32 {
            (0..<count).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
        }
        while offset < bytes.count {
            guard bytes.count - offset >= 8 else { throw DIMSECommandFault() }
            let number = ElementNumber(little(2, at: offset) << 16 | little(2, at: offset + 2))
            let length = Int(little(4, at: offset + 4))
            guard length <= bytes.count - offset - 8 else { throw DIMSECommandFault() }
            values[number] = Array(bytes[offset + 8..<offset + 8 + length])
            offset += 8 + length
        }
    }

    private static func isUID(_ number: ElementNumber) -> Bool {
        [.sopInstance, .sopClass, .studyInstance, .seriesInstance, .frameOfReference].contains(number)
    }
}

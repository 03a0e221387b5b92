/// The few values that the intake needs, read and checked against their representations.
struct CollectedValues {
    private var values: [ElementNumber: [UInt8]] = [:]

    /// Longest value in bytes. Text of 64 characters can take more than 64 bytes in a multi-byte character set.
    private static let lengthLimits: [ElementNumber: Int] = [
        .mediaStorageSOPClass: UID.lengthLimit, .mediaStorageSOPInstance: UID.lengthLimit,
        .transferSyntax: UID.lengthLimit, .sopClass: UID.lengthLimit, .sopInstance: UID.lengthLimit,
        .studyInstance: UID.lengthLimit, .seriesInstance: UID.lengthLimit, .frameOfReference: UID.lengthLimit,
        .specificCharacterSet: 256, .imageType: 512, .modality: 16, .patientID: 256, .issuerOfPatientID: 256,
        .manufacturerModelName: 64, .patientName: 512, .patientBirthDate: 18, .patientSex: 16,
        .studyDate: 8, .acquisitionDate: 8, .acquisitionTime: 16, .seriesNumber: 12, .instanceNumber: 12,
        .numberOfFrames: 12, .samplesPerPixel: 2, .rows: 2, .columns: 2, .bitsAllocated: 2,
    ]

    static func wants(_ number: ElementNumber) -> Bool {
        lengthLimits[number] != nil
    }

    /// Reads a wanted value.
    mutating func collect(_ header: ElementHeader, length: Int, from window: inout ScanWindow) throws(ScanError) {
        guard let limit = Self.lengthLimits[header.number] else { return }
        guard values[header.number] == nil else {
            throw .duplicateElement(offset: header.offset, element: header.number)
        }
        // Nothing depends on a name that is too long.
        if length > limit, header.number == .manufacturerModelName { return }
        guard length <= limit else { throw .invalidValue(header.number) }
        values[header.number] = try window.bytes(at: header.valueOffset, count: length)
    }

    func requiredUID(_ number: ElementNumber) throws(ScanError) -> UID {
        guard let uid = try uid(number) else { throw .missingElement(number) }
        return uid
    }

    func uid(_ number: ElementNumber) throws(ScanError) -> UID? {
        guard let bytes = values[number], !bytes.isEmpty else { return nil }
        guard let uid = UID(bytes: bytes) else { throw .invalidValue(number) }
        return uid
    }

    /// Text in whatever character set the object has, without the spaces around it.
    func bytes(_ number: ElementNumber) -> [UInt8]? {
        guard let bytes = values[number] else { return nil }
        let text = Self.trimmed(bytes[...]) { $0 == 0 || $0 == UInt8(ascii: " ") }
        return text.isEmpty ? nil : Array(text)
    }

    func codeStrings(_ number: ElementNumber) throws(ScanError) -> [String] {
        guard let bytes = bytes(number) else { return [] }
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .invalidValue(number) }
        return bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false).map { value in
            String(decoding: Self.trimmed(value) { $0 == UInt8(ascii: " ") }, as: UTF8.self)
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>, of isPadding: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        guard let first = bytes.firstIndex(where: { !isPadding($0) }),
            let last = bytes.lastIndex(where: { !isPadding($0) })
        else { return [] }
        return bytes[first...last]
    }

    /// `YYYYMMDD`.
    func date(_ number: ElementNumber) throws(ScanError) -> String? {
        guard let bytes = bytes(number) else { return nil }
        guard bytes.count == 8, let digits = Self.digits(bytes[...]), (1...12).contains(digits / 100 % 100),
            (1...31).contains(digits % 100)
        else { throw .invalidValue(number) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `HH`, `HHMM`, `HHMMSS` or with up to six digits of a second behind a point.
    func time(_ number: ElementNumber) throws(ScanError) -> String? {
        guard let bytes = bytes(number) else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let whole = parts[0]
        guard parts.count <= 2, [2, 4, 6].contains(whole.count), Self.digits(whole) != nil,
            parts.count == 1 || (whole.count == 6 && (1...6).contains(parts[1].count) && Self.digits(parts[1]) != nil)
        else { throw .invalidValue(number) }
        let fields = stride(from: whole.startIndex, to: whole.endIndex, by: 2).map {
            Self.digits(whole[$0..<$0 + 2]) ?? 0
        }
        // Second 60 is a leap second.
        guard zip(fields, [23, 59, 60]).allSatisfy({ $0 <= $1 }) else { throw .invalidValue(number) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func integer(_ number: ElementNumber) throws(ScanError) -> Int? {
        guard let bytes = bytes(number) else { return nil }
        let isNegative = bytes.first == UInt8(ascii: "-")
        let hasSign = isNegative || bytes.first == UInt8(ascii: "+")
        guard let magnitude = Self.digits(bytes.dropFirst(hasSign ? 1 : 0)), magnitude <= Int(Int32.max) else {
            throw .invalidValue(number)
        }
        return isNegative ? -magnitude : magnitude
    }

    func unsigned(_ number: ElementNumber) throws(ScanError) -> Int? {
        guard let bytes = values[number], !bytes.isEmpty else { return nil }
        guard bytes.count == 2 else { throw .invalidValue(number) }
        return Int(bytes[0]) | Int(bytes[1]) << 8
    }

    /// Nothing but digits, few enough to count.
    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard (1...12).contains(bytes.count) else { return nil }
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}

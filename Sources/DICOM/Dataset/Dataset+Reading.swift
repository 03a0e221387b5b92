import CDCMTK
import Glibc

extension Dataset {
    /// A string value as it came, in the dataset's own character set; nil when the attribute is absent.
    public func bytes(_ tag: AttributeTag) -> [UInt8]? {
        var start: UnsafePointer<CChar>?
        var length = 0
        guard cdcmtk_item_bytes(item, tag.number, &start, &length) == CDCMTK_OK else { return nil }
        return UnsafeRawBufferPointer(start: start, count: length).map { $0 }
    }

    /// A string value in Unicode without the spaces around it; nil when it is absent or empty.
    public func text(_ tag: AttributeTag) -> String? {
        guard let bytes = bytes(tag), !bytes.isEmpty else { return nil }
        let text = Self.trimmed(decoded(bytes))
        return text.isEmpty ? nil : text
    }

    /// The values of a string attribute, which a backslash separates; empty when it is absent or empty.
    public func texts(_ tag: AttributeTag) -> [String] {
        guard let text = text(tag) else { return [] }
        return text.split(separator: "\\", omittingEmptySubsequences: false).map { Self.trimmed(String($0)) }
    }

    /// Whole numbers, of a binary representation or of an integer string; empty when absent or empty.
    ///
    /// - Throws: ``DICOMReadingError`` with ``Refusal/valueMalformed(_:)`` when one is not a whole number.
    public func integers(_ tag: AttributeTag) throws(DICOMReadingError) -> [Int] {
        if tag.representation == .IS {
            return try parsed(tag) { text in
                Int(text.hasPrefix("+") ? text.dropFirst() : Substring(text))
            }
        }
        var numbers: [Int] = []
        for index in 0..<cdcmtk_item_value_count(item, tag.number) {
            var number: Int64 = 0
            guard cdcmtk_item_integer(item, tag.number, index, &number) == CDCMTK_OK else {
                throw .refused(.valueMalformed(tag))
            }
            numbers.append(Int(number))
        }
        return numbers
    }

    /// The first whole number, nil when absent or empty.
    public func integer(_ tag: AttributeTag) throws(DICOMReadingError) -> Int? { try integers(tag).first }

    /// Decimal strings or binary floating-point numbers, all finite; empty when absent or empty.
    ///
    /// - Throws: ``DICOMReadingError`` with ``Refusal/valueMalformed(_:)``: a comma is no decimal point, and neither a
    ///   NaN nor an infinity is a number.
    public func decimals(_ tag: AttributeTag) throws(DICOMReadingError) -> [Double] {
        if tag.representation == .DS { return try parsed(tag) { text in DecimalString(text)?.value } }
        var numbers: [Double] = []
        for index in 0..<cdcmtk_item_value_count(item, tag.number) {
            var number = 0.0
            guard cdcmtk_item_float(item, tag.number, index, &number) == CDCMTK_OK, number.isFinite else {
                throw .refused(.valueMalformed(tag))
            }
            numbers.append(number)
        }
        return numbers
    }

    /// The first decimal number, nil when absent or empty.
    public func decimal(_ tag: AttributeTag) throws(DICOMReadingError) -> Double? { try decimals(tag).first }

    /// Attributes named by an attribute of representation AT, as `group << 16 | element`.
    func tagNumbers(_ tag: AttributeTag) throws(DICOMReadingError) -> [UInt32] {
        try integers(tag).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The items of a sequence; none when it is absent or empty.
    public func items(_ tag: AttributeTag) -> [Dataset] {
        (0..<cdcmtk_item_sequence_count(item, tag.number)).compactMap { index in
            var found: OpaquePointer?
            guard cdcmtk_item_sequence_item(item, tag.number, index, &found) == CDCMTK_OK else { return nil }
            return found.map { Dataset(item: $0, of: self) }
        }
    }

    /// Whether an attribute or a sequence is absent or has no value.
    func isEmpty(_ tag: AttributeTag) -> Bool {
        cdcmtk_item_value_length(item, tag.number) == 0
    }

    // MARK: - Values that a reader cannot do without

    /// - Throws: ``DICOMReadingError`` with ``Refusal/attributeMissing(_:)``.
    public func requiredText(_ tag: AttributeTag) throws(DICOMReadingError) -> String {
        guard let text = text(tag) else { throw .refused(.attributeMissing(tag)) }
        return text
    }

    /// - Throws: ``DICOMReadingError`` with ``Refusal/attributeMissing(_:)`` or ``Refusal/valueMalformed(_:)``.
    public func requiredInteger(_ tag: AttributeTag) throws(DICOMReadingError) -> Int {
        guard let number = try integer(tag) else { throw .refused(.attributeMissing(tag)) }
        return number
    }

    /// Exactly `count` decimal numbers.
    ///
    /// - Throws: ``DICOMReadingError`` with ``Refusal/attributeMissing(_:)`` or ``Refusal/valueMalformed(_:)``.
    public func requiredDecimals(_ tag: AttributeTag, count: Int) throws(DICOMReadingError) -> [Double] {
        let numbers = try decimals(tag)
        guard !numbers.isEmpty else { throw .refused(.attributeMissing(tag)) }
        guard numbers.count == count else { throw .refused(.valueMalformed(tag)) }
        return numbers
    }

    // MARK: -

    private func parsed<Number>(
        _ tag: AttributeTag, _ parse: (String) -> Number?
    ) throws(DICOMReadingError) -> [Number] {
        var numbers: [Number] = []
        for text in texts(tag) {
            guard let number = parse(text) else { throw .refused(.valueMalformed(tag)) }
            numbers.append(number)
        }
        return numbers
    }

    /// Text outside ASCII goes through the file's character set; a set that is not known, or that the bytes do not
    /// obey, leaves replacement characters rather than an error, because no decision hangs on such text.
    private func decoded(_ bytes: [UInt8]) -> String {
        guard bytes.contains(where: { $0 >= 0x80 || $0 == 0x1B }) else { return String(decoding: bytes, as: UTF8.self) }
        var converted: UnsafeMutablePointer<CChar>?
        let outcome = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                cdcmtk_text_to_utf8(characterSet, characters.baseAddress, characters.count, &converted)
            }
        }
        guard outcome == CDCMTK_OK, let converted else { return String(decoding: bytes, as: UTF8.self) }
        defer { free(converted) }
        return String(cString: converted)
    }

    private static func trimmed(_ text: String) -> String {
        let padding: (Character) -> Bool = { $0 == " " || $0 == "\0" }
        var trimmed = text.drop(while: padding)
        while let last = trimmed.last, padding(last) { trimmed.removeLast() }
        return String(trimmed)
    }
}

/// Reads the JSON header of a safetensors file, and no more JSON than that header may contain.
///
/// A general JSON reader keeps one of two equal names, accepts fractions as offsets, and nests without bound.
struct HeaderScanner {
    struct Entry: Equatable {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    mutating func header() throws(LearningError) -> (metadata: [String: String], entries: [Entry]) {
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        // The format asks for the brace at the first byte, before any white space.
        guard bytes.first == UInt8(ascii: "{") else { throw malformed }
        try object { scanner, name throws(LearningError) in
            if name == "__metadata__" {
                metadata = try scanner.textPairs()
            } else {
                guard entries.count < Safetensors.tensorCountLimit else {
                    throw .tensorCountOverLimit(found: entries.count + 1, limit: Safetensors.tensorCountLimit)
                }
                entries.append(try scanner.entry(name))
            }
        }
        guard bytes[position...].allSatisfy({ $0 == UInt8(ascii: " ") }) else { throw malformed }
        return (metadata, entries)
    }

    private mutating func textPairs() throws(LearningError) -> [String: String] {
        var pairs: [String: String] = [:]
        try object { scanner, key throws(LearningError) in pairs[key] = try scanner.string() }
        return pairs
    }

    private mutating func entry(_ name: String) throws(LearningError) -> Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try object { scanner, key throws(LearningError) in
            switch key {
            case "dtype": type = try scanner.string()
            case "shape": shape = try scanner.numbers(limit: Safetensors.rankLimit)
            case "data_offsets": offsets = try scanner.numbers(limit: 2)
            default: throw scanner.malformed
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else { throw malformed }
        return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// Calls `field` at each value of an object whose names are all different.
    private mutating func object(
        _ field: (inout HeaderScanner, String) throws(LearningError) -> Void
    ) throws(LearningError) {
        var names: Set<String> = []
        try expect("{")
        if take("}") { return }
        repeat {
            let name = try string()
            guard names.insert(name).inserted else { throw .duplicateName(name) }
            try expect(":")
            try field(&self, name)
        } while take(",")
        try expect("}")
    }

    private mutating func numbers(limit: Int) throws(LearningError) -> [Int] {
        var values: [Int] = []
        try expect("[")
        if take("]") { return values }
        repeat {
            guard values.count < limit else { throw malformed }
            values.append(try number())
        } while take(",")
        try expect("]")
        return values
    }

    /// Digits without sign, fraction, exponent or leading zero.
    private mutating func number() throws(LearningError) -> Int {
        skipSpace()
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        let digits = bytes[start..<position]
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1,
            let value = Int(String(decoding: digits, as: UTF8.self))
        else { throw malformed }
        return value
    }

    private mutating func string() throws(LearningError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw malformed }
            position += 1
            if byte == UInt8(ascii: "\\") {
                text += try escaped()
            } else {
                text.append(byte)
            }
        }
        try expect("\"", skippingSpace: false)
        guard let string = String(validating: text, as: UTF8.self) else { throw malformed }
        return string
    }

    private mutating func escaped() throws(LearningError) -> [UInt8] {
        guard let byte = current else { throw malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "u"): return Array(String(Character(try unicodeScalar())).utf8)
        default: throw malformed
        }
    }

    private mutating func unicodeScalar() throws(LearningError) -> Unicode.Scalar {
        let unit = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A surrogate: its other half follows as a second escape.
        guard (0xD800..<0xDC00).contains(unit), take("\\", skippingSpace: false), take("u", skippingSpace: false)
        else { throw malformed }
        let low = try hexadecimalUnit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw malformed }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(LearningError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw malformed }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private var malformed: LearningError { .malformedHeader(offset: position - bytes.startIndex) }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar, skippingSpace: Bool = true) -> Bool {
        if skippingSpace { skipSpace() }
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar, skippingSpace: Bool = true) throws(LearningError) {
        guard take(character, skippingSpace: skippingSpace) else { throw malformed }
    }
}

/// Number, representation and length of one data element.
///
/// - Source: DICOM PS3.5 section 7.1.
struct ElementHeader {
    let number: ElementNumber
    /// Nil in implicit transfer syntaxes, and for items and delimiters.
    let representation: Representation?
    /// Nil when the length is undefined.
    let length: Int?
    let offset: Int
    let valueOffset: Int

    /// Two letters, the first in the low byte.
    struct Representation: Equatable {
        let letters: UInt16

        init(_ letters: UInt16) {
            self.letters = letters
        }

        private init(_ name: StaticString) {
            letters = UInt16(name.utf8Start[0]) | UInt16(name.utf8Start[1]) << 8
        }

        static let sequence = Representation("SQ")
        static let unknown = Representation("UN")
        static let otherByte = Representation("OB")
        static let otherWord = Representation("OW")

        /// Whether the length has 16 bits (PS3.5 table 7.1-2). All other representations, also those of standards to
        /// come, have two reserved bytes and a 32 bit length.
        var isShort: Bool { Self.shortFlags[Self.index(letters)] }

        // A flat table: this is asked for every element of every object.
        private static let shortFlags: [Bool] = {
            let names: [StaticString] = [
                "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST",
                "TM", "UI", "UL", "US",
            ]
            var flags = [Bool](repeating: false, count: 1 << 10)
            for name in names { flags[index(Representation(name).letters)] = true }
            return flags
        }()

        /// Five bits of each letter tell the letters of the alphabet apart.
        private static func index(_ letters: UInt16) -> Int {
            Int(letters & 0x1F) | Int(letters >> 8 & 0x1F) << 5
        }

        var isTwoLetters: Bool {
            let letters = UInt16(UInt8(ascii: "A"))...UInt16(UInt8(ascii: "Z"))
            return letters.contains(self.letters & 0xFF) && letters.contains(self.letters >> 8)
        }
    }

    private static let undefinedLength: UInt32 = 0xFFFF_FFFF
    private static let delimiterGroup: UInt16 = 0xFFFE

    /// Reads the header at `offset`; it and a defined value must end before `end`.
    init(at offset: Int, before end: Int, isImplicit: Bool, in window: inout ScanWindow) throws(ScanError) {
        let shortHeaderLength = 8
        let longHeaderLength = 12
        func missing(_ number: ElementNumber) -> ScanError {
            end == window.byteCount ? .truncated(offset: offset) : .overrun(offset: offset, element: number)
        }
        guard end - offset >= shortHeaderLength else { throw missing(ElementNumber(0)) }
        let number = try window.number(at: offset)
        self.number = number
        self.offset = offset

        let rawLength: UInt32
        if isImplicit || number.group == Self.delimiterGroup {
            representation = nil
            rawLength = try window.unsigned32(at: offset + 4)
            valueOffset = offset + shortHeaderLength
        } else {
            let representation = Representation(try window.unsigned16(at: offset + 4))
            guard representation.isTwoLetters else { throw .invalidRepresentation(offset: offset, element: number) }
            self.representation = representation
            if representation.isShort {
                rawLength = UInt32(try window.unsigned16(at: offset + 6))
                valueOffset = offset + shortHeaderLength
            } else {
                guard end - offset >= longHeaderLength else { throw missing(number) }
                rawLength = try window.unsigned32(at: offset + 8)
                valueOffset = offset + longHeaderLength
            }
        }
        if rawLength == Self.undefinedLength {
            length = nil
            return
        }
        guard rawLength % 2 == 0 else { throw .oddLength(offset: offset, element: number) }
        guard Int(rawLength) <= end - valueOffset else { throw missing(number) }
        length = Int(rawLength)
    }
}

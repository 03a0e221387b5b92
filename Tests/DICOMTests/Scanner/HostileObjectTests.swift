import DICOM
import TestSupport
import Testing

/// Files made to crash a parser.
@Suite struct HostileObjectTests {
    private let scanner = ObjectScanner()

    enum Form: CaseIterable {
        case explicitUndefined, explicitDefined, implicitUndefined, implicitDefined, unknownUndefined
    }

    /// Sequences inside sequences, as an object.
    private func nested(_ depth: Int, _ form: Form) -> [UInt8] {
        let isImplicit = form == .implicitDefined || form == .implicitUndefined
        let writer = ElementWriter(isImplicit: isImplicit)
        var sequence: [UInt8] = []
        switch form {
        case .explicitUndefined, .implicitUndefined:
            let head = writer.head(0x0040, 0x0275, "SQ", ElementWriter.undefinedLength) + Item.undefined
            sequence = Array(repeatElement(head, count: depth).joined())
            sequence += Array(repeatElement(Item.end + Item.sequenceEnd, count: depth).joined())
        case .unknownUndefined:
            let outer = writer.head(0x0040, 0x0275, "UN", ElementWriter.undefinedLength) + Item.undefined
            let inner =
                ElementWriter(isImplicit: true).head(0x0040, 0x0275, "SQ", ElementWriter.undefinedLength)
                + Item.undefined
            sequence = outer + Array(repeatElement(inner, count: depth - 1).joined())
            sequence += Array(repeatElement(Item.end + Item.sequenceEnd, count: depth).joined())
        case .explicitDefined, .implicitDefined:
            // From the outside in, each length covers what is left.
            let headLength = isImplicit ? 8 : 12
            for level in 0..<depth {
                let inside = (depth - level - 1) * (headLength + 8)
                sequence += writer.head(0x0040, 0x0275, "SQ", UInt32(inside + 8)) + Item.head(UInt32(inside))
            }
        }
        var object = SyntheticObject()
        object.transferSyntax = isImplicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1"
        object.extra = [sequence]
        return object.bytes
    }

    @Test(arguments: Form.allCases) func nestingIsBounded(form: Form) {
        for depth in [1, 10, 32] {
            #expect(throws: Never.self) { try scanner.scan(bytes: nested(depth, form)) }
        }
        for depth in [33, 100, 1_000, 20_000, 100_000] {
            do {
                _ = try scanner.scan(bytes: nested(depth, form))
                Issue.record("depth \(depth) passed")
            } catch {
                guard case .tooDeep(_, limit: 32) = error else {
                    Issue.record("depth \(depth): \(error)")
                    continue
                }
            }
        }
    }

    static let unfinished: [[UInt8]] = {
        let writer = ElementWriter(isImplicit: false)
        let undefined = writer.head(0x0040, 0x0275, "SQ", ElementWriter.undefinedLength)
        return [
            undefined, undefined + Item.undefined, undefined + Item.undefined + Item.end,
            undefined + Item.sequenceEnd + Item.sequenceEnd, undefined + Item.end, Item.undefined, Item.end,
            Item.sequenceEnd, undefined + Item.head(0xFFFF_FFFE), undefined + Item.head(3),
            writer.head(0x0040, 0x0275, "SQ", 8) + Item.head(8) + [UInt8](repeating: 0, count: 8),
            writer.head(0x0040, 0x0275, "SQ", 4) + [0, 0, 0, 0],
            writer.head(0x0040, 0x0275, "SQ", 8) + Item.end,
            writer.head(0x0040, 0x0007, "UT", ElementWriter.undefinedLength) + Item.sequenceEnd,
            writer.head(0x0040, 0x0007, "OB", ElementWriter.undefinedLength) + Item.head(0) + Item.sequenceEnd,
            writer.head(0x0040, 0x0007, "UT", 0xFFFF_FFFE), writer.head(0x0040, 0x0007, "LO", 0xFFFE),
            writer.element(0x0040, 0x0007, "LO", [1]), writer.element(0x0002, 0x0010, "UI", text: "1.2"),
            writer.element(0x0000, 0x0002, "UI", text: "1.2"), writer.element(0xFFFF, 0x0002, "UI", text: "1.2"),
        ]
    }()

    @Test(arguments: unfinished) func brokenStructureIsRefused(extra: [UInt8]) {
        var object = SyntheticObject()
        object.extra = [extra]
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
    }

    /// Whatever two hundred thousand mutations of good objects say, the scanner answers and stays inside the bytes.
    @Test func mutationsAreAnswered() {
        var random = SplitMix(seed: 20_240_131)
        var implicit = SyntheticObject()
        implicit.transferSyntax = "1.2.840.10008.1.2"
        let writer = ElementWriter(isImplicit: false)
        var rich = SyntheticObject()
        rich.extra = [
            writer.head(0x0040, 0x0275, "SQ", ElementWriter.undefinedLength) + Item.undefined
                + writer.element(0x0040, 0x0007, "LO", text: "inner") + Item.end + Item.sequenceEnd
        ]
        let seeds = [SyntheticObject().bytes, implicit.bytes, rich.bytes]
        let telling: [UInt8] = [
            0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, 0xE0, 0x0D, 0xDD, UInt8(ascii: "S"), UInt8(ascii: "Q"),
        ]
        var passed = 0
        for round in 0..<200_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...random.next(below: 4) {
                let place = 128 + random.next(below: bytes.count - 128)
                switch random.next(below: 4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[place] = telling[random.next(below: telling.count)]
                case 2: bytes[place] ^= 1 << UInt8(random.next(below: 8))
                default: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.next(below: 8)))
                }
                if bytes.count < 200 { break }
            }
            if let scanned = try? scanner.scan(bytes: bytes) {
                passed += 1
                #expect(scanned.datasetOffset <= bytes.count && scanned.byteCount == bytes.count)
            }
        }
        // Changes of text and pixels are harmless; most others are not.
        #expect((10_000...150_000).contains(passed), "\(passed)")
    }
}

/// A small seeded generator: the same mutations on every run.
private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func next(below bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }
}

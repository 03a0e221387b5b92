import DICOM
import TestSupport
import Testing

@Suite struct ObjectScannerTests {
    private let scanner = ObjectScanner()
    private let explicit = ElementWriter(isImplicit: false)
    private let implicit = ElementWriter(isImplicit: true)

    @Test(arguments: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
    func collectsWhatTheIntakeNeeds(transferSyntax: String) throws {
        var object = SyntheticObject()
        object.transferSyntax = transferSyntax
        let scanned = try scanner.scan(bytes: object.bytes)
        #expect(scanned.sopClass == .nuclearMedicineImage)
        #expect(scanned.sopInstance.description == object.sopInstance)
        #expect(scanned.studyInstance.description == "1.2.3.4")
        #expect(scanned.seriesInstance.description == "1.2.3.5")
        #expect(scanned.frameOfReference?.description == "1.2.3.6")
        #expect(scanned.transferSyntax.description == transferSyntax)
        #expect(scanned.patientID == Array("PAT-7".utf8))
        #expect(scanned.issuerOfPatientID == Array("Clinic".utf8))
        #expect(scanned.specificCharacterSet == ["ISO_IR 100"])
        #expect(scanned.modality == "NM")
        #expect(scanned.imageType == ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"])
        #expect(scanned.studyDate == "20240131")
        #expect(scanned.acquisitionTime == "101530.25")
        #expect(scanned.seriesNumber == 3)
        #expect(scanned.instanceNumber == 7)
        let pixels = try #require(scanned.pixels)
        #expect([pixels.rows, pixels.columns, pixels.frameCount, pixels.bitsAllocated] == [4, 6, 2, 16])
        #expect(pixels.byteCount == 96)
        #expect(Array(object.bytes[scanned.datasetOffset...]) == object.usualDataset)
    }

    @Test func readsAFileAsItReadsBytes() throws {
        let folder = try ScratchFolder()
        var object = SyntheticObject()
        // Longer than the scanner's buffer, so that elements lie across its end.
        object.extra = (0..<3_000).map {
            explicit.element(0x0029, UInt16(0x1000 + $0), "LO", text: String(repeating: "x", count: 2 * ($0 % 20)))
        }
        let path = try folder.write(object.bytes, as: "object.dcm")
        #expect(try scanner.scan(path: path) == scanner.scan(bytes: object.bytes))
        #expect(throws: ScanError.cannotRead(code: 2)) { try scanner.scan(path: folder.path + "/none") }
        #expect(throws: ScanError.self) { try scanner.scan(path: folder.path) }
    }

    @Test(arguments: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
    func refusesEveryTruncation(transferSyntax: String) {
        var object = SyntheticObject()
        object.transferSyntax = transferSyntax
        let writer = ElementWriter(isImplicit: object.isImplicit)
        object.extra = [
            writer.head(0x0040, 0x0275, "SQ", ElementWriter.undefinedLength) + Item.undefined
                + writer.element(0x0040, 0x0007, "LO", text: "inner") + Item.end + Item.sequenceEnd
        ]
        let whole = object.bytes
        #expect(throws: Never.self) { try scanner.scan(bytes: whole) }
        for length in 0..<whole.count {
            #expect(throws: ScanError.self, "\(length)") { try scanner.scan(bytes: Array(whole.prefix(length))) }
        }
        for garbage in 1...20 {
            #expect(throws: ScanError.self) {
                try scanner.scan(bytes: whole + [UInt8](repeating: 0, count: garbage))
            }
        }
    }

    @Test func compressedPixelDataAreWalkedFragmentByFragment() throws {
        func object(_ fragments: [[UInt8]], frames: String? = nil, end: [UInt8] = Item.sequenceEnd) -> SyntheticObject {
            var object = SyntheticObject()
            object.transferSyntax = "1.2.840.10008.1.2.4.70"
            object.frames = frames
            let usual = object.usualDataset
            let pixelElementLength = 12 + 2 * 4 * 6 * (frames.flatMap { Int($0) } ?? 1)
            object.dataset =
                Array(usual.dropLast(pixelElementLength))
                + explicit.head(0x7FE0, 0x0010, "OB", ElementWriter.undefinedLength)
                + fragments.flatMap { Item.head(UInt32($0.count)) + $0 } + end
            return object
        }
        let scanned = try scanner.scan(bytes: object([[], [1, 2, 3, 4], [5, 6]]).bytes)
        #expect(scanned.pixels?.isEncapsulated == true)
        #expect(scanned.pixels?.byteCount == 6)
        #expect(throws: ScanError.fragmentCount(frames: 3, found: 2)) {
            try scanner.scan(bytes: object([[], [1, 2], [3, 4]], frames: "3").bytes)
        }
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object([[], [1, 2]], end: []).bytes) }
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object([[], [1, 2]], end: Item.end).bytes) }
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object([[], [1, 2, 3]]).bytes) }
        var native = SyntheticObject()
        native.transferSyntax = "1.2.840.10008.1.2.4.70"
        #expect(throws: ScanError.self) { try scanner.scan(bytes: native.bytes) }
    }

    @Test(arguments: ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.94", "1.2.3"])
    func refusesOtherTransferSyntaxes(uid: String) {
        var object = SyntheticObject()
        object.transferSyntax = uid
        #expect(throws: ScanError.unsupportedTransferSyntax) { try scanner.scan(bytes: object.bytes) }
    }

    @Test func unknownAndPrivateElementsAreWalked() throws {
        var object = SyntheticObject()
        object.extra = [
            explicit.element(0x0029, 0x0010, "LO", text: "VENDOR"),
            explicit.element(0x0029, 0x1001, "UN", [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF]),
            // A representation of a standard to come has a long length (PS3.5 section 6.2).
            explicit.element(0x0029, 0x1002, "UN", [1, 2]).replacing("UN", with: "ZZ"),
            // UN of undefined length is implicit little endian inside (PS3.5 section 6.2.2).
            explicit.head(0x0029, 0x1003, "UN", ElementWriter.undefinedLength) + Item.undefined
                + implicit.element(0x0029, 0x1004, "LO", text: "in") + Item.end + Item.sequenceEnd,
        ]
        #expect(try scanner.scan(bytes: object.bytes).modality == "NM")
        object.extra = [explicit.element(0x0029, 0x1002, "UN", [1, 2]).replacing("UN", with: "z1")]
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
    }

    @Test func identitiesMustAgree() throws {
        var object = SyntheticObject()
        let dataset = object.usualDataset
        object.sopInstance = "1.2.826.0.1.3680043.2.1.2"
        object.dataset = dataset
        #expect(throws: ScanError.identityMismatch(ElementNumber(0x0008_0018))) {
            try scanner.scan(bytes: object.bytes)
        }
        object = SyntheticObject()
        object.sopClass = "1.2.840.10008.5.1.4.1.1.2"
        object.dataset = dataset
        #expect(throws: ScanError.identityMismatch(ElementNumber(0x0008_0016))) {
            try scanner.scan(bytes: object.bytes)
        }
    }

    @Test(arguments: [
        "", "1.2.03", "1..2", ".1", "1.", "1.2a", "../../etc", "1.2\\1.3", String(repeating: "1", count: 65),
    ])
    func refusesWhatIsNoUID(text: String) {
        var object = SyntheticObject()
        object.sopInstance = text
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
        #expect(UID(text) == nil)
    }

    static let badValues: [(String, String, String)] = [
        ("IS", "3 ", "3x"), ("DA", "20240131", "20241331"), ("DA", "20240131", "2024-1-1"),
        ("TM", "101530.25", "10:15:3.2"), ("TM", "101530.25", "991530.25"), ("CS", "NM", "N\u{1}"),
    ]

    @Test(arguments: badValues) func refusesValuesThatBreakTheirRepresentation(
        representation: String, good: String, bad: String
    ) {
        let bytes = SyntheticObject().bytes
        let length = UInt8(good.utf8.count + good.utf8.count % 2)
        let broken = bytes.replacing(
            "\(representation)\(Character(UnicodeScalar(length)))\0\(good)",
            with: "\(representation)\(Character(UnicodeScalar(length)))\0\(bad)")
        #expect(broken != bytes)
        #expect(throws: ScanError.self) { try scanner.scan(bytes: broken) }
    }

    @Test func refusesDuplicatesOfWhatItReads() {
        var object = SyntheticObject()
        object.extra = [explicit.element(0x0028, 0x0010, "US", [4, 0])]
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
        object.extra = [explicit.element(0x0010, 0x0020, "LO", text: "OTHER")]
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
    }

    struct Image: Sendable {
        var rows: UInt16 = 4
        var columns: UInt16 = 6
        var frames: String? = "2"
        var bits: UInt16 = 16
        var byteCount = 96
    }

    static let wrongImages: [Image] = [
        Image(byteCount: 94), Image(byteCount: 98), Image(byteCount: 0), Image(rows: 0, byteCount: 0),
        Image(columns: 0, byteCount: 0), Image(frames: "0", byteCount: 0), Image(frames: "-2"), Image(frames: "2.0"),
        Image(frames: "99999999999"), Image(rows: 65535, columns: 65535, frames: "2147483647", bits: 64),
        Image(bits: 0, byteCount: 0), Image(bits: 12, byteCount: 72), Image(bits: 65535),
    ]

    @Test(arguments: wrongImages) func pixelDataMustFitTheirAttributes(image: Image) {
        var object = SyntheticObject()
        (object.rows, object.columns, object.frames, object.bitsAllocated) =
            (image.rows, image.columns, image.frames, image.bits)
        object.pixelData = [UInt8](repeating: 0, count: image.byteCount)
        #expect(throws: ScanError.self) { try scanner.scan(bytes: object.bytes) }
    }

    @Test func packedAndOddImagesArePadded() throws {
        var object = SyntheticObject()
        // 3 x 3 x 1 bits take two bytes, 3 x 3 bytes take ten.
        (object.rows, object.columns, object.frames, object.bitsAllocated) = (3, 3, "1", 1)
        object.pixelData = [0xFF, 0x01]
        #expect(try scanner.scan(bytes: object.bytes).pixels?.byteCount == 2)
        object.bitsAllocated = 8
        object.pixelData = [UInt8](repeating: 1, count: 10)
        #expect(try scanner.scan(bytes: object.bytes).pixels?.byteCount == 10)
    }

    @Test func elementsAreCounted() {
        var limited = ObjectScanner()
        limited.elementLimit = 100
        var object = SyntheticObject()
        object.extra = (0..<200).map { explicit.element(0x0029, UInt16(0x1000 + $0), "LO", []) }
        #expect(throws: ScanError.self) { try limited.scan(bytes: object.bytes) }
        #expect(throws: Never.self) { try scanner.scan(bytes: object.bytes) }
    }

    @Test func metaHeaderMustEndWhereItSays() {
        for change in [-2, 2, 8, 1_000_000] {
            var bytes = SyntheticObject().bytes
            let lengthOffset = 140
            let length = UInt32(bytes[lengthOffset]) + UInt32(bytes[lengthOffset + 1]) << 8
            bytes.replaceSubrange(lengthOffset..<lengthOffset + 4, with: little(UInt32(Int(length) + change)))
            #expect(throws: ScanError.self) { try scanner.scan(bytes: bytes) }
        }
    }
}

extension [UInt8] {
    /// The same bytes with the first occurrence of a text replaced by another.
    func replacing(_ old: String, with new: String) -> [UInt8] {
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        guard let place = indices.first(where: { self[$0...].starts(with: old) }) else { return self }
        var copy = self
        copy.replaceSubrange(place..<place + old.count, with: new)
        return copy
    }
}

/// The bytes of a small Part 10 file, made element by element.
public struct SyntheticObject: Sendable {
    public var sopClass = "1.2.840.10008.5.1.4.1.1.20"
    public var sopInstance = "1.2.826.0.1.3680043.2.1.1"
    public var transferSyntax = "1.2.840.10008.1.2.1"
    public var rows: UInt16 = 4
    public var columns: UInt16 = 6
    public var frames: String? = "2"
    public var photometric: String?
    public var bitsAllocated: UInt16 = 16
    /// The value as it stands in the file; nil for as many bytes as the attributes ask for.
    public var pixelData: [UInt8]?
    /// Put before the pixel data, in ascending order.
    public var extra: [[UInt8]] = []
    /// Whole elements instead of the usual dataset.
    public var dataset: [UInt8]?

    public init() {}

    public var isImplicit: Bool { transferSyntax == "1.2.840.10008.1.2" }

    public var bytes: [UInt8] { meta + (dataset ?? usualDataset) }

    public var meta: [UInt8] {
        let explicit = ElementWriter(isImplicit: false)
        let group =
            explicit.element(0x0002, 0x0001, "OB", [0, 1])
            + explicit.element(0x0002, 0x0002, "UI", text: sopClass)
            + explicit.element(0x0002, 0x0003, "UI", text: sopInstance)
            + explicit.element(0x0002, 0x0010, "UI", text: transferSyntax)
        let head = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        return head + explicit.element(0x0002, 0x0000, "UL", little(UInt32(group.count))) + group
    }

    public var usualDataset: [UInt8] {
        let writer = ElementWriter(isImplicit: isImplicit)
        var bytes = writer.element(0x0008, 0x0005, "CS", text: "ISO_IR 100")
        bytes += writer.element(0x0008, 0x0008, "CS", text: "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION")
        bytes += writer.element(0x0008, 0x0016, "UI", text: sopClass)
        bytes += writer.element(0x0008, 0x0018, "UI", text: sopInstance)
        bytes += writer.element(0x0008, 0x0020, "DA", text: "20240131")
        bytes += writer.element(0x0008, 0x0022, "DA", text: "20240131")
        bytes += writer.element(0x0008, 0x0032, "TM", text: "101530.25")
        bytes += writer.element(0x0008, 0x0060, "CS", text: "NM")
        bytes += writer.element(0x0010, 0x0020, "LO", text: "PAT-7")
        bytes += writer.element(0x0010, 0x0021, "LO", text: "Clinic")
        bytes += writer.element(0x0020, 0x000D, "UI", text: "1.2.3.4")
        bytes += writer.element(0x0020, 0x000E, "UI", text: "1.2.3.5")
        bytes += writer.element(0x0020, 0x0011, "IS", text: "3")
        bytes += writer.element(0x0020, 0x0013, "IS", text: "7")
        bytes += writer.element(0x0020, 0x0052, "UI", text: "1.2.3.6")
        bytes += writer.element(0x0028, 0x0002, "US", little(UInt16(1)))
        if let photometric { bytes += writer.element(0x0028, 0x0004, "CS", text: photometric) }
        if let frames { bytes += writer.element(0x0028, 0x0008, "IS", text: frames) }
        bytes += writer.element(0x0028, 0x0010, "US", little(rows))
        bytes += writer.element(0x0028, 0x0011, "US", little(columns))
        bytes += writer.element(0x0028, 0x0100, "US", little(bitsAllocated))
        bytes += extra.flatMap { $0 }
        bytes += writer.element(0x7FE0, 0x0010, "OW", pixelData ?? ramp)
        return bytes
    }

    /// As many bytes as the attributes ask for.
    private var ramp: [UInt8] {
        let count = Int(rows) * Int(columns) * (frames.flatMap { Int($0) } ?? 1) * Int(bitsAllocated) / 8
        return (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    }
}

/// Elements in little endian, explicit or implicit.
public struct ElementWriter: Sendable {
    public let isImplicit: Bool

    public init(isImplicit: Bool) { self.isImplicit = isImplicit }

    public static let undefinedLength: UInt32 = 0xFFFF_FFFF

    public func element(_ group: UInt16, _ element: UInt16, _ representation: String, text: String) -> [UInt8] {
        let padding: UInt8 = representation == "UI" ? 0 : 0x20
        let value = Array(text.utf8)
        return self.element(group, element, representation, value.count % 2 == 0 ? value : value + [padding])
    }

    public func element(_ group: UInt16, _ element: UInt16, _ representation: String, _ value: [UInt8]) -> [UInt8] {
        head(group, element, representation, UInt32(value.count)) + value
    }

    public func head(_ group: UInt16, _ element: UInt16, _ representation: String, _ length: UInt32) -> [UInt8] {
        let tag = little(group) + little(element)
        if isImplicit { return tag + little(length) }
        let isLong = ["OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UN", "UT", "UC", "UR", "SV", "UV"]
            .contains(representation)
        let name = Array(representation.utf8)
        return tag + name + (isLong ? [0, 0] + little(length) : little(UInt16(length)))
    }
}

/// Items and delimiters, the same in every little endian transfer syntax.
public enum Item {
    public static func head(_ length: UInt32) -> [UInt8] { [0xFE, 0xFF, 0x00, 0xE0] + little(length) }
    public static let undefined = head(ElementWriter.undefinedLength)
    public static let end: [UInt8] = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]
    public static let sequenceEnd: [UInt8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
}

public func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

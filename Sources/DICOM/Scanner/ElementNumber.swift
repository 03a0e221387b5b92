/// The number of a data element as it stands in a file, group and element, whether a dictionary knows it or not.
public struct ElementNumber: Hashable, Sendable, CustomStringConvertible {
    /// `group << 16 | element`.
    public let rawValue: UInt32

    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public var group: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }

    public var description: String {
        let digits = String(rawValue, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: 8 - digits.count) + digits
        return "(\(padded.prefix(4)),\(padded.suffix(4)))"
    }
}

extension ElementNumber {
    static let metaGroupLength = ElementNumber(0x0002_0000)
    static let mediaStorageSOPClass = ElementNumber(0x0002_0002)
    static let mediaStorageSOPInstance = ElementNumber(0x0002_0003)
    static let transferSyntax = ElementNumber(0x0002_0010)

    public static let specificCharacterSet = ElementNumber(0x0008_0005)
    static let imageType = ElementNumber(0x0008_0008)
    public static let sopClass = ElementNumber(0x0008_0016)
    public static let sopInstance = ElementNumber(0x0008_0018)
    public static let studyDate = ElementNumber(0x0008_0020)
    static let acquisitionDate = ElementNumber(0x0008_0022)
    static let acquisitionTime = ElementNumber(0x0008_0032)
    public static let queryLevel = ElementNumber(0x0008_0052)
    public static let modality = ElementNumber(0x0008_0060)
    public static let modalitiesInStudy = ElementNumber(0x0008_0061)
    static let manufacturerModelName = ElementNumber(0x0008_1090)
    static let patientName = ElementNumber(0x0010_0010)
    static let patientBirthDate = ElementNumber(0x0010_0030)
    static let patientSex = ElementNumber(0x0010_0040)
    public static let patientID = ElementNumber(0x0010_0020)
    public static let issuerOfPatientID = ElementNumber(0x0010_0021)
    public static let studyInstance = ElementNumber(0x0020_000D)
    public static let seriesInstance = ElementNumber(0x0020_000E)
    static let seriesNumber = ElementNumber(0x0020_0011)
    static let instanceNumber = ElementNumber(0x0020_0013)
    public static let frameOfReference = ElementNumber(0x0020_0052)
    public static let seriesInstanceCount = ElementNumber(0x0020_1209)
    static let samplesPerPixel = ElementNumber(0x0028_0002)
    static let numberOfFrames = ElementNumber(0x0028_0008)
    static let rows = ElementNumber(0x0028_0010)
    static let columns = ElementNumber(0x0028_0011)
    static let bitsAllocated = ElementNumber(0x0028_0100)
    static let floatPixelData = ElementNumber(0x7FE0_0008)
    static let doubleFloatPixelData = ElementNumber(0x7FE0_0009)
    static let pixelData = ElementNumber(0x7FE0_0010)

    static let item = ElementNumber(0xFFFE_E000)
    static let itemEnd = ElementNumber(0xFFFE_E00D)
    static let sequenceEnd = ElementNumber(0xFFFE_E0DD)

    var isPixelData: Bool { self == .pixelData || self == .floatPixelData || self == .doubleFloatPixelData }
}

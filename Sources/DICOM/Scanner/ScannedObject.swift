/// An object whose file was walked to its last element and whose identity is consistent.
///
/// Only ``ObjectScanner`` makes one. Text is bounded and checked, but not compared with anything known.
public struct ScannedObject: Equatable, Sendable {
    public let sopClass: UID
    public let sopInstance: UID
    public let studyInstance: UID
    public let seriesInstance: UID
    public let frameOfReference: UID?
    public let transferSyntax: UID

    /// Patient identity in the bytes of ``specificCharacterSet``, without the spaces around it; nil when empty.
    public let patientID: [UInt8]?
    public let issuerOfPatientID: [UInt8]?
    public let patientName: [UInt8]?
    public let patientBirthDate: [UInt8]?
    public let patientSex: [UInt8]?
    public let specificCharacterSet: [String]

    /// In the bytes of ``specificCharacterSet``.
    public let manufacturerModelName: [UInt8]?
    public let modality: String?
    public let imageType: [String]
    /// `YYYYMMDD`.
    public let studyDate: String?
    public let acquisitionDate: String?
    /// `HHMMSS.FFFFFF`, or less of it.
    public let acquisitionTime: String?
    public let seriesNumber: Int?
    public let instanceNumber: Int?

    /// Nil when the object has no pixel data.
    public let pixels: ScannedPixels?

    /// One of our own results, which an archive that forwards everything has sent back.
    public var isOwnResult: Bool { manufacturerModelName == Array(RTDoseWriter.productName.utf8) }

    /// When the image was taken, on the clock of the site.
    public var acquiredAt: LocalTimestamp? {
        guard let acquisitionDate, let acquisitionTime else { return nil }
        return LocalTimestamp(date: acquisitionDate, time: acquisitionTime)
    }

    /// A nuclear medicine image that is not planar.
    ///
    /// - Source: DICOM PS3.3 C.8.4.8.1.1, Image Type.
    public var isTomographic: Bool {
        sopClass == .nuclearMedicineImage && imageType.count >= 3 && imageType[2].contains("TOMO")
    }

    /// Where the dataset begins, behind the meta header.
    public let datasetOffset: Int
    public let byteCount: Int
}

/// The shape of an object's pixel data, which agrees with their length when they are native.
public struct ScannedPixels: Equatable, Sendable {
    public let rows: Int
    public let columns: Int
    public let frameCount: Int
    public let samplesPerPixel: Int
    public let bitsAllocated: Int
    public let isEncapsulated: Bool
    /// Of the value as it is stored.
    public let byteCount: Int

    /// - Source: DICOM PS3.5 section 8.1.1; one bit pixels are packed without gaps between rows and frames.
    init(_ found: FoundPixelData, values: CollectedValues, byteLimit: Int) throws(ScanError) {
        rows = try Self.positive(.rows, values)
        columns = try Self.positive(.columns, values)
        samplesPerPixel = try values.unsigned(.samplesPerPixel) ?? 1
        frameCount = try values.integer(.numberOfFrames) ?? 1
        bitsAllocated = try Self.positive(.bitsAllocated, values)
        guard [1, 8, 16, 32, 64].contains(bitsAllocated) else { throw .invalidValue(.bitsAllocated) }
        guard samplesPerPixel > 0 else { throw .invalidValue(.samplesPerPixel) }
        guard frameCount > 0 else { throw .invalidValue(.numberOfFrames) }
        isEncapsulated = found.isEncapsulated
        byteCount = found.byteCount

        var bitCount = 1
        for factor in [rows, columns, samplesPerPixel, frameCount, bitsAllocated] {
            let (product, isOverflowing) = bitCount.multipliedReportingOverflow(by: factor)
            guard !isOverflowing, product / 8 <= byteLimit else { throw .imageTooLarge }
            bitCount = product
        }
        if found.isEncapsulated {
            guard found.fragmentCount >= frameCount else {
                throw .fragmentCount(frames: frameCount, found: found.fragmentCount)
            }
            return
        }
        let expected = (bitCount + 7) / 8
        guard found.byteCount == expected + expected % 2 else {
            throw .pixelDataLength(expected: expected + expected % 2, found: found.byteCount)
        }
    }

    private static func positive(_ number: ElementNumber, _ values: CollectedValues) throws(ScanError) -> Int {
        guard let value = try values.unsigned(number) else { throw .missingElement(number) }
        guard value > 0 else { throw .invalidValue(number) }
        return value
    }
}

/// Walks a Part 10 file to its last element before any parser sees it.
///
/// Its memory and stack do not depend on the file, and its time only on the number of elements: values that it does not
/// want, pixel data above all, are skipped and never read.
///
/// - Source: DICOM PS3.10 section 7 (file), PS3.5 section 7 (encoding).
public struct ObjectScanner: Sendable {
    /// Sequences inside sequences. DCMTK's parser recurses, and crashes at some hundreds on a small stack.
    public var depthLimit = 32
    /// Elements, items and fragments.
    public var elementLimit = 1_000_000
    /// Of the pixel data when decoded.
    public var pixelByteLimit = 4 << 30

    public init() {}

    /// Scans an object that a listener received, and compares it with what its C-STORE command said.
    public func scan(_ file: ReceivedFile) throws(ScanError) -> ScannedObject {
        var window = try ScanWindow(path: file.path, beginning: file.beginning)
        guard window.byteCount == file.byteCount else {
            throw .lengthChanged(expected: file.byteCount, found: window.byteCount)
        }
        let scanned = try scan(&window)
        guard scanned.sopClass == file.object.sopClass else { throw .identityMismatch(.sopClass) }
        guard scanned.sopInstance == file.object.sopInstance else { throw .identityMismatch(.sopInstance) }
        guard scanned.transferSyntax == file.object.transferSyntax else { throw .identityMismatch(.transferSyntax) }
        return scanned
    }

    public func scan(path: String) throws(ScanError) -> ScannedObject {
        var window = try ScanWindow(path: path)
        return try scan(&window)
    }

    public func scan(bytes: [UInt8]) throws(ScanError) -> ScannedObject {
        var window = ScanWindow(bytes: bytes)
        return try scan(&window)
    }

    private func scan(_ window: inout ScanWindow) throws(ScanError) -> ScannedObject {
        let meta = try MetaHeader(in: &window)
        guard let encoding = TransferSyntaxEncoding(meta.transferSyntax) else { throw .unsupportedTransferSyntax }
        var walk = DatasetWalk(
            depthLimit: depthLimit, elementLimit: elementLimit, isEncapsulated: encoding == .encapsulated)
        try walk.run(from: meta.end, isImplicit: encoding == .implicit, in: &window)

        let values = walk.values
        guard try values.requiredUID(.sopClass) == meta.sopClass else { throw .identityMismatch(.sopClass) }
        guard try values.requiredUID(.sopInstance) == meta.sopInstance else { throw .identityMismatch(.sopInstance) }
        let pixels = try pixels(walk, sopClass: meta.sopClass)
        return ScannedObject(
            sopClass: meta.sopClass, sopInstance: meta.sopInstance,
            studyInstance: try values.requiredUID(.studyInstance),
            seriesInstance: try values.requiredUID(.seriesInstance),
            frameOfReference: try values.uid(.frameOfReference), transferSyntax: meta.transferSyntax,
            patientID: values.bytes(.patientID), issuerOfPatientID: values.bytes(.issuerOfPatientID),
            patientName: values.bytes(.patientName), patientBirthDate: values.bytes(.patientBirthDate),
            patientSex: values.bytes(.patientSex),
            specificCharacterSet: try values.codeStrings(.specificCharacterSet),
            manufacturerModelName: values.bytes(.manufacturerModelName),
            modality: try values.codeStrings(.modality).first, imageType: try values.codeStrings(.imageType),
            studyDate: try values.date(.studyDate), acquisitionDate: try values.date(.acquisitionDate),
            acquisitionTime: try values.time(.acquisitionTime), seriesNumber: try values.integer(.seriesNumber),
            instanceNumber: try values.integer(.instanceNumber), pixels: pixels, datasetOffset: meta.end,
            byteCount: window.byteCount)
    }

    private func pixels(_ walk: DatasetWalk, sopClass: UID) throws(ScanError) -> ScannedPixels? {
        if let found = walk.pixelData {
            return try ScannedPixels(found, values: walk.values, byteLimit: pixelByteLimit)
        }
        // Pixel data come last: an image that was cut between two elements shows itself by their absence.
        guard !UID.imageClasses.contains(sopClass), try walk.values.unsigned(.rows) == nil else {
            throw .missingElement(.pixelData)
        }
        return nil
    }
}

/// How a dataset is encoded, as far as walking it asks for.
enum TransferSyntaxEncoding: Equatable {
    case implicit
    case explicit
    /// Explicit little endian with compressed pixel data.
    case encapsulated

    /// Nil for big endian, deflated and unknown transfer syntaxes.
    ///
    /// - Source: DICOM PS3.6 table A-1.
    init?(_ uid: UID) {
        switch uid {
        case .implicitLittleEndian: self = .implicit
        case .explicitLittleEndian: self = .explicit
        default:
            guard Self.encapsulatedSyntaxes.contains(uid.description) else { return nil }
            self = .encapsulated
        }
    }

    /// RLE; JPEG baseline, extended and lossless; JPEG-LS; JPEG 2000; high-throughput JPEG 2000.
    private static let encapsulatedSyntaxes: Set<String> = [
        "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203",
    ]
}

/// A DICOM unique identifier that keeps the rules of its representation.
///
/// - Source: DICOM PS3.5 section 9.1: at most 64 characters, components of digits without leading zeros.
public struct UID: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    static let lengthLimit = 64

    public init?(_ text: String) {
        self.init(bytes: Array(text.utf8))
    }

    /// Reads a value as it is stored or sent; padding at its end is not part of it.
    init?(bytes: some Sequence<UInt8>) {
        var digits = Array(bytes)
        // The standard pads with one NUL; several vendors pad with a space.
        if digits.last == 0 || digits.last == UInt8(ascii: " ") { digits.removeLast() }
        guard !digits.isEmpty, digits.count <= UID.lengthLimit else { return nil }
        for component in digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !component.isEmpty, component.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return nil }
            guard component.count == 1 || component.first != UInt8(ascii: "0") else { return nil }
        }
        description = String(decoding: digits, as: UTF8.self)
    }

    /// For the constants of this module, which are known to be right.
    init(constant: String) {
        description = constant
    }
}

extension UID {
    public static let verification = UID(constant: "1.2.840.10008.1.1")

    public static let explicitLittleEndian = UID(constant: "1.2.840.10008.1.2.1")
    public static let implicitLittleEndian = UID(constant: "1.2.840.10008.1.2")

    public static let rleLossless = UID(constant: "1.2.840.10008.1.2.5")
    public static let jpegLossless = UID(constant: "1.2.840.10008.1.2.4.57")
    public static let jpegLosslessFirstOrder = UID(constant: "1.2.840.10008.1.2.4.70")
    public static let jpegLSLossless = UID(constant: "1.2.840.10008.1.2.4.80")

    public static let studyRootFind = UID(constant: "1.2.840.10008.5.1.4.1.2.2.1")
    public static let studyRootMove = UID(constant: "1.2.840.10008.5.1.4.1.2.2.2")

    public static let studyRootGet = UID(constant: "1.2.840.10008.5.1.4.1.2.2.3")

    /// The class and its only instance.
    ///
    /// - Source: DICOM PS3.4 annex J.3, Storage Commitment Push Model.
    public static let storageCommitment = UID(constant: "1.2.840.10008.1.20.1")
    static let storageCommitmentInstance = UID(constant: "1.2.840.10008.1.20.1.1")

    /// - Source: DICOM PS3.7 annex A.2.1.
    static let applicationContext = UID(constant: "1.2.840.10008.3.1.1.1")

    public static let nuclearMedicineImage = UID(constant: "1.2.840.10008.5.1.4.1.1.20")
    public static let ctImage = UID(constant: "1.2.840.10008.5.1.4.1.1.2")
    public static let enhancedCTImage = UID(constant: "1.2.840.10008.5.1.4.1.1.2.1")
    public static let petImage = UID(constant: "1.2.840.10008.5.1.4.1.1.128")
    public static let enhancedPETImage = UID(constant: "1.2.840.10008.5.1.4.1.1.130")
    public static let rtStructureSet = UID(constant: "1.2.840.10008.5.1.4.1.1.481.3")
    public static let rtDose = UID(constant: "1.2.840.10008.5.1.4.1.1.481.2")
    public static let rtPlan = UID(constant: "1.2.840.10008.5.1.4.1.1.481.5")
    public static let segmentation = UID(constant: "1.2.840.10008.5.1.4.1.1.66.4")
    public static let spatialRegistration = UID(constant: "1.2.840.10008.5.1.4.1.1.66.1")
    public static let radiopharmaceuticalDoseReport = UID(constant: "1.2.840.10008.5.1.4.1.1.88.68")

    /// Classes whose instances always have pixel data.
    static let imageClasses: Set<UID> = [
        .nuclearMedicineImage, .ctImage, .enhancedCTImage, .petImage, .enhancedPETImage, .segmentation,
    ]
}

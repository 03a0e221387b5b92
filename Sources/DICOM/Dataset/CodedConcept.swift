/// A code, the scheme it belongs to and what it means.
///
/// - Source: DICOM PS3.3, section 8.8, Standard Attribute Set for Code Sequences.
public struct CodedConcept: Equatable, Sendable {
    public let value, scheme, meaning: String

    public init(_ value: String, _ scheme: String, _ meaning: String) {
        (self.value, self.scheme, self.meaning) = (value, scheme, meaning)
    }
}

// MARK: - The codes that are written
extension CodedConcept {
    static let anteriorProjection = CodedConcept("399321004", "SCT", "Anterior projection")
    static let posteriorProjection = CodedConcept("399001007", "SCT", "Posterior projection")
    static let recumbent = CodedConcept("102538003", "SCT", "Recumbent body position")
    static let supine = CodedConcept("40199007", "SCT", "Supine body position")
    static let headFirst = CodedConcept("102540001", "SCT", "Headfirst")
    static let lutetium177 = CodedConcept("447553000", "SCT", "^177^Lutetium")
    static let gallium68 = CodedConcept("49169000", "SCT", "^68^Gallium")
    static let processingEquipment = CodedConcept("109102", "DCM", "Processing Equipment")
    static let segmentation = CodedConcept("113076", "DCM", "Segmentation")
    static let sourceImage = CodedConcept("121322", "DCM", "Source image for image processing operation")
    static let becquerelsPerMillilitre = CodedConcept("Bq/ml", "UCUM", "Becquerels/milliliter")
}

extension CodedConcept {
    /// - Source: DICOM PS3.16, CID 18, by the name of ``Radionuclide``.
    static func radionuclide(_ name: String) -> CodedConcept? {
        ["177Lu": lutetium177, "68Ga": gallium68][name]
    }
}

// MARK: - The codes that are understood, in SNOMED CT and in the older SNOMED-RT
extension CodedConcept {
    /// - Source: DICOM PS3.16, CID 26; the two latter of each are those of projection radiography.
    static let anteriorCodes: Set<String> = ["399321004", "G-5215", "399348003", "R-10206"]
    static let posteriorCodes: Set<String> = ["399001007", "G-5216", "272479007", "R-40888"]
    /// - Source: DICOM PS3.16, CID 20.
    static let proneCodes: Set<String> = ["1240000", "F-10310"]
    static let supineCodes: Set<String> = ["40199007", "F-10340"]
    /// - Source: DICOM PS3.16, CID 21, with the two codes that it once held.
    static let headFirstCodes: Set<String> = ["102540001", "F-10470", "G-5190"]
    static let feetFirstCodes: Set<String> = ["102541002", "F-10480", "G-5191"]
    /// - Source: DICOM PS3.16, CID 18, by the name of ``Radionuclide``.
    static let radionuclideCodes: [String: Set<String>] = ["177Lu": ["447553000", "C-101ED"]]
}

extension Dataset {
    /// The codes of a code sequence, without those that lack a value.
    func codes(_ tag: AttributeTag) -> [String] { items(tag).compactMap { $0.text(.codeValue) } }

    func put(_ tag: AttributeTag, code: CodedConcept) {
        append(to: tag) { item in
            item.put(.codeValue, code.value)
            item.put(.codingSchemeDesignator, code.scheme)
            item.put(.codeMeaning, code.meaning)
        }
    }
}

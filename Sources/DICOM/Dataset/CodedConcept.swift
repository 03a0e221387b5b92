/// A code, the scheme it belongs to and what it means.
///
/// - Source: DICOM PS3.3, section 8.8, Standard Attribute Set for Code Sequences.
public struct CodedConcept: Equatable, Sendable {
    public let value, scheme, meaning: String

    public init(_ value: String, _ scheme: String, _ meaning: String) {
        (self.value, self.scheme, self.meaning) = (value, scheme, meaning)
    }

    public static let anterior = CodedConcept("399348003", "SCT", "Antero-posterior")
    public static let processingEquipment = CodedConcept("109102", "DCM", "Processing Equipment")
    public static let sourceImage = CodedConcept("121322", "DCM", "Source image for image processing operation")
    public static let becquerelsPerMillilitre = CodedConcept("Bq/ml", "UCUM", "Becquerels/milliliter")

    func matches(_ codes: Set<String>) -> Bool { codes.contains(value) }
}

extension Dataset {
    /// The codes of a code sequence, without those that lack a value.
    func codes(_ tag: Tag) -> [String] { items(tag).compactMap { $0.text(.codeValue) } }

    func put(_ tag: Tag, code: CodedConcept) {
        append(to: tag) { item in
            item.put(.codeValue, code.value)
            item.put(.codingSchemeDesignator, code.scheme)
            item.put(.codeMeaning, code.meaning)
        }
    }
}

// Attributes of structured reports, encapsulated documents and dose-volume histograms.

// MARK: - Structured reports
extension AttributeTag {
    public static let referencedPerformedProcedureStepSequence = AttributeTag(0x0008, 0x1111, .SQ)
    public static let referencedSOPSequence = AttributeTag(0x0008, 0x1199, .SQ)
    public static let relationshipType = AttributeTag(0x0040, 0xA010, .CS)
    public static let valueType = AttributeTag(0x0040, 0xA040, .CS)
    public static let conceptNameCodeSequence = AttributeTag(0x0040, 0xA043, .SQ)
    public static let continuityOfContent = AttributeTag(0x0040, 0xA050, .CS)
    public static let textValue = AttributeTag(0x0040, 0xA160, .UT)
    public static let conceptCodeSequence = AttributeTag(0x0040, 0xA168, .SQ)
    public static let measuredValueSequence = AttributeTag(0x0040, 0xA300, .SQ)
    public static let numericValue = AttributeTag(0x0040, 0xA30A, .DS)
    public static let performedProcedureCodeSequence = AttributeTag(0x0040, 0xA372, .SQ)
    public static let currentRequestedProcedureEvidenceSequence = AttributeTag(0x0040, 0xA375, .SQ)
    public static let completionFlag = AttributeTag(0x0040, 0xA491, .CS)
    public static let verificationFlag = AttributeTag(0x0040, 0xA493, .CS)
    public static let contentTemplateSequence = AttributeTag(0x0040, 0xA504, .SQ)
    public static let contentSequence = AttributeTag(0x0040, 0xA730, .SQ)
    public static let mappingResource = AttributeTag(0x0008, 0x0105, .CS)
    public static let templateIdentifier = AttributeTag(0x0040, 0xDB00, .CS)
    public static let dateTime = AttributeTag(0x0040, 0xA120, .DT)
    public static let uidValue = AttributeTag(0x0040, 0xA124, .UI)
}

// MARK: - Encapsulated documents
extension AttributeTag {
    public static let acquisitionDateTime = AttributeTag(0x0008, 0x002A, .DT)
    public static let conversionType = AttributeTag(0x0008, 0x0064, .CS)
    public static let burnedInAnnotation = AttributeTag(0x0028, 0x0301, .CS)
    public static let documentTitle = AttributeTag(0x0042, 0x0010, .ST)
    public static let encapsulatedDocument = AttributeTag(0x0042, 0x0011, .OB)
    public static let mimeTypeOfEncapsulatedDocument = AttributeTag(0x0042, 0x0012, .LO)
    public static let sourceInstanceSequence = AttributeTag(0x0042, 0x0013, .SQ)
    public static let encapsulatedDocumentLength = AttributeTag(0x0042, 0x0015, .UL)
}

// MARK: - Dose-volume histograms
extension AttributeTag {
    public static let dvhType = AttributeTag(0x3004, 0x0001, .CS)
    public static let dvhSequence = AttributeTag(0x3004, 0x0050, .SQ)
    public static let dvhDoseScaling = AttributeTag(0x3004, 0x0052, .DS)
    public static let dvhVolumeUnits = AttributeTag(0x3004, 0x0054, .CS)
    public static let dvhNumberOfBins = AttributeTag(0x3004, 0x0056, .IS)
    public static let dvhData = AttributeTag(0x3004, 0x0058, .DS)
    public static let dvhReferencedROISequence = AttributeTag(0x3004, 0x0060, .SQ)
    public static let dvhROIContributionType = AttributeTag(0x3004, 0x0062, .CS)
    public static let dvhMinimumDose = AttributeTag(0x3004, 0x0070, .DS)
    public static let dvhMaximumDose = AttributeTag(0x3004, 0x0072, .DS)
    public static let dvhMeanDose = AttributeTag(0x3004, 0x0074, .DS)
}

// Attributes of multi-frame segmentations, by the keywords of DICOM PS3.6 in Swift's case.

// MARK: - Segments
extension AttributeTag {
    public static let segmentationType = AttributeTag(0x0062, 0x0001, .CS)
    public static let segmentSequence = AttributeTag(0x0062, 0x0002, .SQ)
    public static let segmentedPropertyCategoryCodeSequence = AttributeTag(0x0062, 0x0003, .SQ)
    public static let segmentNumber = AttributeTag(0x0062, 0x0004, .US)
    public static let segmentLabel = AttributeTag(0x0062, 0x0005, .LO)
    public static let segmentAlgorithmType = AttributeTag(0x0062, 0x0008, .CS)
    public static let segmentAlgorithmName = AttributeTag(0x0062, 0x0009, .LO)
    public static let segmentIdentificationSequence = AttributeTag(0x0062, 0x000A, .SQ)
    public static let referencedSegmentNumber = AttributeTag(0x0062, 0x000B, .US)
    public static let maximumFractionalValue = AttributeTag(0x0062, 0x000E, .US)
    public static let segmentedPropertyTypeCodeSequence = AttributeTag(0x0062, 0x000F, .SQ)
    public static let segmentationFractionalType = AttributeTag(0x0062, 0x0010, .CS)
    public static let segmentsOverlap = AttributeTag(0x0062, 0x0013, .CS)
}

// MARK: - Frames
extension AttributeTag {
    public static let sharedFunctionalGroupsSequence = AttributeTag(0x5200, 0x9229, .SQ)
    public static let perFrameFunctionalGroupsSequence = AttributeTag(0x5200, 0x9230, .SQ)
    public static let frameContentSequence = AttributeTag(0x0020, 0x9111, .SQ)
    public static let planePositionSequence = AttributeTag(0x0020, 0x9113, .SQ)
    public static let planeOrientationSequence = AttributeTag(0x0020, 0x9116, .SQ)
    public static let pixelMeasuresSequence = AttributeTag(0x0028, 0x9110, .SQ)
    public static let spacingBetweenSlices = AttributeTag(0x0018, 0x0088, .DS)
    public static let dimensionIndexValues = AttributeTag(0x0020, 0x9157, .UL)
    public static let dimensionOrganizationUID = AttributeTag(0x0020, 0x9164, .UI)
    public static let dimensionIndexPointer = AttributeTag(0x0020, 0x9165, .AT)
    public static let functionalGroupPointer = AttributeTag(0x0020, 0x9167, .AT)
    public static let dimensionOrganizationSequence = AttributeTag(0x0020, 0x9221, .SQ)
    public static let dimensionIndexSequence = AttributeTag(0x0020, 0x9222, .SQ)
}

// MARK: - Registrations
extension AttributeTag {
    public static let registrationSequence = AttributeTag(0x0070, 0x0308, .SQ)
    public static let matrixRegistrationSequence = AttributeTag(0x0070, 0x0309, .SQ)
    public static let matrixSequence = AttributeTag(0x0070, 0x030A, .SQ)
    public static let matrixType = AttributeTag(0x0070, 0x030C, .CS)
    public static let frameOfReferenceTransformationMatrix = AttributeTag(0x3006, 0x00C6, .DS)
}

// MARK: - Content
extension AttributeTag {
    public static let sourceImageSequence = AttributeTag(0x0008, 0x2112, .SQ)
    public static let derivationDescription = AttributeTag(0x0008, 0x2111, .ST)
    public static let derivationImageSequence = AttributeTag(0x0008, 0x9124, .SQ)
    public static let derivationCodeSequence = AttributeTag(0x0008, 0x9215, .SQ)
    public static let referencedSeriesSequence = AttributeTag(0x0008, 0x1115, .SQ)
    public static let deviceSerialNumber = AttributeTag(0x0018, 0x1000, .LO)
    public static let contentLabel = AttributeTag(0x0070, 0x0080, .CS)
    public static let contentDescription = AttributeTag(0x0070, 0x0081, .LO)
    public static let contentCreatorName = AttributeTag(0x0070, 0x0084, .PN)
}

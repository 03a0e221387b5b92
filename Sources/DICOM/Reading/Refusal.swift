/// Why an instance is of no use. No case holds text of a file: it could name a patient.
public enum Refusal: Equatable, Sendable {
    case unreadableFile
    case noInstances
    case attributeMissing(AttributeTag)
    case valueMalformed(AttributeTag)
    case sopClass(expected: SOPClass)
    case imageType
    case transferSyntax
    case lossyCompression
    case pixelFormat(bitsAllocated: Int, bitsStored: Int)
    case impossibleDimensions(columns: Int, rows: Int, frames: Int)
    case pixelDataLength(expected: Int, found: Int)

    // Planar images.
    case frameVectorLength(AttributeTag, expected: Int, found: Int)
    case frameVectorRange(AttributeTag, value: Int)
    case frameRepeated(window: Int, detector: Int)
    case frameMissing(window: Int, detector: Int)
    case frameIncrement
    case negativeCounts
    case countsDiffer(stated: Int, found: Int)
    case planarOrientation
    /// One that is named and that nobody here knows.
    case radionuclideUnsupported
    /// Two instances that are no pair, and the attribute in which they differ.
    case instancesUnpaired(AttributeTag)

    // Series of slices.
    /// Slices of one series that differ where they must agree.
    case slicesDiffer(AttributeTag)
    case framesOfReferenceDiffer
    case obliqueOrientation
    case gantryTilt
    case slicesTooFew(found: Int)
    case slicesMissing(afterSlice: Int)
    case sliceRepeated(slice: Int)
    case units
    case attenuationUncorrected

    /// A registration that scales, shears or mirrors.
    case registrationNotRigid

    // Contours.
    case contourMalformed(region: Int)
    case contourNotAxial(region: Int)
    case segmentationType
    /// A frame of a segment that the file does not describe.
    case segmentUnknown(number: Int)

    /// A word that never changes, for rows, metrics and scripts.
    public var reasonCode: String {
        switch self {
        case .unreadableFile: "file-unreadable"
        case .noInstances: "no-instances"
        case .attributeMissing: "attribute-missing"
        case .valueMalformed: "value-malformed"
        case .sopClass: "sop-class"
        case .imageType: "image-type"
        case .transferSyntax: "transfer-syntax"
        case .lossyCompression: "lossy-compression"
        case .pixelFormat: "pixel-format"
        case .impossibleDimensions: "impossible-dimensions"
        case .pixelDataLength: "pixel-data-length"
        case .frameVectorLength: "frame-vector-length"
        case .frameVectorRange: "frame-vector-range"
        case .frameRepeated: "frame-repeated"
        case .frameMissing: "frame-missing"
        case .frameIncrement: "frame-increment"
        case .negativeCounts: "counts-negative"
        case .countsDiffer: "counts-differ"
        case .planarOrientation: "planar-orientation"
        case .radionuclideUnsupported: "radionuclide-unsupported"
        case .instancesUnpaired: "instances-unpaired"
        case .slicesDiffer: "slices-differ"
        case .framesOfReferenceDiffer: "frames-of-reference-differ"
        case .obliqueOrientation: "orientation-oblique"
        case .gantryTilt: "gantry-tilt"
        case .slicesTooFew: "slices-too-few"
        case .slicesMissing: "slices-missing"
        case .sliceRepeated: "slice-repeated"
        case .units: "units"
        case .attenuationUncorrected: "attenuation-uncorrected"
        case .registrationNotRigid: "registration-not-rigid"
        case .contourMalformed: "contour-malformed"
        case .contourNotAxial: "contour-not-axial"
        case .segmentationType: "segmentation-type"
        case .segmentUnknown: "segment-unknown"
        }
    }
}

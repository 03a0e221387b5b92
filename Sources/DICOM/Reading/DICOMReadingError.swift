/// Why an instance cannot be used.
public enum DICOMReadingError: Error, Equatable, Sendable {
    /// The case waits: a person or a site's rule can supply what the file does not say.
    case needsInput(MissingInput)
    /// The instance is not of use, and no input would change that.
    case refused(Refusal)

    /// A word that never changes, for rows, metrics and scripts.
    public var reasonCode: String {
        switch self {
        case .needsInput(let missing): missing.rawValue
        case .refused(let refusal): refusal.reasonCode
        }
    }
}

/// What a file does not say and nobody may guess; the raw value is the reason code.
public enum MissingInput: String, Equatable, Sendable, CaseIterable {
    case view = "view-unknown"
    /// Two detectors are said to look from the same side.
    case viewAmbiguous = "view-ambiguous"
    case oppositeView = "opposite-view-missing"
    case radionuclide = "radionuclide-unknown"
    case energyWindow = "energy-window-unknown"
    /// No window holds one of the radionuclide's lines.
    case photopeak = "photopeak-missing"
    case pixelSpacing = "pixel-spacing-unknown"
    case scanVelocity = "scan-velocity-unknown"
    case scanLength = "scan-length-unknown"
    case fieldOfView = "field-of-view-unknown"
    case frameDuration = "frame-duration-unknown"
    case acquisitionTime = "acquisition-time-unknown"
    /// A report of an administration that does not say how much was given, or when.
    case administration = "administration-unknown"
    case frameOfReference = "frame-of-reference-unknown"

    /// The attribute that would have said it.
    public var attribute: AttributeTag {
        switch self {
        case .view, .viewAmbiguous, .oppositeView: .viewCodeSequence
        case .radionuclide: .radionuclideCodeSequence
        case .energyWindow, .photopeak: .energyWindowRangeSequence
        case .pixelSpacing: .pixelSpacing
        case .scanVelocity: .scanVelocity
        case .scanLength: .scanLength
        case .fieldOfView: .fieldOfViewDimensions
        case .frameDuration: .actualFrameDuration
        case .acquisitionTime: .acquisitionTime
        case .administration: .contentSequence
        case .frameOfReference: .frameOfReferenceUID
        }
    }
}

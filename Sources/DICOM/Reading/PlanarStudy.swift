public import Imaging

/// Anterior and posterior images of one acquisition, in the patient's axes, and what their files say about it.
public struct PlanarStudy: Equatable, Sendable {
    public enum Acquisition: String, Sendable, Codable {
        case wholeBody = "WHOLE BODY"
        case `static` = "STATIC"
    }

    public let acquisition: Acquisition
    public let radionuclide: Radionuclide
    /// One anterior and one posterior view for every energy window, the anterior first.
    public let views: [PlanarView]
    /// The windows that hold a line of the radionuclide, that of the preferred line first.
    public let photopeaks: [Photopeak]
    public let startedAt: LocalTimestamp
    /// Seconds from the first to the last count.
    public let durationSeconds: Double
    public let administration: Administration
    public let equipment: Equipment
    public let collimator: Collimator
    public let sources: [SourceReference]
    /// How the reader came to what it says, for the report.
    public let findings: [PlanarFinding]

    /// The view from a side in a window.
    public func view(_ direction: ViewDirection, in window: EnergyWindow) -> PlanarView? {
        views.first { $0.direction == direction && $0.window == window }
    }
}

/// What was given to the patient, as far as a file says it.
public struct Administration: Equatable, Sendable {
    public let megabecquerels: Double?
    public let startedAt: LocalTimestamp?
    /// Seconds since midnight, when the file gives a time of day without its date.
    public let secondsOfDay: Double?

    public init(megabecquerels: Double? = nil, startedAt: LocalTimestamp? = nil, secondsOfDay: Double? = nil) {
        (self.megabecquerels, self.startedAt, self.secondsOfDay) = (megabecquerels, startedAt, secondsOfDay)
    }

    /// - Parameter megabecquerelsPerUnit: RadionuclideTotalDose is in MBq in a nuclear medicine image and in Bq in a
    ///   PET image.
    init(_ dataset: Dataset, megabecquerelsPerUnit: Double) throws(DICOMReadingError) {
        let item = dataset.items(.radiopharmaceuticalInformationSequence).first
        let stated = try item?.decimal(.radionuclideTotalDose)
        megabecquerels = stated.flatMap { $0 > 0 ? $0 * megabecquerelsPerUnit : nil }
        startedAt = item?.text(.radiopharmaceuticalStartDateTime).flatMap { LocalTimestamp(dateTime: $0) }
        secondsOfDay =
            startedAt?.secondsOfDay
            ?? item?.text(.radiopharmaceuticalStartTime).flatMap { LocalTimestamp.secondsOfDay($0) }
    }
}

/// The collimator, as a file names it.
public struct Collimator: Equatable, Sendable {
    /// `PARA` for parallel holes, and the standard's other terms.
    public let type: String?
    /// The vendor's name for it.
    public let gridName: String?

    public init(type: String? = nil, gridName: String? = nil) {
        (self.type, self.gridName) = (type, gridName)
    }
}

/// How the reader came to what it says.
public enum PlanarFinding: Equatable, Sendable {
    case view(ViewDirection, detector: Int, by: ViewEvidence)
    /// Another attribute says the opposite; the one earlier in the order of ``ViewEvidence`` holds.
    case viewDisputed(detector: Int, by: ViewEvidence)
    /// The file does not say how the patient lay: supine and head first is assumed.
    case supineHeadFirstAssumed
    /// The detector's image orientation says how pixels lie; without it the convention of the views does.
    case turnedByDetectorOrientation(detector: Int)
    /// Correlation of the anterior view with the posterior one as it was turned, and with its mirror image. A larger
    /// second number means that the posterior image was stored mirrored, contrary to what its file says.
    case mirroring(turned: Double, mirrored: Double)
    case countsNotStated
    /// Date and time are those of the series.
    case startOfSeries
    /// Views came in several instances.
    case paired(instances: Int, secondsApart: Double)
    case suppliedBySite(AttributeTag)
}

/// What tells from which side a detector looks, in the order in which it is believed.
public enum ViewEvidence: String, Equatable, Sendable, CaseIterable {
    case viewCode, imageOrientation, words, siteRule
    /// Corroborates and never decides: vendors count angles differently.
    case startAngle
}

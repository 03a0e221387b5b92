public import DICOM
import Reconstruction

/// What a reconstruction says to machines: the content of `summary.json`.
///
/// - Units: in the names; Bq/mL and MBq only when calibrated.
public struct ResultSummary: Codable, Equatable, Sendable {
    public struct Organ: Codable, Equatable, Sendable {
        public let name: String
        public let kind: String
        public let volumeMillilitres: Double
        public let activityMegabecquerel: Double?
        public let meanBecquerelPerMillilitre: Double?
        /// Share of all activity in the field; the only value there is without a calibration.
        public let activityPercent: Double
        /// Share of what was injected, both at the time of the scan; nil when that is not known.
        public let injectedPercent: Double?
        public let deviationPercent: Double
        public let dataShare: Double
        /// How far from its place in the CT the region was found, along x, y and z.
        public let shiftMillimetres: [Double]
        /// Mean squared deviation in units of its variance where the region gives most of the counts.
        public let chiSquare: Double?
        /// What simpler ways say: the conjugate view, and the PET's pattern times one factor. Nil without a calibration.
        public let conjugateViewMegabecquerel, templateMegabecquerel: Double?

        enum CodingKeys: String, CodingKey {
            case name, kind
            case conjugateViewMegabecquerel = "conjugate_view_mbq"
            case templateMegabecquerel = "pet_template_mbq"
            case volumeMillilitres = "volume_ml"
            case activityMegabecquerel = "activity_mbq"
            case meanBecquerelPerMillilitre = "mean_bq_per_ml"
            case activityPercent = "activity_percent"
            case injectedPercent = "injected_percent"
            case deviationPercent = "sd_percent"
            case dataShare = "data_share"
            case shiftMillimetres = "shift_mm"
            case chiSquare = "chi_square"
        }
    }

    /// What was given to the patient.
    public struct Injection: Codable, Equatable, Sendable {
        public let activityMegabecquerel: Double
        public let hoursBefore: Double
        /// What is left of it at the time of the scan.
        public let remainingMegabecquerel: Double
        /// `report` for a report of the administration, `image` for the planar image itself.
        public let statedBy: String

        enum CodingKeys: String, CodingKey {
            case activityMegabecquerel = "activity_mbq"
            case hoursBefore = "hours_before"
            case remainingMegabecquerel = "remaining_mbq"
            case statedBy = "stated_by"
        }

        init?(_ study: StudyReader.Study) {
            guard let activity = study.administration.megabecquerels, let start = study.administration.startedAt else {
                return nil
            }
            let seconds = study.planar.startedAt.seconds(since: start)
            guard seconds >= 0 else { return nil }
            (activityMegabecquerel, hoursBefore) = (activity, seconds / 3600)
            remainingMegabecquerel = activity * study.planar.radionuclide.remaining(afterSeconds: seconds)
            statedBy = study.findings.contains("administration-from-report") ? "report" : "image"
        }
    }

    /// Activity that lies in no region of the anatomy.
    public struct Unexplained: Codable, Equatable, Sendable {
        public let name: String
        public let activityMegabecquerel: Double?
        /// Share of all activity in the field.
        public let activityPercent: Double
        public let deviationPercent: Double
        public let positionMillimetres: [Double]
        public let depthDeviationMillimetres: Double

        enum CodingKeys: String, CodingKey {
            case name
            case activityMegabecquerel = "activity_mbq"
            case activityPercent = "activity_percent"
            case deviationPercent = "sd_percent"
            case positionMillimetres = "position_mm"
            case depthDeviationMillimetres = "depth_sd_mm"
        }
    }

    public struct View: Codable, Equatable, Sendable {
        public let direction: String
        /// Photon line, in keV.
        public let energy: Double
        public let chiSquare: Double
        /// x and z that were added to the planar image's coordinates.
        public let offsetMillimetres: [Double]
        public let countsMeasured, countsExpected: Double

        enum CodingKeys: String, CodingKey {
            case direction
            case energy = "energy_kev"
            case chiSquare = "chi_square"
            case offsetMillimetres = "offset_mm"
            case countsMeasured = "counts_measured"
            case countsExpected = "counts_expected"
        }
    }

    /// When the image was taken, and what had been given to the patient before, as far as the files say it.
    public struct Acquisition: Codable, Equatable, Sendable {
        public let radionuclide: String
        public let acquiredAt: LocalTimestamp
        public let administeredAt: LocalTimestamp?
        public let administeredMegabecquerel: Double?

        enum CodingKeys: String, CodingKey {
            case radionuclide
            case acquiredAt = "acquired_at"
            case administeredAt = "administered_at"
            case administeredMegabecquerel = "administered_mbq"
        }

        package init(
            radionuclide: String, acquiredAt: LocalTimestamp, administeredAt: LocalTimestamp?,
            administeredMegabecquerel: Double?
        ) {
            (self.radionuclide, self.acquiredAt) = (radionuclide, acquiredAt)
            (self.administeredAt, self.administeredMegabecquerel) = (administeredAt, administeredMegabecquerel)
        }

        init(_ study: StudyReader.Study) {
            self.init(
                radionuclide: study.planar.radionuclide.name, acquiredAt: study.planar.startedAt,
                administeredAt: study.administration.startedAt,
                administeredMegabecquerel: study.administration.megabecquerels)
        }
    }

    public let method: String
    /// Nil in what earlier versions wrote.
    public let acquisition: Acquisition?
    public let isCalibrated: Bool
    /// Unit of the map: `Bq/mL` or `%/mL`.
    public let unit: String
    public let injection: Injection?
    public let organs: [Organ]
    public let unexplained: [Unexplained]
    public let views: [View]
    /// By how much the patient's image was turned in its plane.
    public let rotationDegrees: Double
    public let checks: [QualityCheck]
    /// What was assumed, as stable codes.
    public private(set) var findings: [String]
    /// What was assumed, in numbers; nil in what earlier versions wrote.
    public private(set) var assumptions: ReconstructionAssumptions?
    public let iterations: Int
    public let hasConverged: Bool
    public let provenance: Provenance
    public let sources: [SourceReference]

    enum CodingKeys: String, CodingKey {
        case method, acquisition, unit, injection, organs, unexplained, views, checks, findings, assumptions, iterations
        case provenance, sources
        case isCalibrated = "calibrated"
        case hasConverged = "converged"
        case rotationDegrees = "rotation_degrees"
    }

    init(
        _ estimate: ActivityEstimate, simpler: SimplerEstimates?, method: String, acquisition: Acquisition,
        checks: [QualityCheck], provenance: Provenance, study: StudyReader.Study
    ) {
        (self.method, self.acquisition) = (method, acquisition)
        isCalibrated = estimate.isCalibrated
        unit = estimate.isCalibrated ? "Bq/mL" : "%/mL"
        let total = estimate.totalActivity
        let injected = Injection(study)
        injection = injected
        organs = estimate.organs.map { organ in
            Organ(
                name: organ.name, kind: organ.kind.rawValue, volumeMillilitres: organ.millilitres,
                activityMegabecquerel: estimate.isCalibrated ? organ.activity : nil,
                meanBecquerelPerMillilitre: estimate.isCalibrated ? organ.meanConcentration : nil,
                activityPercent: total > 0 ? 100 * organ.activity / total : 0,
                injectedPercent: estimate.isCalibrated
                    ? injected.map { 100 * organ.activity / $0.remainingMegabecquerel } : nil,
                deviationPercent: organ.deviationPercent, dataShare: organ.dataShare,
                shiftMillimetres: [organ.shift.x, organ.shift.y, organ.shift.z], chiSquare: organ.chiSquare,
                conjugateViewMegabecquerel: simpler?.conjugateView[organ.name],
                templateMegabecquerel: simpler?.template[organ.name])
        }
        unexplained = estimate.unexplained.map { focus in
            Unexplained(
                name: focus.name, activityMegabecquerel: estimate.isCalibrated ? focus.activity : nil,
                activityPercent: total > 0 ? 100 * focus.activity / total : 0,
                deviationPercent: focus.deviationPercent,
                positionMillimetres: [focus.position.x, focus.position.y, focus.position.z],
                depthDeviationMillimetres: focus.depthDeviation)
        }
        rotationDegrees = estimate.rotationDegrees
        views = estimate.views.map { view in
            View(
                direction: view.direction.rawValue, energy: view.energy, chiSquare: view.chiSquare,
                offsetMillimetres: [estimate.offset.x, estimate.offset.y],
                countsMeasured: view.countsMeasured, countsExpected: view.countsExpected)
        }
        self.checks = checks
        findings = study.findings + estimate.findings
        iterations = estimate.iterations
        hasConverged = estimate.hasConverged
        self.provenance = provenance
        sources = study.sources
    }

    mutating func note(_ findings: [String]) { self.findings += findings }

    /// Adds what was assumed; a calibration that was not used is a finding too.
    mutating func assume(_ assumptions: ReconstructionAssumptions) {
        self.assumptions = assumptions
        findings += [assumptions.calibration.notUsed].compactMap { $0 }
    }
}

public import DICOM
public import Dosimetry

/// Absorbed dose of one administration: the content of `dose.json`.
///
/// - Units: in the names.
public struct DoseSummary: Codable, Equatable, Sendable {
    public struct Region: Codable, Equatable, Sendable {
        public let name, kind: String
        public let volumeMillilitres, massGrams: Double
        /// At the first time point.
        public let activityMegabecquerel, administeredPercent: Double
        /// The same by the geometric mean of opposed counts, when the reconstruction said.
        public let conjugateViewMegabecquerel: Double?
        /// The same by the PET's pattern scaled to the whole activity, when there was a PET.
        public let templateMegabecquerel: Double?
        /// How much of the activity the counts decided, by the reconstruction.
        public let dataShare: Double?
        /// What the planar course was multiplied with to agree with a SPECT; nil without one.
        public let spectFactor: Double?
        public let integratedMegabecquerelHours: Double
        public let gray, grayPerGigabecquerel: Double
        /// In percent: k = 1 and k = 2.
        public let deviationPercent, expandedPercent: Double
        public let budget: UncertaintyBudget
        public let nearMaximumGray, nearMinimumGray, minimumGray, maximumGray: Double
        public let effectiveGray: Double
        /// Mean by the other method, and by a sphere of the region's mass.
        public let otherMethodGray, sphereGray: Double
        public let curve: TimeActivityCurve?
        public let prior: HalfLifePrior?
        public let findings: [String]

        enum CodingKeys: String, CodingKey {
            case name, kind, budget, curve, prior, findings
            case volumeMillilitres = "volume_ml"
            case massGrams = "mass_g"
            case activityMegabecquerel = "activity_mbq"
            case administeredPercent = "administered_percent"
            case templateMegabecquerel = "pet_template_mbq"
            case dataShare = "data_share"
            case conjugateViewMegabecquerel = "conjugate_view_mbq"
            case spectFactor = "spect_factor"
            case integratedMegabecquerelHours = "integrated_mbq_h"
            case gray = "dose_gy"
            case grayPerGigabecquerel = "dose_gy_per_gbq"
            case deviationPercent = "sd_percent"
            case expandedPercent = "expanded_percent_k2"
            case nearMaximumGray = "d2_gy"
            case nearMinimumGray = "d98_gy"
            case minimumGray = "minimum_gy"
            case maximumGray = "maximum_gy"
            case effectiveGray = "bed_gy"
            case otherMethodGray = "other_method_gy"
            case sphereGray = "sphere_gy"
        }
    }

    /// The red marrow as the cancellous bone stands for it, where no contour does.
    public struct Marrow: Codable, Equatable, Sendable {
        public static let name = "marrow"

        public let volumeMillilitres: Double
        public let gray, grayPerGigabecquerel: Double
        /// That of the bone, in percent, k = 1. What the marrow has of the bone's activity no image shows.
        public let deviationPercent: Double
        public let effectiveGray: Double

        enum CodingKeys: String, CodingKey {
            case volumeMillilitres = "volume_ml"
            case gray = "dose_gy"
            case grayPerGigabecquerel = "dose_gy_per_gbq"
            case deviationPercent = "sd_percent"
            case effectiveGray = "bed_gy"
        }
    }

    /// A region's doses of all cycles so far, beside what the literature advises.
    public struct Cumulative: Codable, Equatable, Sendable {
        public let name: String
        /// How many are added up.
        public let cycles: Int
        /// Cycles that say nothing of the region, so that the sum is too low; nil when there are none.
        public let cyclesWithout: Int?
        public let gray, effectiveGray: Double
        public let limitGray: Double?
        public let limitSource: String?
        /// A biologically effective dose that the literature advises not to pass, where it has one.
        public let effectiveLimitGray: Double?

        enum CodingKeys: String, CodingKey {
            case name, cycles
            case cyclesWithout = "cycles_without"
            case effectiveLimitGray = "bed_limit_gy"
            case gray = "dose_gy"
            case effectiveGray = "bed_gy"
            case limitGray = "limit_gy"
            case limitSource = "limit_source"
        }
    }

    public struct Balance: Codable, Equatable, Sendable {
        public let emittedJoule, absorbedJoule, beyondKernelJoule, beyondGridJoule: Double

        enum CodingKeys: String, CodingKey {
            case emittedJoule = "emitted_j"
            case absorbedJoule = "absorbed_j"
            case beyondKernelJoule = "beyond_kernel_j"
            case beyondGridJoule = "beyond_grid_j"
        }
    }

    public let radionuclide: String
    public let administeredMegabecquerel: Double
    public let hours: [Double]
    public let method: String
    /// `region` or `voxel`: whose curve the decays of a voxel follow.
    public let kinetics: String
    public let regions: [Region]
    public let marrow: Marrow?
    public let cumulative: [Cumulative]
    public let balance: Balance
    public let checks: [QualityCheck]
    public let assumptions: UncertaintyBudget.Assumptions
    /// What was assumed, as stable codes.
    public let findings: [String]
    public let provenance: Provenance
    public let sources: [SourceReference]

    /// What adds up over cycles under one name.
    func dose(named name: String) -> (gray: Double, effectiveGray: Double)? {
        if let row = regions.first(where: { $0.name == name }) { return (row.gray, row.effectiveGray) }
        return name == Marrow.name ? marrow.map { ($0.gray, $0.effectiveGray) } : nil
    }

    enum CodingKeys: String, CodingKey {
        case radionuclide, hours, method, kinetics, regions, marrow, cumulative, balance, checks, assumptions, findings,
            provenance
        case sources
        case administeredMegabecquerel = "administered_mbq"
    }
}

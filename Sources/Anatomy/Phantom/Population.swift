import Imaging

/// From whom a seed draws a synthetic patient.
public struct Population: Equatable, Sendable {
    /// How a patient holds the arms.
    public enum Arms: String, Equatable, Sendable, Codable {
        /// None are there: the trunk is all that is looked at.
        case absent
        /// Beside the body, as they lie in most planar scans.
        case down
        /// Above the head, as they are held in most PET/CT scans.
        case up
    }

    /// A lognormal quantity.
    public struct Spread: Equatable, Sendable {
        public var median: Double
        /// Of the logarithm.
        public var deviation: Double

        public init(median: Double, deviation: Double) { (self.median, self.deviation) = (median, deviation) }
    }

    /// How often the arms lie beside the body; else they are above the head.
    public struct ArmsDownShare: Equatable, Sendable {
        public var petct, planar: Double

        public init(petct: Double, planar: Double) { (self.petct, self.planar) = (petct, planar) }
    }

    /// Body mass index in kg/m²; nil leaves the adult's build with small variations.
    public var bodyMassIndex: Spread?
    /// Probability that one kidney is missing; the other one is larger then.
    public var singleKidneyShare: Double
    /// Contents of the bladder at PET/CT in millilitres; nil leaves the adult's with a small variation.
    public var bladder: Spread?
    /// Standard deviation of the logarithm of the bladder's contents at the therapy over those at PET/CT.
    public var bladderChange: Double
    /// Mean of the Poisson number of lesions that PET and contours show.
    public var lesionMean: Double
    /// nil leaves the arms out.
    public var armsDown: ArmsDownShare?

    /// Adults of usual build without arms: the patient that is easiest to reconstruct.
    public static let standard = Population(
        bodyMassIndex: nil, singleKidneyShare: 0, bladder: nil, bladderChange: 0, lesionMean: 4, armsDown: nil)

    /// All that a clinic sees.
    public static let varied = Population(
        bodyMassIndex: Spread(median: 26, deviation: 0.17), singleKidneyShare: 0.05,
        bladder: Spread(median: 150, deviation: 0.5), bladderChange: 0.4, lesionMean: 5,
        armsDown: ArmsDownShare(petct: 0.3, planar: 0.9))

    /// Body mass indices beyond these are drawn as these.
    public static let bodyMassIndexRange = 18.0...40.0
    /// The same of the bladder's contents, in millilitres.
    public static let bladderRange = 40.0...500.0
}

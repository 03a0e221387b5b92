public import Imaging

/// What the RT objects of one job share.
public struct RTDoseContext: Sendable {
    /// The plan that a dose is said to belong to.
    public enum Plan: Equatable, Sendable {
        /// The minimal RT Plan that ``RTDoseWriter/plan()`` makes.
        case minimal
        /// A plan that the workstation supplied.
        case existing(sopInstanceUID: String)
        /// No plan at all, for sites whose importers accept it.
        case overview
    }

    public enum Qualification: String, Sendable, Codable {
        case research = "RESEARCH"
        case product = "PRODUCT"
    }

    /// The CT's, which the PET shares.
    public let frameOfReferenceUID: String
    /// When given, the slices must lie on the CT's.
    public let ctGrid: VoxelGrid?
    public let plan: Plan
    public let sources: [SourceReference]
    public let provenance: Provenance
    public let qualification: Qualification
    public let storage: EncodedDose.Storage
    public let createdAt: LocalTimestamp
    /// Its namespace names the job.
    public let uids: UIDGenerator

    public init(
        frameOfReferenceUID: String, ctGrid: VoxelGrid?, plan: Plan = .minimal, sources: [SourceReference],
        provenance: Provenance, qualification: Qualification = .research, storage: EncodedDose.Storage = .sixteen,
        createdAt: LocalTimestamp, uids: UIDGenerator
    ) {
        self.frameOfReferenceUID = frameOfReferenceUID
        self.ctGrid = ctGrid
        self.plan = plan
        self.sources = sources
        self.provenance = provenance
        self.qualification = qualification
        self.storage = storage
        self.createdAt = createdAt
        self.uids = uids
    }
}

/// What made a result.
public struct Provenance: Equatable, Sendable, Codable {
    public let version, commit, modelHash, recipeHash: String
    public let seed: UInt64

    public init(version: String, commit: String, modelHash: String, recipeHash: String, seed: UInt64) {
        self.version = version
        self.commit = commit
        self.modelHash = modelHash
        self.recipeHash = recipeHash
        self.seed = seed
    }
}

/// A map to be stored as an RT Dose object.
public struct DoseMap: Sendable {
    public enum Quantity: Equatable, Sendable {
        /// In Bq/mL at a time.
        case activityConcentration(at: LocalTimestamp)
        /// In percent of the field's activity per mL: all that an uncalibrated camera can tell.
        case relativeActivity
        /// In Gy.
        case absorbedDose
    }

    public enum Statistic: Equatable, Sendable {
        case value
        /// One standard deviation, in the unit of the quantity.
        case standardDeviation
    }

    public let quantity: Quantity
    public let statistic: Statistic
    public let volume: Volume<Float>
    /// Named in the series' description, because RT Dose has no attribute for it.
    public let radionuclide: String?

    public init(
        _ quantity: Quantity, statistic: Statistic = .value, volume: Volume<Float>, radionuclide: String? = nil
    ) {
        (self.quantity, self.statistic, self.volume) = (quantity, statistic, volume)
        self.radionuclide = radionuclide
    }
}

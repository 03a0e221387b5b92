public import Anatomy
import Imaging
import Learning
public import Tomography

/// A planar scan whose true map is known.
public struct TrainingCase: Sendable {
    public let scan: PlanarScan
    public let truth: TrueMap

    public init(scan: PlanarScan, truth: TrueMap) {
        precondition(scan.initial.grid == truth.activity.grid)
        (self.scan, self.truth) = (scan, truth)
    }
}

/// The patient-specific dataset: possible maps of one patient with their scans, each solved by Stage 0 as a measured one
/// would be, made when they are asked for.
///
/// Maps are drawn on finer voxels than the patient's and seen by another projector than the one that reconstructs: what a network learns
/// on the reconstruction's own voxels it finds nowhere else.
public struct PersonalDataset: Sendable {
    public let patient: PatientChannels
    private let sampler: UptakeSampler
    private let camera: AcquisitionSampler
    package let stage: StageZero

    /// Raised when a seed stands for another case: when maps are drawn otherwise, or Stage 0 finds something else in them, or a network is told or asked something else.
    public static let revision = 8

    /// - Throws: ``ReconstructionError/notSampleable`` and ``ReconstructionError/learning(_:)``.
    public init(
        anatomy: PatientAnatomy, site: CameraSite, world: UptakeWorld = .full.registered,
        acquisition: AcquisitionWorld = .mismatched
    ) throws(ReconstructionError) {
        let fine = try RefinedAnatomy(anatomy)
        do {
            sampler = try UptakeSampler(regions: fine.regions, pet: fine.pet, world: world)
        } catch { throw .notSampleable }
        let own = try AcquisitionSampler(anatomy: anatomy, site: site)
        camera = try AcquisitionSampler(
            hounsfield: fine.hounsfield, body: fine.body, site: site, world: acquisition, detector: own.detector)
        patient = try PatientChannels(
            regions: anatomy.regions, pet: anatomy.pet, attenuation: own.attenuation, on: .best)
        stage = StageZero(anatomy: anatomy, site: site)
    }

    /// The case that belongs to a seed.
    ///
    /// - Throws: ``ReconstructionError``.
    public func makeCase(seed: UInt64) throws(ReconstructionError) -> TrainingCase {
        let sample = sampler.sample(seed: seed)
        let prepared = try scan(of: sample, seed: seed)
        let estimate = try stage.reconstruct(prepared)
        return TrainingCase(scan: try PlanarScan(prepared, estimate), truth: TrueMap(sample, on: patient.grid))
    }

    /// What Stage 0 is given of the case that belongs to a seed.
    package func scan(seed: UInt64) throws(ReconstructionError) -> PreparedScan {
        try scan(of: sampler.sample(seed: seed), seed: seed)
    }

    private func scan(of sample: UptakeSample, seed: UInt64) throws(ReconstructionError) -> PreparedScan {
        let acquisition = try camera.acquire(sample, seed: seed)
        var generator = SeededGenerator(seed: seed, purpose: "scatter-windows")
        return try stage.prepare(try acquisition.views(using: &generator))
    }

    /// The case of a seed whose scan is known already.
    public func makeCase(seed: UInt64, scan: PlanarScan) -> TrainingCase {
        TrainingCase(scan: scan, truth: TrueMap(sampler.sample(seed: seed), on: patient.grid))
    }

    /// - Throws: ``ReconstructionError``.
    public func draw(seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        (try makeCase(seed: seed), patient)
    }
}

public import Anatomy
import Glibc
public import Imaging
import Learning
public import Tomography

/// A planar scan whose true map is known.
public struct TrainingCase: Sendable {
    public let scan: PlanarScan
    public let truth: UptakeSample
}

/// How a training gets Stage 0's map of a sampled scan: solved, or drawn around the truth.
public protocol InitialEstimate: Sendable {
    /// - Throws: ``ReconstructionError``.
    func map(
        for sample: UptakeSample, _ acquisition: AcquisitionSampler.Acquisition, sampler: UptakeSampler,
        using generator: inout SeededGenerator
    ) throws(ReconstructionError) -> Volume<Float>
}

/// The patient-specific dataset: possible maps of one patient with their scans, made when they are asked for.
public struct PersonalDataset {
    public let sampler: UptakeSampler
    public let camera: AcquisitionSampler
    public let patient: PatientChannels
    private let initialEstimate: any InitialEstimate

    /// - Throws: ``ReconstructionError/notSampleable`` and ``ReconstructionError/learning(_:)``.
    public init(
        anatomy: PatientAnatomy, site: CameraSite, world: UptakeWorld = .full.registered,
        acquisition: AcquisitionWorld = .mismatched, initialEstimate: any InitialEstimate = DrawnEstimate()
    ) throws(ReconstructionError) {
        try self.init(
            regions: anatomy.regions, pet: anatomy.pet, hounsfield: anatomy.hounsfield, site: site, world: world,
            acquisition: acquisition, initialEstimate: initialEstimate)
    }

    /// - Parameter regions: disjoint, together the body, on one grid with `pet` and `hounsfield`.
    /// - Throws: ``ReconstructionError/notSampleable`` and ``ReconstructionError/learning(_:)``.
    public init(
        regions: [Region], pet: Volume<Float>, hounsfield: Volume<Float>, site: CameraSite,
        world: UptakeWorld = .full.registered, acquisition: AcquisitionWorld = .mismatched,
        initialEstimate: any InitialEstimate = DrawnEstimate()
    ) throws(ReconstructionError) {
        let sampler: UptakeSampler
        do { sampler = try UptakeSampler(regions: regions, pet: pet, world: world) } catch { throw .notSampleable }
        let body = sampler.template(levels: sampler.regions.map { _ in 1 }).map { $0 > 0.5 }
        camera = try AcquisitionSampler(hounsfield: hounsfield, body: body, site: site, world: acquisition)
        patient = try PatientChannels(regions: sampler.regions, pet: pet, attenuation: camera.attenuation)
        self.sampler = sampler
        self.initialEstimate = initialEstimate
    }

    /// The case that belongs to a seed.
    ///
    /// - Throws: ``ReconstructionError``.
    public func makeCase(seed: UInt64) throws(ReconstructionError) -> TrainingCase {
        let sample = sampler.sample(seed: seed)
        let acquisition = try camera.acquire(sample, seed: seed)
        var generator = SeededGenerator(seed: seed, purpose: "initial-estimate")
        let initial = try initialEstimate.map(for: sample, acquisition, sampler: sampler, using: &generator)
        guard initial.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        let scan = PlanarScan(
            projector: try camera.assumedProjector(for: acquisition), counts: acquisition.counts,
            scatter: acquisition.scatter, initial: initial)
        return TrainingCase(scan: scan, truth: sample)
    }
}

/// A map as Stage 0 finds it, drawn around the truth instead of solved: regions at their true mean and place but for errors
/// of the size that Stage 0 leaves, with the part of their texture that two views show; new foci are found now and then,
/// nothing of the bending, nothing of the pose that the views do not show.
///
/// - Units: standard deviations of the logarithm; millimetres.
public struct DrawnEstimate: InitialEstimate, Codable, Equatable {
    public var organDeviation = 0.1
    public var lesionDeviation = 0.4
    public var backgroundDeviation = 0.18
    /// Common to all regions: sensitivity and attenuation.
    public var commonDeviation = 0.03
    /// Along x, y and z; depth is known worst.
    public var shiftDeviation = SIMD3(1.5, 5, 3)
    /// Part of the uneven uptake that the counts show.
    public var unevennessShare = 0.3
    public var focusProbability = 0.5
    public var focusDeviation = 0.3
    public var focusShiftDeviation = SIMD3(2.0, 15, 2)

    public init() {}

    public func map(
        for sample: UptakeSample, _ acquisition: AcquisitionSampler.Acquisition, sampler: UptakeSampler,
        using generator: inout SeededGenerator
    ) -> Volume<Float> {
        var draw = sample.draw
        (draw.pose, draw.bending) = (.identity, nil)
        func error(_ deviation: SIMD3<Double>) -> SIMD3<Double> {
            SIMD3(
                generator.normal(deviation: deviation.x), generator.normal(deviation: deviation.y),
                generator.normal(deviation: deviation.z))
        }
        let common = generator.normal(deviation: commonDeviation)
        for (index, region) in sampler.regions.enumerated() {
            let deviation =
                switch region.kind {
                case .organ: organDeviation
                case .lesion: lesionDeviation
                case .background: backgroundDeviation
                }
            draw.levels[index] *= exp(common + generator.normal(deviation: deviation))
            let shift = error(shiftDeviation)
            if region.kind != .background { draw.shifts[index] += shift }
            draw.textures[index].unevenness?.deviation *= unevennessShare
            draw.textures[index].cortexToMedulla = 1
        }
        draw.foci = draw.foci.compactMap { focus in
            var found = focus
            let isFound = generator.uniform(0...1) < focusProbability
            found.centre += error(focusShiftDeviation)
            found.concentration *= exp(common + generator.normal(deviation: focusDeviation))
            return isFound ? found : nil
        }
        return sampler.render(draw).activity
    }
}

import Anatomy
import Imaging
public import Tomography

/// People to train on before any patient is known: synthetic patients, each a person and a planar scan of its own.
///
/// A case is made as those of the evaluation are: the truth on finer voxels than the map's, seen by another projector than the one
/// that reconstructs, and solved by Stage 0 as a measured scan would be. A network that learnt on the reconstruction's own
/// voxels learns what they alone have.
public struct TrainingPopulation: Sendable {
    /// Which people, and how they are seen.
    public struct Settings: Codable, Equatable, Sendable {
        /// Millimetres.
        public var spacing = 4.8
        /// Only activity levels and a small rigid motion vary.
        public var isNarrow = false

        public init() {}
    }

    public let settings: Settings
    public let site: CameraSite

    public init(_ settings: Settings, site: CameraSite) {
        (self.settings, self.site) = (settings, site)
    }

    /// The case of one person.
    ///
    /// - Throws: ``ReconstructionError``.
    public func person(seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        var recipe = SyntheticPatient.Recipe(seed: seed, difficulty: settings.isNarrow ? .narrow : .hard)
        if !settings.isNarrow { recipe.vary() }
        recipe.resolution = resolution
        recipe.site = site
        let synthetic = try SyntheticPatient(recipe)
        let anatomy: PatientAnatomy
        do { anatomy = try synthetic.anatomy(spacing: settings.spacing) } catch { throw .notSampleable }
        let stage = StageZero(anatomy: anatomy, site: site)
        let prepared = try stage.prepare(synthetic.views)
        let estimate = try stage.reconstruct(prepared)
        let scan = try PlanarScan(prepared, estimate)
        guard let attenuation = prepared.attenuation[scan.projector.heads[0].energy] else { throw .tomography }
        let patient = try PatientChannels(
            regions: anatomy.regions, pet: anatomy.pet, attenuation: attenuation, on: .best)
        let truth = TrueMap(
            activity: synthetic.truth.averaged(on: anatomy.grid),
            labels: synthetic.laterPhantom.labels(on: anatomy.grid))
        return (TrainingCase(scan: scan, truth: truth), patient)
    }

    /// As much finer than the maps as in an evaluation.
    private var resolution: SyntheticPatient.Resolution {
        let scale = settings.spacing / Settings().spacing
        let swift = SyntheticPatient.Resolution.swift
        return SyntheticPatient.Resolution(
            ct: swift.ct * scale, simulation: swift.simulation * scale, pixel: swift.pixel * scale)
    }
}

extension SyntheticPatient.Recipe {
    /// Motion, unevenness, lesions and camera between what the suites of the evaluation have and a little beyond; half of the
    /// cameras are as they are said to be.
    fileprivate mutating func vary() {
        var generator = SeededGenerator(seed: seed, purpose: "training")
        motion = generator.uniform(1...10)
        unevenness = generator.uniform(0.05...0.5)
        unseenLesionMean = generator.uniform(0...4)
        goneLesionShare = generator.uniform(0...0.3)
        guard generator.uniform(0...1) < 0.5 else { return }
        attenuationFactor = generator.uniform(0.94...1.06)
        faceErrorMillimetres = generator.uniform(-8...30)
        sensitivityFactor = generator.uniform(0.95...1.05)
        residualScatterShare = generator.uniform(0...0.12)
    }
}

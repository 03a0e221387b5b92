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
        public var spacing = PatientAnatomy.usualSpacing
        /// Only activity levels and a small rigid motion vary.
        public var isNarrow = false
        /// The camera that all are seen by.
        public var site = CameraSite.phantom
        /// Counts the changes of what a seed stands for.
        public private(set) var revision = 1

        public init() {}

        /// Records of earlier versions say less.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            spacing = try container.decode(Double.self, forKey: .spacing)
            isNarrow = try container.decodeIfPresent(Bool.self, forKey: .isNarrow) ?? false
            site = try container.decodeIfPresent(CameraSite.self, forKey: .site) ?? .phantom
            revision = try container.decodeIfPresent(Int.self, forKey: .revision) ?? 0
        }
    }

    public let settings: Settings

    public init(_ settings: Settings) { self.settings = settings }

    /// Some people are no patients: nothing of them is in the image. Then another takes the place.
    private static let tries: UInt64 = 3
    private static let nextSeed: UInt64 = 1 << 50

    /// The case of one person.
    ///
    /// - Throws: ``ReconstructionError``.
    public func person(seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        for attempt in 0..<Self.tries - 1 {
            do { return try drawn(seed: seed + attempt * Self.nextSeed) } catch { continue }
        }
        return try drawn(seed: seed + (Self.tries - 1) * Self.nextSeed)
    }

    private func drawn(seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        var recipe = SyntheticPatient.Recipe(seed: seed, difficulty: settings.isNarrow ? .narrow : .hard)
        if !settings.isNarrow { recipe.vary() }
        recipe.resolution = resolution
        recipe.site = settings.site
        let synthetic = try SyntheticPatient(recipe)
        let anatomy: PatientAnatomy
        do { anatomy = try synthetic.anatomy(spacing: settings.spacing) } catch { throw .regionsOutsideField([]) }
        let stage = StageZero(anatomy: anatomy, site: settings.site)
        let study = try NetworkStudy(stage, stage.prepare(synthetic.views))
        let truth = TrueMap(
            activity: synthetic.truth.averaged(on: anatomy.grid),
            labels: synthetic.laterPhantom.labels(on: anatomy.grid))
        return (TrainingCase(scan: study.scan, truth: truth), study.patient)
    }

    /// As much finer than the maps as in an evaluation.
    private var resolution: SyntheticPatient.Resolution {
        let scale = settings.spacing / Settings().spacing
        let swift = SyntheticPatient.Resolution.swift
        return SyntheticPatient.Resolution(
            ct: swift.ct * scale, simulation: swift.simulation * scale, pixel: swift.pixel * scale,
            pointsPerAxis: swift.pointsPerAxis)
    }
}

extension SyntheticPatient.Recipe {
    /// Motion, unevenness, lesions and camera from ranges that hold those of the suites but for the easiest; half of the cameras
    /// are as they are said to be.
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

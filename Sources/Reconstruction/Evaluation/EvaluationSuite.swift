/// A kind of world in which methods are compared. The truth is always drawn on finer voxels and by another projector than
/// the one that reconstructs.
public enum EvaluationSuite: String, CaseIterable, Sendable, Codable {
    /// Levels differ between PET and therapy, the patient lies elsewhere; nothing else.
    case narrow
    /// Organs move and take up a little unevenly; the camera is as described.
    case matched
    /// Much motion, uptake uneven by 0.4, lesions that the PET did not show.
    case hard
    /// Attenuation, distances, sensitivity and scatter differ from what the reconstruction is told.
    case mismatched

    /// Recipe of the case that belongs to a seed.
    public func recipe(seed: UInt64) -> SyntheticPatient.Recipe {
        var recipe = SyntheticPatient.Recipe(seed: seed)
        recipe.resolution = .swift
        recipe.levelSpread = 0.5
        recipe.lesionLevelSpread = 0.7
        recipe.rotationDegrees = 1
        switch self {
        case .narrow:
            recipe.motion = 0
            recipe.unevenness = 0
        case .matched:
            recipe.motion = 4
            recipe.unevenness = 0.15
        case .hard:
            recipe.motion = 8
            recipe.unevenness = 0.4
            recipe.unseenLesionMean = 3
            recipe.goneLesionShare = 0.2
        case .mismatched:
            recipe.motion = 5
            recipe.unevenness = 0.2
            recipe.unseenLesionMean = 1
            recipe.attenuationFactor = 0.96
            recipe.faceErrorMillimetres = 25
            recipe.sensitivityFactor = seed % 2 == 0 ? 1.04 : 0.96
            recipe.residualScatterShare = 0.08
        }
        return recipe
    }
}

/// A way to come from two views to a map.
public struct EvaluationMethod: Equatable, Hashable, Sendable {
    enum Way: Hashable, Sendable {
        case conjugateView
        case maximumLikelihood
        case template
        case stageZero(StageZero.Options)
    }

    public let name: String
    let way: Way

    /// What is always compared.
    public static let all: [EvaluationMethod] =
        [
            EvaluationMethod(name: "conjugate-view", way: .conjugateView),
            EvaluationMethod(name: "mlem", way: .maximumLikelihood),
            EvaluationMethod(name: "template", way: .template),
            EvaluationMethod(name: "organ-scales", way: .stageZero(.organScalesOnly)),
            EvaluationMethod(name: "stage0", way: .stageZero(StageZero.Options())),
        ]

    /// Stage 0 with one ingredient switched off, to see what it is worth.
    public static let ablations: [EvaluationMethod] = {
        let ingredients: [(String, WritableKeyPath<StageZero.Options, Bool>)] = [
            ("shifts", \.shifts), ("rotation", \.rotation), ("texture", \.texture), ("modes", \.modes),
            ("nuisances", \.nuisances), ("foci", \.foci), ("heterogeneity", \.heterogeneity),
        ]
        return ingredients.map { name, path in
            var options = StageZero.Options()
            options[keyPath: path] = false
            return EvaluationMethod(name: "stage0-without-\(name)", way: .stageZero(options))
        }
    }()

    public init?(name: String) {
        guard let known = (Self.all + Self.ablations).first(where: { $0.name == name }) else { return nil }
        self = known
    }

    private init(name: String, way: Way) { (self.name, self.way) = (name, way) }
}

extension SyntheticPatient.Recipe {
    /// The case of an evaluation that belongs to a seed. The truth is always drawn on finer voxels and by another projector
    /// than the one that reconstructs.
    public static func evaluated(seed: UInt64, suite: SyntheticPatient.Difficulty) -> SyntheticPatient.Recipe {
        var recipe = SyntheticPatient.Recipe(seed: seed, difficulty: suite)
        recipe.resolution = .swift
        return recipe
    }
}

/// A way to come from two views to a map.
public struct EvaluationMethod: Equatable, Hashable, Sendable {
    enum Way: Hashable, Sendable {
        case conjugateView
        case maximumLikelihood
        case template
        case trueLevels
        case trueLevelsAndCounts
        case truePlaces
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
            stageZero,
        ]

    /// Stage 0 as it comes.
    public static let stageZero = EvaluationMethod(name: "stage0", way: .stageZero(StageZero.Options()))

    /// Stage 0 with one ingredient switched off, to see what it is worth.
    public static let ablations: [EvaluationMethod] = {
        let ingredients: [(String, WritableKeyPath<StageZero.Options, Bool>)] = [
            ("shifts", \.shifts), ("rotation", \.rotation), ("texture", \.texture), ("modes", \.modes),
            ("nuisances", \.nuisances), ("foci", \.foci), ("heterogeneity", \.heterogeneity),
            ("adaptation", \.adaptation),
        ]
        return ingredients.map { name, path in
            var options = StageZero.Options()
            options[keyPath: path] = false
            return EvaluationMethod(name: "stage0-without-\(name)", way: .stageZero(options))
        }
    }()

    /// What no method gets to know: every structure where it truly is, with its true mean. What is left is unevenness.
    static let trueLevels = EvaluationMethod(name: "true-levels", way: .trueLevels)

    /// The same, and what the counts of a perfectly known camera say of the unevenness: what no method can pass.
    static let trueLevelsAndCounts = EvaluationMethod(name: "true-levels-and-counts", way: .trueLevelsAndCounts)

    /// Stage 0 that knows where everything is.
    static let truePlaces = EvaluationMethod(name: "true-places", way: .truePlaces)

    public init?(name: String) {
        let oracles = [Self.trueLevels, Self.trueLevelsAndCounts, Self.truePlaces]
        guard let known = (Self.all + Self.ablations + oracles).first(where: { $0.name == name }) else {
            return nil
        }
        self = known
    }

    private init(name: String, way: Way) { (self.name, self.way) = (name, way) }
}

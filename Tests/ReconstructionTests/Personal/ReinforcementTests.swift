import Imaging
import Learning
import Reconstruction
import Testing

struct ReinforcementTests {
    init() { #expect(TinyStudy.configured) }

    private static func only(_ weight: WritableKeyPath<Reinforcement.Weights, Double>) -> Reinforcement.Weights {
        var weights = Reinforcement.Weights()
        (weights.deviance, weights.edges, weights.organs) = (0, 0, 0)
        weights[keyPath: weight] = 1
        return weights
    }

    private static func stageTwo() throws -> StageTwo {
        var settings = StageTwo.Settings(.small)
        TinyStudy.shrink(&settings.network)
        settings.precision = .float32
        settings.sampler = HeunSampler(stepCount: 4, sigmaMaximum: 3, sigmaMinimum: 0.05)
        return try StageTwo(settings, after: nil, seed: 1)
    }

    /// The mean of the first losses and of the last ones.
    private static func trained(
        _ model: any TrainableModel, _ weights: Reinforcement.Weights, steps: Int
    ) throws -> (before: Float, after: Float) {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        let rewarded = try #require(Reinforcement(model, weights: weights))
        let trainer = try Trainer(
            rewarded.module, settings: .init(schedule: CosineSchedule(peak: 3e-3, warmUpSteps: 3, stepCount: steps)),
            seed: 1)
        var losses: [Float] = []
        for _ in 0..<steps {
            var generator = trainer.nextGenerator
            losses.append(try trainer.descend(rewarded.loss(training, dataset.patient, using: &generator)).loss)
        }
        return (losses.prefix(5).reduce(0, +) / 5, losses.suffix(5).reduce(0, +) / 5)
    }

    enum Reward: CaseIterable {
        case deviance, edges, organs

        var weight: WritableKeyPath<Reinforcement.Weights, Double> {
            switch self {
            case .deviance: \.deviance
            case .edges: \.edges
            case .organs: \.organs
            }
        }
    }

    @Test(arguments: Reward.allCases) func everyRewardIsLearnt(by reward: Reward) throws {
        let (before, after) = try Self.trained(TinyStudy.stageOne(), Self.only(reward.weight), steps: 40)
        #expect(before > 0 && after < 0.9 * before, "\(before) became \(after)")
    }

    @Test func theRewardReachesADiffusionModelThroughItsLastEvaluation() throws {
        let (before, after) = try Self.trained(Self.stageTwo(), Self.only(\.deviance), steps: 40)
        #expect(after < 0.95 * before, "\(before) became \(after)")
    }

    /// What the reward is taken of is what the model makes.
    @Test func itReconstructsAsTheModelDoes() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 2).scan
        let model = try TinyStudy.stageOne()
        let rewarded = try #require(Reinforcement(model))
        #expect(
            try rewarded.reconstruct(scan, dataset.patient, seed: 1)
                == model.reconstruct(scan, dataset.patient, seed: 1))
    }

    @Test func rivalsAreNotRewarded() throws {
        var settings = PaperUNet.Settings(.small)
        TinyStudy.shrink(&settings.network)
        #expect(try Reinforcement(PaperUNet(settings, seed: 1)) == nil)
    }
}

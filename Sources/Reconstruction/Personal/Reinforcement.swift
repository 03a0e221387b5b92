public import Learning

/// A network whose samples bear a gradient.
protocol Reinforceable: TrainableModel {
    /// A sample of a piece of a case, in means of the body.
    func sample(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> (piece: TrainingPiece, map: Tensor)
}

/// The last part of a personalisation: a model is rewarded for samples that explain the counts and fit the anatomy.
///
/// The reward is the negative of the reprojection's Poisson deviance, of uptake edges off the regions' borders and of what the
/// organs' sums are off by; its gradient goes through the projector and the last evaluation of the network. ``ModelTraining``
/// keeps it only when the held-back cases improve.
///
/// - Source: Clark et al., "Directly fine-tuning diffusion models on differentiable rewards", ICLR 2024 (DRaFT-1).
public final class Reinforcement: TrainableModel {
    public struct Weights: Codable, Equatable, Sendable {
        public var deviance = 0.2
        public var edges = 0.1
        public var organs = 0.5

        public init() {}
    }

    private let model: any Reinforceable
    private let weights: Weights

    /// - Parameter model: the one that is changed; nil for a method that cannot be rewarded.
    public init?(_ model: any TrainableModel, weights: Weights = Weights()) {
        guard let model = model as? any Reinforceable else { return nil }
        (self.model, self.weights) = (model, weights)
    }

    public var module: any Module { model.module }
    public var keepsOrganSums: Bool { model.keepsOrganSums }

    /// The negative reward of a sample.
    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let (piece, map) = try model.sample(training, patient, using: &generator)
        do {
            var loss = try piece.deviance(of: map) * Float(weights.deviance)
            loss = try loss + piece.edgesOffBorders(of: map) * Float(weights.edges)
            if let sums = try piece.organSums(of: map) { loss = try loss + sums * Float(weights.organs) }
            return loss
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        try model.estimate(scan, patient, seed: seed)
    }

    public func validationError(
        _ training: TrainingCase, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> (found: Double, initial: Double) {
        try model.validationError(training, patient, seed: seed)
    }
}

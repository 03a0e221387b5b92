import Glibc
public import Learning

/// The training of one model on possible maps, step by step, with held-back cases that say how good it is.
///
/// The averaged parameters of the best validation are kept; the start counts as the first one, so that a training that
/// improves nothing gives back what it began with. Case and noise of a step follow from the seed and the step's number:
/// a training that goes on from ``state()`` gives the same numbers as one that was never interrupted.
public final class ModelTraining {
    /// How long and how hard; saved beside the weights.
    public struct Plan: Codable, Equatable, Sendable {
        public var stepCount = 600
        public var learningRate = 1e-3
        public var warmUpSteps = 20
        public var averageDecay = 0.99
        public var gradientNormLimit = 1.0
        public var seed: UInt64 = 1
        public var validationInterval = 50
        public var validationCaseCount = 4
        /// Validations without an improvement after which it ends.
        public var patience = 6
        /// Part of the start's error by which a validation must be lower to count as better; nil for any.
        public var leastGain: Double?
        public var pool = CasePool.Size()

        public init() {}

        /// What a training leaves: its best validation, or its first one when no other is better by ``leastGain``.
        ///
        /// - Parameter validations: in the order of their steps.
        /// - Returns: nil when there are none.
        package func kept(of validations: [Validation]) -> Validation? {
            guard let start = validations.first else { return nil }
            let better = validations.dropFirst().filter { $0.error < start.error * (1 - (leastGain ?? 0)) }
            return better.min { $0.error < $1.error } ?? start
        }
    }

    /// How far the averaged model is from the truth on the held-back cases.
    public struct Validation: Codable, Equatable, Sendable {
        public let step: Int
        /// As ``TrainableModel/validationError(_:_:seed:)`` has it, the mean over the cases.
        public let error: Double
        /// The same of what the model starts from.
        public let initialError: Double

    }

    /// What one step has done.
    public struct StepReport: Equatable, Sendable {
        public let step: Int
        public let loss: Float
        public let gradientNorm: Double
        /// When one was due.
        public let validation: Validation?
    }

    public let plan: Plan
    public private(set) var validations: [Validation] = []
    private let model: any TrainableModel
    private var pool: CasePool
    private let heldBack: [DrawnCase]
    private let trainer: Trainer
    private var best: [String: StoredTensor] = [:]

    /// - Parameters:
    ///   - source: the case of a number and a seed, and its patient.
    ///   - heldBack: the case of a number and a seed of the validation; none of the training's has such a seed.
    ///   - state: of the training that goes on.
    /// - Throws: ``ReconstructionError``.
    public init(
        _ model: any TrainableModel, plan: Plan, resuming state: TrainingState? = nil,
        heldBack: CaseSource, source: @escaping CaseSource
    ) throws(ReconstructionError) {
        precondition(plan.validationCaseCount > 0 && plan.validationInterval > 0)
        (self.model, self.plan) = (model, plan)
        pool = CasePool(plan.pool) { number throws(ReconstructionError) in
            var seeds = StepGenerator(seed: plan.seed, step: number)
            return try source(number, seeds.next() >> 1)
        }
        self.heldBack = try CasePool.inPairs(Array(0..<plan.validationCaseCount)) {
            index throws(ReconstructionError) in try heldBack(index, Self.heldBackSeeds &+ UInt64(index))
        }.map { result throws(ReconstructionError) in try result.get() }
        var settings = Trainer.Settings(
            schedule: CosineSchedule(
                peak: plan.learningRate, warmUpSteps: min(plan.warmUpSteps, plan.stepCount - 1),
                stepCount: plan.stepCount))
        settings.averageDecay = plan.averageDecay
        settings.gradientNormLimit = plan.gradientNormLimit
        do {
            trainer = try Trainer(model.module, settings: settings, seed: plan.seed)
            if let state {
                try trainer.resume(state)
                best = state.kept
                validations = try Self.validations(in: state.metadata)
            }
        } catch { throw .learning(error) }
        if validations.isEmpty { try validate() }
    }

    /// Training cases have seeds below half of all numbers.
    private static let heldBackSeeds: UInt64 = 0xF00D_0000_0000_0000

    public var step: Int { trainer.step }

    public var bestValidation: Validation { plan.kept(of: validations) ?? validations[0] }

    /// Whether the model is better than what it started from.
    public var hasImproved: Bool { bestValidation.step > 0 }

    public var isFinished: Bool {
        let since = validations.reversed().prefix { $0.step > bestValidation.step }.count
        return trainer.step >= plan.stepCount || since >= plan.patience
    }

    /// One step, and a validation when one is due.
    ///
    /// - Throws: ``ReconstructionError``; a loss that is no number leaves the parameters as they were.
    public func advance() throws(ReconstructionError) -> StepReport {
        var generator = trainer.nextGenerator
        let drawn = try pool.draw(at: trainer.step, using: &generator)
        let loss = try model.loss(drawn.training, drawn.patient, using: &generator)
        let report: Trainer.StepReport
        do { report = try trainer.descend(loss) } catch { throw .learning(error) }
        let isDue = trainer.step % plan.validationInterval == 0 || trainer.step == plan.stepCount
        if isDue { try validate() }
        return StepReport(
            step: report.step, loss: report.loss, gradientNorm: report.gradientNorm,
            validation: isDue ? validations.last : nil)
    }

    /// Everything that another process needs to go on.
    ///
    /// - Parameter metadata: the caller's own text; keys that begin with `validation.` are the training's.
    public func state(metadata: [String: String] = [:]) throws(ReconstructionError) -> TrainingState {
        var metadata = metadata
        for validation in validations {
            metadata["\(Self.validationKey)\(validation.step)"] = "\(validation.error) \(validation.initialError)"
        }
        do {
            var state = try trainer.state(metadata: metadata)
            state.kept = best
            return state
        } catch { throw .learning(error) }
    }

    /// Puts the best averaged parameters into the model.
    ///
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public func finish() throws(ReconstructionError) {
        do { try model.module.load(best) } catch { throw .learning(error) }
    }

    private func validate() throws(ReconstructionError) {
        do {
            let current = try model.module.stored()
            let averaged = try trainer.averagedParameters()
            try model.module.load(averaged)
            let validation = try score()
            try model.module.load(current)
            validations.append(validation)
            if bestValidation.step == validation.step { best = averaged }
        } catch let error as LearningError {
            throw .learning(error)
        } catch let error as ReconstructionError { throw error } catch { throw .notFinite }
    }

    private func score() throws(ReconstructionError) -> Validation {
        var (error, initial) = (0.0, 0.0)
        for (index, held) in heldBack.enumerated() {
            let errors = try model.validationError(held.training, held.patient, seed: UInt64(index))
            error += errors.found
            initial += errors.initial
        }
        guard error.isFinite else { throw .notFinite }
        let count = Double(heldBack.count)
        return Validation(step: trainer.step, error: error / count, initialError: initial / count)
    }

    private static let validationKey = "validation."

    private static func validations(in metadata: [String: String]) throws(LearningError) -> [Validation] {
        var found: [Validation] = []
        for (key, value) in metadata where key.hasPrefix(validationKey) {
            let numbers = value.split(separator: " ").compactMap { Double($0) }
            guard let step = Int(key.dropFirst(validationKey.count)), numbers.count == 2 else {
                throw .metadataInvalid(key: key)
            }
            found.append(Validation(step: step, error: numbers[0], initialError: numbers[1]))
        }
        return found.sorted { $0.step < $1.step }
    }
}

/// `mean |x - t| / mean t` over the voxels of a mask.
func relativeError(_ found: [Float], _ truth: [Float], over mask: [Float]) -> Double {
    var difference = 0.0
    var sum = 0.0
    for voxel in truth.indices where mask[voxel] > 0 {
        difference += Double(abs(found[voxel] - truth[voxel]))
        sum += Double(truth[voxel])
    }
    return difference / sum
}

/// Optimiser, schedule, average and step count of one training, to be saved and resumed as a whole.
///
/// The caller computes a loss with the numbers of ``nextGenerator`` and hands it to ``descend(_:)``. Equal seeds, inputs
/// and thread counts on one machine give equal bytes, with or without an interruption.
public final class Trainer {
    public struct Settings: Codable, Equatable, Sendable {
        public var schedule: CosineSchedule
        public var optimiser = AdamW.Settings()
        /// Joint Euclidean norm the gradients are scaled down to.
        public var gradientNormLimit = 1.0
        public var averageDecay = 0.999

        public init(schedule: CosineSchedule) { self.schedule = schedule }
    }

    public struct StepReport: Equatable, Sendable {
        public let step: Int
        public let loss: Float
        /// Before it was limited.
        public let gradientNorm: Double
        public let learningRate: Double
    }

    public let settings: Settings
    public let seed: UInt64
    /// Steps done.
    public private(set) var step = 0
    private let parameters: [Parameter]
    private let optimiser: AdamW
    private let average: ExponentialAverage

    public init(_ module: any Module, settings: Settings, seed: UInt64) throws(LearningError) {
        self.settings = settings
        self.seed = seed
        parameters = module.parameters
        optimiser = try AdamW(parameters, settings: settings.optimiser)
        average = try ExponentialAverage(of: parameters, decay: settings.averageDecay)
    }

    /// The random numbers that belong to the step that comes next.
    public var nextGenerator: StepGenerator { StepGenerator(seed: seed, step: step) }

    /// One step down the gradient of `loss`.
    ///
    /// - Throws: ``LearningError/notFinite(quantity:step:)``; then no parameter has changed.
    public func descend(_ loss: Tensor) throws(LearningError) -> StepReport {
        let value = try loss.scalar
        guard value.isFinite else { throw .notFinite(quantity: "loss", step: step) }
        for parameter in parameters { parameter.tensor.forgetGradient() }
        try loss.backward()
        let norm = try AdamW.clip(parameters, to: settings.gradientNormLimit)
        guard norm.isFinite else { throw .notFinite(quantity: "gradient", step: step) }
        let rate = settings.schedule.rate(at: step)
        try optimiser.apply(learningRate: rate, step: step + 1)
        step += 1
        try average.update(step: step)
        return StepReport(step: step, loss: value, gradientNorm: norm, learningRate: rate)
    }

    /// The averaged parameters, for ``Module/load(_:)`` of the network that is kept.
    public func averagedParameters(as type: DataType = .float32) throws(LearningError) -> [String: StoredTensor] {
        try stored(average.parameters, as: type)
    }

    /// - Parameter metadata: the caller's own text, returned by ``TrainingState/metadata``.
    public func state(metadata: [String: String] = [:]) throws(LearningError) -> TrainingState {
        var state = TrainingState(step: step, seed: seed, metadata: metadata)
        state.parameters = try stored(parameters)
        state.firstMoments = try stored(optimiser.firstMoments)
        state.secondMoments = try stored(optimiser.secondMoments)
        state.averages = try stored(average.parameters)
        return state
    }

    /// Goes on from `state`, which must come from a training with the same network and seed.
    public func resume(_ state: TrainingState) throws(LearningError) {
        guard state.seed == seed else { throw .metadataInvalid(key: "seed") }
        let groups = [
            (state.parameters, parameters), (state.firstMoments, optimiser.firstMoments),
            (state.secondMoments, optimiser.secondMoments), (state.averages, average.parameters),
        ]
        for (values, targets) in groups { try ParameterList(parameters: targets).load(values) }
        step = state.step
    }

    private func stored(
        _ parameters: [Parameter], as type: DataType = .float32
    ) throws(LearningError) -> [String: StoredTensor] {
        try ParameterList(parameters: parameters).stored(as: type)
    }

    private struct ParameterList: Module {
        let parameters: [Parameter]
    }
}

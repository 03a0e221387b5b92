import CTorch

/// Adam with weight decay apart from the gradient, in libtorch's fused kernel.
///
/// Only tensors of two and more dimensions decay: biases and the scales of norms do not.
///
/// - Source: Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
public final class AdamW {
    public struct Settings: Codable, Equatable, Sendable {
        public var beta1 = 0.9
        public var beta2 = 0.99
        public var epsilon = 1e-8
        public var weightDecay = 1e-2

        public init() {}
    }

    private let settings: Settings
    private let parameters: [Parameter]
    private(set) var firstMoments: [Parameter] = []
    private(set) var secondMoments: [Parameter] = []

    public init(_ parameters: [Parameter], settings: Settings = Settings()) throws(LearningError) {
        self.parameters = parameters
        self.settings = settings
        for parameter in parameters {
            let (shape, device) = (parameter.tensor.shape, parameter.tensor.device)
            firstMoments.append(Parameter(parameter.name, try Tensor.zeros(shape, device: device)))
            secondMoments.append(Parameter(parameter.name, try Tensor.zeros(shape, device: device)))
        }
    }

    /// - Parameter step: 1 for the first.
    public func apply(learningRate: Double, step: Int) throws(LearningError) {
        let isDecaying = parameters.map { $0.tensor.rank > 1 }
        for decaying in [true, false] {
            let chosen = parameters.indices.filter { isDecaying[$0] == decaying }
            let settings = ctorch_adamw(
                learning_rate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
                weight_decay: decaying ? settings.weightDecay : 0, step: Int64(step))
            try check(
                ctorch_adamw_step(
                    settings, chosen.map { parameters[$0].tensor.handle },
                    chosen.map { firstMoments[$0].tensor.handle },
                    chosen.map { secondMoments[$0].tensor.handle }, Int64(chosen.count)), "AdamW")
        }
    }

    /// Scales all gradients so that their joint Euclidean norm is at most `limit`; returns the norm they had.
    static func clip(_ parameters: [Parameter], to limit: Double) throws(LearningError) -> Double {
        var norm = 0.0
        try check(
            ctorch_clip_gradients(parameters.map { $0.tensor.handle }, Int64(parameters.count), limit, &norm),
            "clip gradients")
        return norm
    }
}

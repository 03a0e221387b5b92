/// A running average of the parameters, which generalises better than the last step's.
///
/// The decay rises with the steps, so that a short training does not keep its random start:
/// `min(decay, (1 + step) / (10 + step))`.
public final class ExponentialAverage {
    private let sources: [Parameter]
    private let decay: Double
    public private(set) var parameters: [Parameter] = []

    public init(of sources: [Parameter], decay: Double) throws(LearningError) {
        self.sources = sources
        self.decay = decay
        for source in sources {
            let copy = try Tensor.zeros(source.tensor.shape, device: source.tensor.device)
            try copy.assign(source.tensor)
            parameters.append(Parameter(source.name, copy))
        }
    }

    /// - Parameter step: 1 after the first step.
    public func update(step: Int) throws(LearningError) {
        let decay = min(decay, Double(1 + step) / Double(10 + step))
        for (average, source) in zip(parameters, sources) {
            try average.tensor.interpolate(towards: source.tensor, by: 1 - decay)
        }
    }
}

import Glibc
import Imaging
public import Learning

/// Stage 1: a residual U-Net that corrects Stage 0's map.
///
/// `x = x0 exp(v a) + 20 v u s(b)`: two outputs of one network, a factor in the logarithm for what the anatomy holds, and an
/// additive map for what it does not. Both are zero before training, so an untrained network returns Stage 0's map.
/// `u` is the mean of `x0` over the body; `v` is how uneven Stage 0 found uptake, of the most that it expects: what is even
/// stays so.
public final class StageOne: TrainableModel {
    /// One row of the preset table, and what is saved beside the weights.
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        public var weights = Weights()
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64
        /// Type that convolutions compute in, where the device has it.
        public var precision = DataType.bfloat16

        /// What each term of the loss counts.
        public struct Weights: Codable, Equatable, Sendable {
            public var linear = 1.0
            public var root = 0.5
            public var similarity = 0.3
            public var organs = 0.1
            public var deviance = 0.02

            public init() {}
        }

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            network = ResidualUNetConfiguration(
                preset, inputChannels: PatientChannels.count + PlanarScan.channelCount, outputChannels: 2)
        }

        /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
        func validate() throws(LearningError) {
            try network.validate(windowSlices: windowSlices, hasNoiseLevel: false)
        }
    }

    public let settings: Settings
    public let module: any Module
    private let network: (Tensor) throws(LearningError) -> Tensor

    /// - Throws: ``ReconstructionError/learning(_:)``.
    public convenience init(_ settings: Settings, seed: UInt64, on device: Device = .cpu) throws(ReconstructionError) {
        let network: ResidualUNet
        do {
            try settings.validate()
            network = try ResidualUNet(settings.network, seed: seed, on: device)
        } catch { throw .learning(error) }
        self.init(settings, module: network) { (input) throws(LearningError) in try network(input) }
    }

    /// The same method with another network in its place, to compare networks.
    ///
    /// - Parameter network: `[1, c, z, y, x]` to `[1, 2, z, y, x]`, with the module's parameters.
    package init(
        _ settings: Settings, module: any Module, network: @escaping (Tensor) throws(LearningError) -> Tensor
    ) {
        (self.settings, self.module, self.network) = (settings, module, network)
    }

    /// The largest factor is `e` to this, either way.
    private static let factorLimit: Float = 3
    /// What the additive map is scaled by, in means of the body: a lesion.
    private static let lesionScale: Float = 20
    /// Where the additive output starts on the soft corner: it can rise a thousand times further than fall.
    private static let cornerStart: Float = -4

    /// The map in means of the body from the network's two outputs.
    ///
    /// - Parameter unevenness: `v`.
    /// - Shape: `[1, 2, z, y, x]` to `[1, 1, z, y, x]`
    private func map(
        _ output: Tensor, initial: Tensor, body: Tensor, unevenness: Float
    ) throws(LearningError) -> Tensor {
        let factor = try (output.slice(1, 0..<1) / Self.factorLimit).tanh() * (Self.factorLimit * unevenness)
        let start = try Tensor.full(Self.cornerStart, [1], device: output.device)
        let added = try (output.slice(1, 1..<2) + start).softplus() - start.softplus()
        return try (initial * factor.exp() + added * body * (Self.lesionScale * unevenness)).relu()
    }

    private func evaluate(_ input: Tensor) throws(LearningError) -> Tensor {
        try withAutocast(settings.precision.computed(on: input.device), on: input.device) { () throws(LearningError) in
            try network(input)
        }
    }

    /// On a piece of the patient.
    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let piece = try piece(of: training, patient, using: &generator)
        let found = try map(of: piece)
        do { return try piece.loss(of: found, settings.weights) } catch { throw .learning(error) }
    }

    private func piece(
        of training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> TrainingPiece {
        let window = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        do { return try TrainingPiece(training, patient, slices: window) } catch { throw .learning(error) }
    }

    private func map(of piece: TrainingPiece) throws(ReconstructionError) -> Tensor {
        let input = try piece.training.scan.channels(of: piece.patient)
        do {
            return try map(
                evaluate(input.slice(2, piece.slices)), initial: piece.initial, body: piece.body,
                unevenness: piece.training.scan.relativeUnevenness)
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        let unit = scan.unit(patient)
        let input = try scan.channels(of: patient)
        do {
            let found = try withoutGradient { () throws(LearningError) in
                let initial = try Tensor(scan.initial, device: input.device) * (1 / unit)
                let output = try SliceWindows(length: settings.windowSlices).evaluate(input, evaluate)
                return try map(output, initial: initial, body: patient.bodyTensor, unevenness: scan.relativeUnevenness)
            }
            return NetworkMap(try found.volume(on: patient.grid).map { $0 * unit })
        } catch { throw .learning(error) }
    }
}

extension StageOne: Reinforceable {
    func sample(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> (piece: TrainingPiece, map: Tensor) {
        let piece = try piece(of: training, patient, using: &generator)
        return (piece, try map(of: piece))
    }
}

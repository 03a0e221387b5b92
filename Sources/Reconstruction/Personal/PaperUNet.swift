import Glibc
import Imaging
public import Learning

/// A rival: the supervised arm of arXiv 2510.21362, a 3D residual U-Net from the two planar images to the map.
///
/// The images are lifted into the volume by repeating each at every depth. The network sees them and its own place in the
/// grid: what it knows of the patient it has from training on this patient's possible maps. It changes their geometric mean by a factor in
/// every voxel. Widths, loss and normalisation are not published: they are those of Stage 1, so that only the method differs.
public final class PaperUNet: TrainableModel {
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        /// Those of Stage 1's loss without the deviance, which looks at the counts: this arm is supervised alone.
        public var weights = StageOne.Settings.Weights()
        public var precision = DataType.bfloat16
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            network = ResidualUNetConfiguration(preset, inputChannels: 5, outputChannels: 1)
            weights.deviance = 0
        }

        /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
        func validate() throws(LearningError) {
            try network.validate(windowSlices: windowSlices, hasNoiseLevel: false)
        }
    }

    public let settings: Settings
    private let network: ResidualUNet

    /// - Throws: ``ReconstructionError/learning(_:)``.
    public init(_ settings: Settings, seed: UInt64, on device: Device = .cpu) throws(ReconstructionError) {
        self.settings = settings
        do {
            try settings.validate()
            network = try ResidualUNet(settings.network, seed: seed, on: device)
        } catch { throw .learning(error) }
    }

    public var module: any Module { network }
    public var keepsOrganSums: Bool { false }

    /// No voxel holds more than `e` to this times the lifted images' mean, or less than its inverse.
    private static let factorLimit: Float = 7

    /// - Parameters:
    ///   - input: lifted images and place.
    ///   - mean: of both images, lifted, in units of the body's mean; nothing beyond the body.
    private func map(_ input: Tensor, mean: Tensor) throws(LearningError) -> Tensor {
        let output = try withAutocast(settings.precision.computed(on: input.device), on: input.device) {
            () throws(LearningError) in
            try network(input)
        }
        return try output.clamped(-Self.factorLimit...Self.factorLimit).exp() * mean
    }

    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let unit = AnchoredMaximisation.unit(of: training.scan, body: patient.body.voxels)
        let slices = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        do {
            let piece = try TrainingPiece(training, patient, slices: slices)
            let lifted = try training.scan.lifted(on: patient)
            let found = try map(lifted.input.slice(2, slices), mean: lifted.mean.slice(2, slices))
            return try piece.loss(of: found * (unit / piece.unit), settings.weights)
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        let unit = AnchoredMaximisation.unit(of: scan, body: patient.body.voxels)
        do {
            let found = try withoutGradient { () throws(LearningError) in
                let lifted = try scan.lifted(on: patient)
                let input = try Tensor.concatenated([lifted.input, lifted.mean], along: 1)
                return try SliceWindows(length: settings.windowSlices).evaluate(input) {
                    (input) throws(LearningError) in
                    try map(input.slice(1, 0..<5), mean: input.slice(1, 5..<6))
                }
            }
            return NetworkMap(try found.volume(on: patient.grid).map { $0 * unit })
        } catch { throw .learning(error) }
    }
}

extension PlanarScan {
    /// Both images without their scatter, each at every depth, in units of its mean over the pixels that count, and the
    /// place in the grid; and the images' geometric mean within the body, in units of its mean there.
    ///
    /// - Shape: `[1, 5, z, y, x]` and `[1, 1, z, y, x]`
    fileprivate func lifted(on patient: PatientChannels) throws(LearningError) -> (input: Tensor, mean: Tensor) {
        let grid = projector.grid
        var values: [Float] = []
        for head in projector.heads.indices {
            let range = projector.viewOffsets[head]..<projector.viewOffsets[head + 1]
            let image = range.map { max(counts[$0] - scatter[$0], 0) }
            let counted = image.filter { $0 > 0 }
            let mean = counted.isEmpty ? 1 : counted.reduce(0, +) / Float(counted.count)
            values += spread(image.map { logf(1 + $0 / mean) }, head)
        }
        let images = try Tensor(
            values, shape: [1, projector.heads.count, grid.slices, grid.rows, grid.columns],
            device: patient.bodyTensor.device)
        let body = patient.body.voxels
        let opposite = values.dropFirst(body.count)
        // A hundredth of the mean everywhere: nothing is beyond the network's reach.
        let product = zip(zip(values, opposite), body).map { (expf(($0.0 + $0.1) / 2) - 0.99) * $1 }
        let unit = PatientChannels.mean(product, over: body)
        let mean = try Tensor(
            product.map { $0 / unit }, shape: [1, 1, grid.slices, grid.rows, grid.columns],
            device: patient.bodyTensor.device)
        return (try Tensor.concatenated([images, patient.placeTensor], along: 1), mean)
    }
}

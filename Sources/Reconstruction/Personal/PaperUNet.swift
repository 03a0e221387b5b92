import Glibc
import Imaging
public import Learning

/// A rival: the supervised arm of arXiv 2510.21362, a 3D residual U-Net from the two planar images to the map.
///
/// The images are lifted into the volume by repeating each at every depth. The network sees them and its own place in the
/// grid: what it knows of the patient it has from training on this patient's possible maps. Widths, loss and normalisation are not published:
/// they are those of Stage 1, so that only the method differs.
public final class PaperUNet: TrainableModel {
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        public var similarityWeight = 0.3
        public var precision = DataType.bfloat16
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            network = ResidualUNetConfiguration(preset, inputChannels: 5, outputChannels: 1)
        }
    }

    public let settings: Settings
    private let network: ResidualUNet

    /// - Throws: ``ReconstructionError/learning(_:)``.
    public init(_ settings: Settings, seed: UInt64, on device: Device = .cpu) throws(ReconstructionError) {
        self.settings = settings
        do { network = try ResidualUNet(settings.network, seed: seed, on: device) } catch { throw .learning(error) }
    }

    public var module: any Module { network }
    public var keepsOrganSums: Bool { false }

    /// The softplus of this is a hundredth: an untrained map is nearly empty.
    private static let start: Float = -4.6

    private func map(_ input: Tensor, body: Tensor) throws(LearningError) -> Tensor {
        let output = try withAutocast(settings.precision, on: input.device) { () throws(LearningError) in
            try network(input)
        }
        // Hot organs are a hundred times the body's mean: the output is the logarithm of one more.
        return try (output + Self.start).softplus().exp().scaled(by: 1, plus: -1) * body
    }

    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let unit = AnchoredMaximisation.unit(of: training.scan, body: patient.body.voxels)
        let piece = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        do {
            let body = try patient.bodyTensor.slice(2, piece)
            let found = try map(training.scan.lifted(on: patient).slice(2, piece), body: body)
            let truth = try (Tensor(training.truth.activity, device: found.device) * (1 / unit)).slice(2, piece)
            let similarity = try StructuralSimilarity(extents: Array(truth.shape.suffix(3)), on: found.device)
            let peak = max((training.truth.activity.voxels.max() ?? unit) / unit, 1)
            let alike = try similarity(found, truth, mask: body, dataRange: peak)
            return try TrainingLoss.rootL1(found, truth, mask: body)
                + (1 - alike) * Float(settings.similarityWeight)
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        let unit = AnchoredMaximisation.unit(of: scan, body: patient.body.voxels)
        do {
            let found = try withoutGradient { () throws(LearningError) in
                let input = try Tensor.concatenated([scan.lifted(on: patient), patient.bodyTensor], along: 1)
                return try SliceWindows(length: settings.windowSlices).evaluate(input) {
                    (input) throws(LearningError) in
                    try map(input.slice(1, 0..<5), body: input.slice(1, 5..<6))
                }
            }
            return NetworkMap(try found.volume(on: patient.grid).map { $0 * unit })
        } catch { throw .learning(error) }
    }
}

extension PlanarScan {
    /// Both images without their scatter, each at every depth, in units of its mean over the pixels that count, and the
    /// place in the grid.
    ///
    /// - Shape: `[1, 5, z, y, x]`
    fileprivate func lifted(on patient: PatientChannels) throws(LearningError) -> Tensor {
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
        return try Tensor.concatenated([images, patient.placeTensor], along: 1)
    }
}

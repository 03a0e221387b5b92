import Anatomy
import Glibc
import Imaging
public import Learning

/// Stage 1: a residual U-Net that corrects Stage 0's map.
///
/// `x = x0 exp(a) + 20 u s(b)`: two outputs of one network, a factor in the logarithm for what the anatomy holds, and an
/// additive map for what it does not. Both are zero before training, so an untrained network returns Stage 0's map.
/// `u` is the mean of `x0` over the body.
public final class StageOne: TrainableModel {
    /// One row of the preset table, and what is saved beside the weights.
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        public var weights = Weights()
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64
        /// Type that convolutions compute in.
        public var precision = DataType.bfloat16

        /// What each term of the loss counts.
        public struct Weights: Codable, Equatable, Sendable {
            public var root = 1.0
            public var similarity = 0.3
            public var organs = 0.1
            public var deviance = 0.02

            public init() {}
        }

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            network = ResidualUNetConfiguration(
                preset, inputChannels: PatientChannels.count + PlanarScan.channelCount, outputChannels: 2)
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

    /// The largest factor is `e` to this, either way.
    private static let factorLimit: Float = 3
    /// What the additive map is scaled by, in means of the body: a lesion.
    private static let lesionScale: Float = 20
    /// Where the additive output starts on the soft corner: it can rise a thousand times further than fall.
    private static let cornerStart: Float = -4

    /// The map in means of the body from the network's two outputs.
    ///
    /// - Shape: `[1, 2, z, y, x]` to `[1, 1, z, y, x]`
    private func map(_ output: Tensor, initial: Tensor, body: Tensor) throws(LearningError) -> Tensor {
        let factor = try (output.slice(1, 0..<1) / Self.factorLimit).tanh() * Self.factorLimit
        let start = try Tensor.full(Self.cornerStart, [1], device: output.device)
        let added = try (output.slice(1, 1..<2) + start).softplus() - start.softplus()
        return try (initial * factor.exp() + added * body * Self.lesionScale).relu()
    }

    private func evaluate(_ input: Tensor) throws(LearningError) -> Tensor {
        try withAutocast(settings.precision, on: input.device) { () throws(LearningError) in try network(input) }
    }

    /// Root of the map, similarity, sums over organs, and the deviance of the reprojection, on a piece of the patient.
    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let scan = training.scan
        let unit = scan.unit(patient)
        let input = try scan.channels(of: patient)
        let weights = settings.weights
        let piece = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        do {
            let whole = try Tensor(training.truth.activity, device: input.device) * (1 / unit)
            let truth = try whole.slice(2, piece)
            let body = try patient.bodyTensor.slice(2, piece)
            let initial = try (Tensor(scan.initial, device: input.device) * (1 / unit)).slice(2, piece)
            let found = try map(evaluate(input.slice(2, piece)), initial: initial, body: body)
            var loss = try TrainingLoss.rootL1(found, truth, mask: body) * Float(weights.root)
            let similarity = try StructuralSimilarity(extents: Array(truth.shape.suffix(3)), on: found.device)
            let peak = max((training.truth.activity.voxels.max() ?? unit) / unit, 1)
            let alike = try similarity(found, truth, mask: body, dataRange: peak)
            loss = try loss + (1 - alike) * Float(weights.similarity)
            if let organs = try Self.organMasks(training.truth, patient, piece) {
                let sums = try TrainingLoss.regionSums(found, truth, regions: organs, floor: Self.sumFloor)
                loss = try loss + sums * Float(weights.organs)
            }
            // Beyond the piece the truth stands in: the counts are of the whole patient.
            let slices = patient.grid.slices
            let composite = try whole + SliceWindows.extended(found - truth, piece, slices)
            let deviance = try Self.deviance(of: composite * unit, scan)
            // Far from the data the deviance is a hundred times what it can become: its logarithm keeps it in bounds.
            return try loss + (deviance + 1).log() * Float(weights.deviance)
        } catch { throw .learning(error) }
    }

    private static func deviance(of map: Tensor, _ scan: PlanarScan) throws(LearningError) -> Tensor {
        let projected = try LinearMap(scan.projector)(map.reshaped([1] + map.shape.suffix(3)))
        let scatter = try Tensor(scan.scatter, shape: projected.shape, device: map.device)
        let counts = try Tensor(scan.counts, shape: projected.shape, device: map.device)
        return try TrainingLoss.poissonDeviance(expected: projected + scatter, counts: counts)
    }

    /// Sums of a region below this, in voxels of the body's mean, are nothing.
    private static let sumFloor: Float = 1

    /// The voxels of every organ, lesion and focus where they truly are.
    ///
    /// - Shape: `[regions, z, y, x]`; nil when there is none.
    private static func organMasks(
        _ truth: UptakeSample, _ patient: PatientChannels, _ piece: Range<Int>
    ) throws(LearningError) -> Tensor? {
        let grid = patient.grid
        let plane = grid.rows * grid.columns
        let owners = Array(truth.owners.voxels[piece.lowerBound * plane..<piece.upperBound * plane])
        var row = [Int](repeating: -1, count: 256)
        var rows = 0
        for owner in Set(owners).sorted() where owner > 0 && !truth.backgroundOwners.contains(owner) {
            row[Int(owner)] = rows
            rows += 1
        }
        guard rows > 0 else { return nil }
        var masks = [Float](repeating: 0, count: rows * owners.count)
        for (voxel, owner) in owners.enumerated() where row[Int(owner)] >= 0 {
            masks[row[Int(owner)] * owners.count + voxel] = 1
        }
        return try Tensor(
            masks, shape: [rows, piece.count, grid.rows, grid.columns], device: patient.tensor.device)
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
                return try map(output, initial: initial, body: patient.bodyTensor)
            }
            return NetworkMap(try found.volume(on: patient.grid).map { $0 * unit })
        } catch { throw .learning(error) }
    }
}

import Anatomy
import Glibc
import Imaging
public import Learning

/// Stage 2: a diffusion model of what the map before it still gets wrong, steered by the measured counts.
///
/// The residual is `d = ln[(x + f u) / (b + f u)]` around a base `b`, Stage 1's map or Stage 0's. Denoising follows
/// Karras' preconditioning on the conditions of Stage 1; sampling starts at a noise of about three, and after every
/// denoising the expected map is pulled towards the counts by a few anchored Poisson steps. The samples' spread is the map's
/// uncertainty; the map is the mean of `(b + f u) exp(d) - f u` when `d` is normal, with the mean that the network expects
/// and the samples' deviation.
public final class StageTwo: TrainableModel {
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        public var preconditioning = EDMPreconditioning(sigmaData: 0.4, logMean: -1, logDeviation: 1.2)
        public var sampler = HeunSampler(stepCount: 6, sigmaMaximum: 3, sigmaMinimum: 0.02, rho: 5)
        public var sampleCount = 16
        /// Poisson steps after each denoising, and how many times the counts the denoised map counts in them.
        public var consistencySteps = 2
        public var anchorWeight: Float = 4
        public var precision = DataType.bfloat16
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            // The conditions of Stage 1, the base, and the noisy residual.
            network = ResidualUNetConfiguration(
                preset, inputChannels: PatientChannels.count + PlanarScan.channelCount + 2, outputChannels: 1,
                embeddingChannels: 64)
        }

        /// - Throws: ``LearningError/impossibleConfiguration(field:)``.
        func validate() throws(LearningError) {
            try network.validate(windowSlices: windowSlices, hasNoiseLevel: true)
            try sampler.validate()
            guard (1...256).contains(sampleCount) else { throw .impossibleConfiguration(field: "sampleCount") }
            guard (0...100).contains(consistencySteps), anchorWeight >= 0, preconditioning.sigmaData > 0 else {
                throw .impossibleConfiguration(field: "consistencySteps")
            }
        }
    }

    public let settings: Settings
    private let network: ResidualUNet
    private let stageOne: StageOne?

    /// - Parameter stageOne: makes the base; without it Stage 0's map is the base.
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public init(
        _ settings: Settings, after stageOne: StageOne?, seed: UInt64, on device: Device = .cpu
    ) throws(ReconstructionError) {
        (self.settings, self.stageOne) = (settings, stageOne)
        do {
            try settings.validate()
            network = try ResidualUNet(settings.network, seed: seed, on: device)
        } catch { throw .learning(error) }
    }

    public var module: any Module { network }

    /// Concentrations below this part of the body's mean are alike.
    private static let floor: Float = 0.05
    /// A residual beyond `e` to this is no map.
    private static let residualLimit: Float = 4.5

    /// One scan ready for any number of evaluations of the network.
    private struct Conditions {
        let channels: Tensor
        let base: [Float]
        let unit: Float

        func residual(of map: [Float]) -> [Float] {
            zip(map, base).map { value, base in
                let residual = logf((value / unit + floor) / (base / unit + floor))
                return min(max(residual, -residualLimit), residualLimit)
            }
        }

        func map(of residual: [Float]) -> [Float] {
            zip(residual, base).map { residual, base in
                let factor = expf(min(max(residual, -residualLimit), residualLimit))
                return max((base / unit + floor) * factor - floor, 0) * unit
            }
        }
    }

    private func conditions(
        _ scan: PlanarScan, _ patient: PatientChannels
    ) throws(ReconstructionError) -> Conditions {
        let base = try stageOne?.reconstruct(scan, patient, seed: 0) ?? scan.initial
        let unit = scan.unit(patient)
        let channels = try scan.channels(of: patient)
        do {
            let known = base.map { compressed(max($0, 0), unit: unit) }
            return Conditions(
                channels: try Tensor.concatenated([channels, Tensor(known, device: channels.device)], along: 1),
                base: base.voxels, unit: unit)
        } catch { throw .learning(error) }
    }

    private func evaluate(
        _ channels: Tensor, _ scaled: Tensor, _ level: Tensor
    ) throws(LearningError) -> Tensor {
        let input = try Tensor.concatenated([channels, scaled], along: 1)
        return try SliceWindows(length: settings.windowSlices).evaluate(input) { (input) throws(LearningError) in
            try evaluate(input, level)
        }
    }

    private func evaluate(_ input: Tensor, _ level: Tensor) throws(LearningError) -> Tensor {
        try withAutocast(settings.precision.computed(on: input.device), on: input.device) { () throws(LearningError) in
            try network(input, noiseLevel: level)
        }
    }

    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let conditions = try conditions(training.scan, patient)
        let residual = patient.body.replacing(conditions.residual(of: training.truth.activity.voxels))
        do {
            let piece = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
            let channels = try conditions.channels.slice(2, piece)
            let clean = try Tensor(residual, device: channels.device).slice(2, piece)
            let body = try patient.bodyTensor.slice(2, piece)
            return try settings.preconditioning.loss(clean, mask: body, using: &generator) {
                (scaled, level) throws(LearningError) in try evaluate(channels, scaled, level)
            }
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        try estimate(scan, patient, seed: seed, sampleCount: settings.sampleCount)
    }

    /// Noise levels that a validation looks at.
    private static let validatedLevels: [Float] = [2, 0.8, 0.3, 0.1]

    /// ``EDMPreconditioning/denoisingError(of:mask:levels:using:denoised:)`` beside that of nothing.
    public func validationError(
        _ training: TrainingCase, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> (found: Double, initial: Double) {
        let conditions = try conditions(training.scan, patient)
        let residual = patient.body.replacing(conditions.residual(of: training.truth.activity.voxels))
        var generator = StepGenerator(seed: seed)
        do {
            let error = try settings.preconditioning.denoisingError(
                of: Tensor(residual, device: conditions.channels.device), mask: patient.bodyTensor,
                levels: Self.validatedLevels, using: &generator
            ) { (noisy, sigma) throws(LearningError) in try denoised(conditions, noisy, sigma) }
            return (found: error, initial: 1)
        } catch { throw .learning(error) }
    }

    /// Samples, each drawn by itself, and the mean that they scatter about.
    ///
    /// A mean over so few samples would be noisy. What the network expects behind nothing but noise, its first answer for
    /// every sample, is the mean of their logarithms; half the variance more makes it that of the samples. It too is pulled
    /// towards the counts. A single sample is its own mean.
    ///
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64, sampleCount: Int
    ) throws(ReconstructionError) -> NetworkMap {
        precondition(sampleCount > 0)
        let conditions = try conditions(scan, patient)
        let counts = AnchoredMaximisation(scan)
        // Nothing of the model changes while it draws.
        nonisolated(unsafe) let (model, known) = (self, conditions)
        let drawn = try SideBySide.computed(count: sampleCount, on: patient.tensor.device) {
            (index) throws(ReconstructionError) in
            try model.draw(known, counts, patient, using: StepGenerator(seed: seed, step: index))
        }.map { result throws(ReconstructionError) in try result.get() }
        let residuals = drawn.map(\.residual)
        let samples = residuals.map(conditions.map)
        guard sampleCount > 1 else { return NetworkMap(samples: samples, on: patient.body) }
        let centre = conditions.map(
            of: zip(Spread(of: drawn.map(\.expected)).mean, Spread(of: residuals).deviation).map { $0 + $1 * $1 / 2 })
        return NetworkMap(mean: patient.body.replacing(pulled(centre, counts)), samples: samples)
    }

    /// One sample, and what the network expects behind the noise that it begins with.
    private func draw(
        _ conditions: Conditions, _ counts: AnchoredMaximisation, _ patient: PatientChannels,
        using generator: StepGenerator
    ) throws(ReconstructionError) -> (residual: [Float], expected: [Float]) {
        var generator = generator
        var first: [Float]?
        do {
            let residual = try withoutGradient { () throws(LearningError) in
                try settings.sampler.sample(
                    patient.bodyTensor.shape, using: &generator, on: patient.tensor.device
                ) { (noisy, sigma) throws(LearningError) in
                    let expected = try denoised(conditions, noisy, sigma)
                    if first == nil { first = try expected.floats() }
                    return try consistent(expected, conditions, counts)
                }
            }
            let limited = try residual.floats().map { min(max($0, -Self.residualLimit), Self.residualLimit) }
            return (limited, first ?? limited)
        } catch { throw .learning(error) }
    }

    private func pulled(_ map: [Float], _ counts: AnchoredMaximisation) -> [Float] {
        counts.pulled(map, weight: settings.anchorWeight, steps: settings.consistencySteps)
    }

    private func denoised(
        _ conditions: Conditions, _ noisy: Tensor, _ sigma: Float
    ) throws(LearningError) -> Tensor {
        try settings.preconditioning.denoised(noisy, sigmas: [sigma]) { (scaled, level) throws(LearningError) in
            try evaluate(conditions.channels, scaled, level)
        }
    }

    private func consistent(
        _ residual: Tensor, _ conditions: Conditions, _ counts: AnchoredMaximisation
    ) throws(LearningError) -> Tensor {
        guard settings.consistencySteps > 0 else { return residual }
        let map = conditions.map(of: try residual.floats())
        return try Tensor(conditions.residual(of: pulled(map, counts)), shape: residual.shape, device: residual.device)
    }
}

extension StageTwo: Reinforceable {
    /// Steps of the short sampling that a reward is taken of.
    private static let rewardedSteps = 4

    /// A sample whose last denoising alone bears a gradient.
    func sample(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> (piece: TrainingPiece, map: Tensor) {
        let conditions = try conditions(training.scan, patient)
        let window = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        let levels = HeunSampler(
            stepCount: Self.rewardedSteps, sigmaMaximum: settings.sampler.sigmaMaximum,
            sigmaMinimum: settings.preconditioning.sigmaData / 4, rho: settings.sampler.rho
        ).sigmas.dropLast()
        do {
            let piece = try TrainingPiece(training, patient, slices: window)
            let channels = try conditions.channels.slice(2, window)
            func expected(_ noisy: Tensor, _ sigma: Float) throws(LearningError) -> Tensor {
                try settings.preconditioning.denoised(noisy, sigmas: [sigma]) { (scaled, level) throws(LearningError) in
                    try evaluate(Tensor.concatenated([channels, scaled], along: 1), level)
                }
            }
            var noisy =
                try Tensor.randn(piece.body.shape, using: &generator, device: channels.device)
                * (levels.first ?? 1)
            for (sigma, next) in zip(levels, levels.dropFirst()) {
                noisy = try withoutGradient { () throws(LearningError) in
                    try noisy + (noisy - expected(noisy, sigma)) * ((next - sigma) / sigma)
                }
            }
            let limit = Self.residualLimit
            let residual = try expected(noisy, levels.last ?? 1).clamped(-limit...limit)
            let base = try
                (Tensor(patient.body.replacing(conditions.base), device: channels.device)
                * (1 / conditions.unit)).slice(2, window)
            return (piece, try ((base + Self.floor) * residual.exp() - Self.floor).relu())
        } catch { throw .learning(error) }
    }
}

/// Mean and standard deviation of numbers that come one set at a time.
///
/// - Source: Welford, Technometrics 4 (1962) 419.
struct Spread {
    private(set) var mean: [Float]
    private var squares: [Float]
    private var count: Float = 0

    init(count: Int) {
        mean = [Float](repeating: 0, count: count)
        squares = mean
    }

    /// Of sets of one size.
    init(of sets: [[Float]]) {
        self.init(count: sets.first?.count ?? 0)
        for values in sets { add(values) }
    }

    mutating func add(_ values: [Float]) {
        count += 1
        for index in values.indices {
            let before = values[index] - mean[index]
            mean[index] += before / count
            squares[index] += before * (values[index] - mean[index])
        }
    }

    /// Of the population that the values are drawn from; zero for a single value.
    var deviation: [Float] { squares.map { count > 1 ? ($0 / (count - 1)).squareRoot() : 0 } }
}

import Glibc
import Imaging
public import Learning

/// A rival: the generative arm of arXiv 2510.21362, an unconditional diffusion model of maps whose samples are made
/// consistent with the two projections by iteration.
///
/// The network learns what maps look like, `y = ln(1 + x / u)`, and sees its place in the grid but neither images nor
/// anatomy. After every denoising the expected map takes Poisson steps towards the counts. Schedule and steps are not
/// published: those of Karras et al. are taken, which are the usual ones.
public final class PaperDiffusion: TrainableModel {
    public struct Settings: Codable, Equatable, Sendable {
        public var network: ResidualUNetConfiguration
        public var preconditioning = EDMPreconditioning(sigmaData: 1, logMean: -0.5, logDeviation: 1.4)
        public var sampler = HeunSampler(stepCount: 18, sigmaMaximum: 20, sigmaMinimum: 0.02)
        public var sampleCount = 8
        public var consistencySteps = 4
        public var anchorWeight: Float = 0.5
        public var precision = DataType.bfloat16
        /// Slices of a piece that the network sees at once.
        public var windowSlices = 64

        public init(_ preset: ResidualUNetConfiguration.Preset) {
            network = ResidualUNetConfiguration(preset, inputChannels: 4, outputChannels: 1, embeddingChannels: 64)
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

    private func evaluate(_ input: Tensor, _ level: Tensor) throws(LearningError) -> Tensor {
        try withAutocast(settings.precision.computed(on: input.device), on: input.device) { () throws(LearningError) in
            try network(input, noiseLevel: level)
        }
    }

    private func denoised(
        _ noisy: Tensor, _ sigma: Float, _ patient: PatientChannels
    ) throws(LearningError) -> Tensor {
        try settings.preconditioning.denoised(noisy, sigmas: [sigma]) { (scaled, level) throws(LearningError) in
            let input = try Tensor.concatenated([scaled, patient.placeTensor], along: 1)
            return try SliceWindows(length: settings.windowSlices).evaluate(input) { (input) throws(LearningError) in
                try evaluate(input, level)
            }
        }
    }

    public func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor {
        let piece = SliceWindows(length: settings.windowSlices).training(patient.grid.slices, using: &generator)
        do {
            let clean = try clean(training, patient).slice(2, piece)
            let body = try patient.bodyTensor.slice(2, piece)
            let place = try patient.placeTensor.slice(2, piece)
            return try settings.preconditioning.loss(clean, mask: body, using: &generator) {
                (scaled, level) throws(LearningError) in
                try evaluate(Tensor.concatenated([scaled, place], along: 1), level)
            }
        } catch { throw .learning(error) }
    }

    /// Noise levels that a validation looks at.
    private static let validatedLevels: [Float] = [4, 1.5, 0.6, 0.2]

    /// What a map looks like in which the network has its say.
    private func clean(_ training: TrainingCase, _ patient: PatientChannels) throws(LearningError) -> Tensor {
        let unit = AnchoredMaximisation.unit(of: training.scan, body: patient.body.voxels)
        return try Tensor(
            training.truth.activity.map { logf(1 + $0 / unit) }, device: patient.bodyTensor.device)
    }

    /// ``EDMPreconditioning/denoisingError(of:mask:levels:using:denoised:)`` beside that of nothing: a single sample is further from the truth
    /// the less even it is, and would choose the parameters that have learnt least.
    public func validationError(
        _ training: TrainingCase, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> (found: Double, initial: Double) {
        var generator = StepGenerator(seed: seed)
        do {
            let error = try settings.preconditioning.denoisingError(
                of: clean(training, patient), mask: patient.bodyTensor, levels: Self.validatedLevels, using: &generator
            ) { (noisy, sigma) throws(LearningError) in try denoised(noisy, sigma, patient) }
            return (found: error, initial: 1)
        } catch { throw .learning(error) }
    }

    public func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap {
        let body = patient.body.voxels
        let unit = AnchoredMaximisation.unit(of: scan, body: body)
        let counts = AnchoredMaximisation(scan)
        func map(_ latent: Tensor) throws(LearningError) -> [Float] {
            zip(try latent.floats(), body).map { $1 > 0 ? (expf(min(max($0, 0), Self.latentLimit)) - 1) * unit : 0 }
        }
        var samples: [[Float]] = []
        for index in 0..<settings.sampleCount {
            var generator = StepGenerator(seed: seed, step: index)
            do {
                let latent = try withoutGradient { () throws(LearningError) in
                    try settings.sampler.sample(
                        patient.bodyTensor.shape, using: &generator, on: patient.bodyTensor.device
                    ) { (noisy, sigma) throws(LearningError) in
                        let expected = try map(denoised(noisy, sigma, patient))
                        let pulled = counts.pulled(
                            expected, weight: settings.anchorWeight, steps: settings.consistencySteps)
                        return try Tensor(
                            pulled.map { logf(1 + $0 / unit) }, shape: noisy.shape, device: noisy.device)
                    }
                }
                samples.append(try map(latent))
            } catch { throw .learning(error) }
        }
        return NetworkMap(samples: samples, on: patient.body)
    }

    /// No voxel holds more than `e` to this times the body's mean.
    private static let latentLimit: Float = 8
}

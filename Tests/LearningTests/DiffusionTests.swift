import Learning
import Testing

struct DiffusionTests {
    init() { #expect(configured) }

    /// For normal data of deviation s the best denoiser is known: `x s^2 / (s^2 + sigma^2)`, the skip path alone.
    private static func ideal(_ noisy: Tensor, _ sigma: Float) throws(LearningError) -> Tensor {
        let preconditioning = EDMPreconditioning(sigmaData: 0.5)
        return try preconditioning.denoised(noisy, sigmas: [sigma]) { scaled, _ throws(LearningError) in
            try scaled * 0
        }
    }

    @Test func samplesHaveTheDeviationOfTheData() throws {
        var generator = StepGenerator(seed: 11)
        let sampler = HeunSampler(stepCount: 18, sigmaMaximum: 20)
        let sample = try sampler.sample([1, 1, 16, 16, 16], using: &generator) { noisy, sigma throws(LearningError) in
            try Self.ideal(noisy, sigma)
        }
        let deviation = try sample.squared().mean().scalar.squareRoot()
        // 4096 samples know their deviation to 1 %.
        #expect(abs(deviation - 0.5) < 0.025)
    }

    @Test func levelsFallFromTheFirstToZero() {
        let sampler = HeunSampler(stepCount: 12, sigmaMaximum: 3, sigmaMinimum: 0.01)
        let sigmas = sampler.sigmas
        #expect(sigmas.count == 13 && abs(sigmas[0] - 3) < 1e-5 && abs(sigmas[11] - 0.01) < 1e-6 && sigmas[12] == 0)
        #expect(zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 })
    }

    @Test func scalesKeepInputAndTargetAtUnitVariance() {
        let p = EDMPreconditioning(sigmaData: 0.5)
        for sigma: Float in [0.01, 0.5, 3] {
            #expect(abs(p.inputScale(sigma) * (sigma * sigma + 0.25).squareRoot() - 1) < 1e-5)
            #expect(abs(p.lossWeight(sigma) * p.outputScale(sigma) * p.outputScale(sigma) - 1) < 1e-4)
        }
    }

    @Test func lossOfTheBestDenoiserIsItsPosteriorVariance() throws {
        var generator = StepGenerator(seed: 4)
        let clean = try Tensor.randn([4, 1, 16, 16, 16], using: &generator) * 0.5
        let mask = try Tensor.full(1, [1, 1, 1, 1, 1])
        let loss = try EDMPreconditioning(sigmaData: 0.5).loss(clean, mask: mask, using: &generator) {
            scaled, _ throws(LearningError) in try scaled * 0
        }
        // Weight times s^2 sigma^2 / (s^2 + sigma^2) is 1 at every level.
        #expect(abs(try loss.scalar - 1) < 0.05)
    }

    @Test func denoisingIsMeasuredBetweenTheTruthAndNothingLearnt() throws {
        let preconditioning = EDMPreconditioning(sigmaData: 0.5)
        var generator = StepGenerator(seed: 5)
        let clean = try Tensor.randn([1, 1, 12, 12, 12], using: &generator) * 0.5
        let mask = try Tensor.full(1, clean.shape)
        func error(_ denoised: (Tensor, Float) throws(LearningError) -> Tensor) throws -> Double {
            var generator = StepGenerator(seed: 6)
            return try preconditioning.denoisingError(
                of: clean, mask: mask, levels: [2, 0.3], using: &generator, denoised: denoised)
        }
        #expect(try error { _, _ throws(LearningError) in clean } == 0)
        #expect(abs(try error(Self.ideal) - 1) < 1e-5)
        // Half of the way from what was learnt of nothing to the truth.
        let half = try error { noisy, sigma throws(LearningError) in try (Self.ideal(noisy, sigma) + clean) * 0.5 }
        #expect(abs(half - 0.5) < 1e-4)
        // To leave the noise is worse than to know its level.
        #expect(try error { noisy, _ throws(LearningError) in noisy } > 1)
    }

    @Test func normalNumbersAreNormal() throws {
        var generator = StepGenerator(seed: 2)
        let values = try Tensor.randn([20001], using: &generator).floats()
        let mean = values.reduce(0, +) / 20001
        let variance = values.reduce(0) { $0 + $1 * $1 } / 20001
        let inside = values.filter { abs($0) < 1 }.count
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05 && abs(Double(inside) / 20001 - 0.6827) < 0.015)
        var other = StepGenerator(seed: 2, step: 1)
        #expect(try Tensor.randn([20001], using: &other).floats() != values)
    }
}

import Dosimetry
import Glibc
import Imaging
import Testing

@Suite struct SingleTimeEstimateTests {
    private static let scheme = DecayScheme.lutetium177

    /// `D = 0.246 C t` is exact where `t / T` is such that `2^(t/T) = 2 t/T`: at one and at two half-lives.
    @Test(arguments: [1.0, 2.0]) func theFormulaWithoutAHalfLifeIsExactAtOneAndTwo(halfLives: Double) {
        let prior = HalfLifePrior(medianHours: 40, deviation: 1e-6, source: "test")
        let errors = SingleTimeEstimate.errors(
            hours: 40 * halfLives, prior: prior, physicalHours: Self.scheme.halfLifeHours)
        #expect(errors.halfLifeFree < 1e-4 && errors.population < 1e-4)
    }

    /// - Source: 0.0853 Gy g/(MBq h) times 2 / ln 2.
    @Test func theFactorOfLutetiumIsPublished() {
        #expect(abs(LocalDeposition(Self.scheme).graysPerMegabecquerelHourPerGram * 2 / log(2) - 0.246) < 5e-4)
    }

    /// What is printed beside a dose from one image is what happens when patients are drawn.
    @Test(arguments: [24.0, 48, 72, 96]) func theLabelledErrorIsWhatDrawsShow(hours: Double) throws {
        let prior = try #require(HalfLifePrior.lutetiumPSMA(region: "kidney_left"))
        let physical = Self.scheme.halfLifeHours
        var generator = SeededGenerator(seed: UInt64(hours))
        var (population, free, taken, count) = (0.0, 0.0, 0.0, 0)
        while count < 20_000 {
            let half = prior.medianHours * exp(prior.deviation * generator.normal())
            guard half <= physical else { continue }
            let truth = half / log(2)
            let value = exp(-log(2) / half * hours)
            let median = prior.medianHours
            let a = value * exp2(hours / median) * median / log(2) / truth - 1
            let b = 2 * hours / log(2) * value / truth - 1
            population += a * a
            free += b * b
            let estimate = SingleTimeEstimate(
                sample: ActivitySample(hours: hours, value: value, deviation: 1e-9 * value), prior: prior,
                decayPerHour: Self.scheme.decayPerHour)
            let c = estimate.curve.integral / truth - 1
            taken += c * c
            count += 1
        }
        let expected = SingleTimeEstimate.errors(hours: hours, prior: prior, physicalHours: physical)
        #expect(abs((population / 20_000).squareRoot() / expected.population - 1) < 0.06)
        #expect(abs((free / 20_000).squareRoot() / expected.halfLifeFree - 1) < 0.06)
        // The way with the smaller error is taken, and the dose bears that error.
        let better = min(expected.population, expected.halfLifeFree)
        #expect(abs((taken / 20_000).squareRoot() / better - 1) < 0.06)
    }

    /// The later images are the better ones, as the theory says.
    @Test func aDayIsTooEarly() throws {
        let prior = try #require(HalfLifePrior.lutetiumPSMA(region: "parotid_left"))
        let errors = [24.0, 48, 72, 96].map { hours in
            SingleTimeEstimate(
                sample: ActivitySample(hours: hours, value: 1, deviation: 0.05), prior: prior,
                decayPerHour: Self.scheme.decayPerHour
            ).methodError
        }
        #expect(errors[0] > errors[1] && errors[0] > errors[2])
        #expect(errors.min() ?? 1 < 0.25)
    }

    @Test func theErrorOfTheSampleComesOnTop() throws {
        let prior = try #require(HalfLifePrior.lutetiumPSMA(region: "liver"))
        func curve(_ deviation: Double) -> TimeActivityCurve {
            SingleTimeEstimate(
                sample: ActivitySample(hours: 48, value: 1, deviation: deviation), prior: prior,
                decayPerHour: Self.scheme.decayPerHour
            ).curve
        }
        let (small, large) = (curve(1e-6), curve(0.2))
        let added = (large.integralDeviation / large.integral, small.integralDeviation / small.integral)
        #expect(abs(added.0 * added.0 - added.1 * added.1 - 0.04) < 1e-3)
        #expect(large.findings == ["single-time-point"])
    }
}

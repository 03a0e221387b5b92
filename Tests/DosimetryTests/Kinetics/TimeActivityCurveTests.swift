import Dosimetry
import Glibc
import Imaging
import Testing

@Suite struct TimeActivityCurveTests {
    private static let decay = DecayScheme.lutetium177.decayPerHour
    private static let drawCount = 1000

    /// Draws of one truth, and how the fits compare with it.
    private static func study(
        hours: [Double], noise: Double, seed: UInt64, truth: (Double) -> Double, integral: Double,
        prior: HalfLifePrior? = nil
    ) throws -> (bias: Double, coverage: Double) {
        var generator = SeededGenerator(seed: seed)
        var (sum, covered) = (0.0, 0)
        for _ in 0..<drawCount {
            let samples = hours.map { hour in
                let value = truth(hour) * (1 + noise * generator.normal())
                return ActivitySample(hours: hour, value: value, deviation: noise * value)
            }
            let curve = try TimeActivityCurve(fitting: samples, decayPerHour: decay, prior: prior)
            sum += curve.integral / integral - 1
            if abs(curve.integral - integral) <= curve.integralDeviation { covered += 1 }
        }
        return (sum / Double(drawCount), Double(covered) / Double(drawCount))
    }

    @Test(arguments: [25.0, 40, 60, 90], [0.05, 0.1])
    func threeTimePointsAreUnbiasedAndTheirIntervalsHonest(half: Double, noise: Double) throws {
        let rate = log(2) / half
        let found = try Self.study(
            hours: [24, 72, 144], noise: noise, seed: UInt64(half), truth: { 50 * exp(-rate * $0) },
            integral: 50 / rate)
        #expect(abs(found.bias) < 0.02)
        #expect(abs(found.coverage - 0.68) < 0.05)
    }

    @Test func twoPhasesNeedTwoTerms() throws {
        let hours = [2.0, 6, 24, 48, 96, 144, 192]
        let truth = { (t: Double) in 60 * exp(-0.25 * t) + 40 * exp(-0.012 * t) }
        let samples = hours.map { ActivitySample(hours: $0, value: truth($0), deviation: 0.03 * truth($0)) }
        let curve = try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: nil)
        #expect(curve.model == .biExponential)
        #expect(abs(curve.integral / (60 / 0.25 + 40 / 0.012) - 1) < 0.005)
        #expect(curve.covariance.count == 16)
    }

    @Test func aRisingStartIsUptake() throws {
        let truth = { (t: Double) in 30 * (exp(-0.01 * t) - exp(-0.11 * t)) }
        let samples = [3.0, 10, 24, 72, 144, 200].map {
            ActivitySample(hours: $0, value: truth($0), deviation: 0.03 * truth($0))
        }
        let curve = try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: nil)
        #expect(curve.model == .uptakeAndClearance)
        #expect(abs(curve.integral / (30 / 0.01 - 30 / 0.11) - 1) < 0.005)
    }

    /// Noise of one phase does not buy a second one.
    @Test func onePhaseIsMostlyFittedByOne() throws {
        var generator = SeededGenerator(seed: 3)
        var simple = 0
        for _ in 0..<200 {
            let samples = [4.0, 24, 48, 72, 120, 168].map { hour in
                let value = exp(-0.015 * hour) * (1 + 0.05 * generator.normal())
                return ActivitySample(hours: hour, value: value, deviation: 0.05 * value)
            }
            let curve = try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: nil)
            if curve.model == .monoExponential { simple += 1 }
        }
        #expect(simple > 180)
    }

    @Test func aPriorHoldsTwoNoisySamples() throws {
        let prior = HalfLifePrior(medianHours: 40, deviation: 0.3, source: "test")
        let samples = [24.0, 30].map { ActivitySample(hours: $0, value: 10, deviation: 3) }
        let curve = try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: prior)
        #expect(abs(curve.effectiveHalfLifeHours / 40 - 1) < 0.25)
        #expect(curve.findings.contains("half-life-prior-used"))
        #expect(throws: DosimetryError.negativeFit) {
            try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: nil)
        }
    }

    @Test func nothingIsClearedMoreSlowlyThanItDecays() throws {
        let samples = [24.0, 72, 144].map {
            ActivitySample(hours: $0, value: exp(-0.8 * Self.decay * $0), deviation: 0.05)
        }
        let curve = try TimeActivityCurve(fitting: samples, decayPerHour: Self.decay, prior: nil)
        #expect(abs(curve.effectiveHalfLifeHours / DecayScheme.lutetium177.halfLifeHours - 1) < 1e-6)
        #expect(curve.findings == ["no-clearance-seen"])
    }

    @Test func refusesWhatIsNoSeriesOfSamples() {
        func fit(_ samples: [(Double, Double)]) throws {
            _ = try TimeActivityCurve(
                fitting: samples.map { ActivitySample(hours: $0.0, value: $0.1, deviation: 0.1) },
                decayPerHour: Self.decay, prior: nil)
        }
        #expect(throws: DosimetryError.noSamples) { try fit([]) }
        #expect(throws: DosimetryError.timesOutOfOrder) { try fit([(72, 1), (24, 2)]) }
        #expect(throws: DosimetryError.timesOutOfOrder) { try fit([(24, 2), (24, 1)]) }
        #expect(throws: DosimetryError.timesOutOfOrder) { try fit([(-1, 2), (24, 1)]) }
        #expect(throws: DosimetryError.notASample(index: 1)) { try fit([(24, 2), (72, 0)]) }
        #expect(throws: DosimetryError.notASample(index: 0)) { try fit([(24, .nan), (72, 1)]) }
        #expect(throws: DosimetryError.negativeFit) { try fit([(24, 1), (72, 2), (144, 4)]) }
        #expect(throws: DosimetryError.halfLifeMissing) { try fit([(24, 1)]) }
    }
}

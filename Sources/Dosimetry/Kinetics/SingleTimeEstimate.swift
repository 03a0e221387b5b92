import Glibc

/// The integral of a curve from one sample, labelled with the error that the spread of half-lives gives it.
///
/// Two ways, of which the one with the smaller error is taken: the half-life that is expected, and `A(t) 2 t / ln 2`,
/// which needs none. For 177Lu the latter is `D = 0.246 C t` in Gy, MBq/g and h.
///
/// - Source: Hänscheid et al., J. Nucl. Med. 59 (2018) 75: one time point between 0.75 and 2.5 effective half-lives.
public struct SingleTimeEstimate: Equatable, Sendable {
    public let curve: TimeActivityCurve
    /// Root of the mean squared relative error over the expected half-lives, without the sample's own.
    public let methodError: Double

    public init(sample: ActivitySample, prior: HalfLifePrior, decayPerHour: Double) {
        let physical = 0.693_147_180_559_945_3 / decayPerHour
        let half = min(prior.medianHours, physical)
        let errors = Self.errors(hours: sample.hours, prior: prior, physicalHours: physical)
        let usesPopulation = errors.population <= errors.halfLifeFree
        methodError = min(errors.population, errors.halfLifeFree)
        // The area without a half-life is that of a curve whose half-life is t: 2 t A(t) / ln 2.
        let assumed = usesPopulation ? half : sample.hours
        let rate = 0.693_147_180_559_945_3 / assumed
        let amplitude = sample.value * exp(rate * sample.hours)
        let integral = amplitude / rate
        let own = sample.deviation / sample.value
        curve = TimeActivityCurve(
            model: usesPopulation ? .populationHalfLife : .singleTime, terms: [.init(amplitude: amplitude, rate: rate)],
            samples: [sample], integral: integral,
            integralDeviation: integral * (own * own + methodError * methodError).squareRoot(), covariance: [],
            criterion: nil, findings: ["single-time-point"])
    }

    /// Relative errors of both ways, over the half-lives that are expected.
    ///
    /// With `x = t / T` the true integral is `A(t) T 2^x / ln 2`.
    public static func errors(
        hours: Double, prior: HalfLifePrior, physicalHours: Double
    ) -> (population: Double, halfLifeFree: Double) {
        let half = min(prior.medianHours, physicalHours)
        var (population, free) = (0.0, 0.0)
        for (trueHalf, weight) in prior.quantiles(below: physicalHours) {
            let truth = trueHalf * exp2(hours / trueHalf)
            let (a, b) = (half * exp2(hours / half) / truth - 1, 2 * hours / truth - 1)
            population += weight * a * a
            free += weight * b * b
        }
        return (population.squareRoot(), free.squareRoot())
    }
}

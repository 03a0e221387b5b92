import Glibc

/// How the activity of a region goes on in time, and its integral from the administration to the end of all decays.
///
/// - Units: amplitudes in the unit of the samples; rates in 1/h; the integral in the samples' unit times hours.
public struct TimeActivityCurve: Equatable, Sendable, Codable {
    public enum Model: String, Sendable, Codable {
        case monoExponential = "mono-exponential"
        /// Two phases that both fall.
        case biExponential = "bi-exponential"
        /// Rises from nothing and falls.
        case uptakeAndClearance = "uptake-and-clearance"
        /// One sample, and the area that it has for nearly every half-life.
        case singleTime = "single-time"
        /// One sample and the half-life of a population.
        case populationHalfLife = "population-half-life"
    }

    /// A part of the curve, `amplitude exp(-rate t)`.
    public struct Term: Equatable, Sendable, Codable {
        public let amplitude, rate: Double
    }

    /// A model that was tried and the criterion it reached.
    public struct Candidate: Equatable, Sendable, Codable {
        public let model: Model
        public let criterion: Double
    }

    public let model: Model
    public let terms: [Term]
    public let samples: [ActivitySample]
    public let integral: Double
    /// One standard deviation, of the fit alone.
    public let integralDeviation: Double
    /// Covariance of the logarithms of the fitted parameters, row by row; empty without a fit.
    public let covariance: [Double]
    /// Akaike's criterion for small samples; nil where there are too few to state it.
    public let criterion: Double?
    /// All models whose criterion could be stated, from the simplest; nil in what earlier versions wrote.
    public var candidates: [Candidate]?
    /// What was assumed, as stable codes.
    public let findings: [String]

    public func activity(at hours: Double) -> Double {
        terms.reduce(0) { $0 + $1.amplitude * exp(-$1.rate * hours) }
    }

    /// The same course at another level.
    ///
    /// - Parameter relativeDeviation: what the new integral is uncertain by.
    public func scaled(by factor: Double, relativeDeviation: Double, finding: String) -> TimeActivityCurve {
        TimeActivityCurve(
            model: model, terms: terms.map { Term(amplitude: $0.amplitude * factor, rate: $0.rate) }, samples: samples,
            integral: integral * factor, integralDeviation: integral * factor * relativeDeviation,
            covariance: covariance, criterion: criterion, candidates: candidates, findings: findings + [finding])
    }

    /// Standard deviation of the logarithm of the slowest rate; nil when no fit determined it.
    public var rateDeviation: Double? {
        // The slowest rate is the second parameter of every model.
        let order = Int(Double(covariance.count).squareRoot().rounded())
        guard order > 1, !findings.contains("no-clearance-seen") else { return nil }
        return covariance[order + 1].squareRoot()
    }

    /// Half-life of the slowest part where the samples or a population say something of it; the line through a single sample
    /// does not.
    public var foundHalfLifeHours: Double? { model == .singleTime ? nil : effectiveHalfLifeHours }

    /// Half-life of the slowest part.
    public var effectiveHalfLifeHours: Double {
        let slowest = terms.map(\.rate).min() ?? 0
        return slowest > 0 ? 0.693_147_180_559_945_3 / slowest : .infinity
    }
}

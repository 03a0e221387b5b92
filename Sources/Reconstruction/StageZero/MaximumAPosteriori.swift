import Glibc
import Imaging
import Tomography

/// The parameters that explain the counts best, given what was known before: Poisson maximum a posteriori by damped
/// Gauss-Newton steps.
///
/// A projection is never quite that of the patient. Each pixel's deviance is therefore weighted by `1 / (1 + e^2 n)`, with
/// `n` the smoothed count and `e` the model's relative error: no pixel is believed to better than `e`.
///
/// - Source: He, Frey, Med. Phys. 33 (2006) 4020 for organ activities from planar images; Marquardt, J. SIAM 11
///   (1963) 431 for the damping.
struct MaximumAPosteriori {
    static let iterationLimit = 30
    /// The fit has converged when a step lowers the cost by less than this many units of a logarithm.
    static let decrementLimit = 0.1

    let value: [Double]
    /// Of the parameters, with the counts trusted as much as the residuals allow.
    let covariance: [Double]
    let expected: [Float]
    let iterations: Int
    /// What the last step lowered the cost by, or the next would by its own reckoning, in units of a logarithm.
    let decrement: Double
    /// Weighted mean of `(n - m)^2 / variance`, which is about 1 when the model explains the counts.
    let reducedChiSquare: Double
    var hasConverged: Bool { decrement < Self.decrementLimit }

    init(_ model: ForwardModel, start: [Double]) throws(ReconstructionError) {
        let parameters = model.parameters
        let trust = PixelTrust(model.measurement)
        var value = start
        var expected = try model.expected(value)
        var cost = trust.deviance(expected) / 2 + parameters.penalty(value)
        var damping = 1e-3
        var iterations = 0
        var normal = try Self.equations(model, trust, value, expected)
        var decrement = try Self.decrement(normal)
        while iterations < Self.iterationLimit, decrement >= Self.decrementLimit {
            iterations += 1
            var accepted = false
            var gained = 0.0
            while !accepted, damping < 1e6 {
                let step = Self.limited(try normal.step(damping: damping), parameters)
                let trial = zip(value, step).map(+)
                let tried = try model.expected(trial)
                let triedCost = trust.deviance(tried) / 2 + parameters.penalty(trial)
                guard triedCost <= cost else {
                    damping = max(damping * 8, 1e-4)
                    continue
                }
                gained = cost - triedCost
                (value, expected, cost, accepted) = (trial, tried, triedCost, true)
                damping = max(damping / 8, 1e-9)
            }
            normal = try Self.equations(model, trust, value, expected)
            // When no step lowers the cost any more the numbers' own precision is reached. A gain counts as small only
            // when the step was not held back.
            decrement = accepted ? try Self.decrement(normal) : 0
            if accepted, damping < 1e-2 { decrement = min(decrement, gained) }
        }
        self.value = value
        self.expected = expected
        self.iterations = iterations
        self.decrement = decrement
        reducedChiSquare = trust.chiSquare(expected)
        covariance = try normal.covariance(
            trust: 1 / max(1, reducedChiSquare),
            considered: parameters.considered.map { ($0, parameters.covariance[$0 * parameters.count + $0]) })
    }

    private static func equations(
        _ model: ForwardModel, _ trust: PixelTrust, _ value: [Double], _ expected: [Float]
    ) throws(ReconstructionError) -> NormalEquations {
        let residual = zip(model.measurement.counts, expected).map { $0 - $1 }
        var normal = NormalEquations(
            columns: try model.columns(value), weights: trust.weights(expected), residual: residual)
        normal.addPrior(
            precision: model.parameters.precision, shortfall: zip(model.parameters.mean, value).map { $0 - $1 })
        normal.freeze(model.parameters.considered)
        return normal
    }

    private static func decrement(_ normal: NormalEquations) throws(ReconstructionError) -> Double {
        zip(try normal.step(damping: 0), normal.gradient).reduce(0) { $0 + $1.0 * $1.1 } / 2
    }

    /// A step is never longer than what the linearisation can be right for.
    private static func limited(_ step: [Double], _ parameters: FitParameters) -> [Double] {
        zip(step, parameters.list).map { change, parameter in
            let limit =
                switch parameter {
                case .level: 1.5
                case .shift, .offset, .face: 12.0
                case .texture, .mode: 0.5
                case .rotation: 0.02
                case .attenuation, .sensitivity, .tails, .scatter, .missedScatter: 0.1
                }
            return min(max(change, -limit), limit)
        }
    }
}

/// How far each pixel is believed.
struct PixelTrust {
    /// Relative error of an expected count that no parameter stands for.
    static let modelError: Float = 0.02
    /// Below this many expected counts in a pixel its weight grows no further.
    static let expectedFloor: Float = 0.05

    let counts: [Float]
    /// `1 / (1 + e^2 n)`
    private let factors: [Float]

    init(_ measurement: PlanarMeasurement) {
        counts = measurement.counts
        var factors: [Float] = []
        factors.reserveCapacity(counts.count)
        let offsets = measurement.offsets
        for (head, described) in measurement.heads.enumerated() {
            // Weights that follow each pixel's own noise would pull the fit towards low counts.
            let smooth = ScatteredImage.smoothed(
                Array(counts[offsets[head]..<offsets[head + 1]]), described.detector, deviation: 8)
            factors += smooth.map { 1 / (1 + Self.modelError * Self.modelError * max($0, 0)) }
        }
        self.factors = factors
    }

    func weights(_ expected: [Float]) -> [Float] {
        expected.indices.map { factors[$0] / max(expected[$0], Self.expectedFloor) }
    }

    /// Twice the weighted negative log-likelihood ratio against the saturated model, `2 sum w [ m - n + n ln(n / m) ]`.
    ///
    /// - Source: McCullagh, Nelder, Generalized Linear Models, section 2.3.
    func deviance(_ expected: [Float]) -> Double {
        var sum = 0.0
        for pixel in counts.indices {
            let mean = max(expected[pixel], Self.expectedFloor)
            let n = counts[pixel]
            sum += Double(factors[pixel] * (mean - n + (n > 0 ? n * log(n / mean) : 0)))
        }
        return 2 * sum
    }

    func chiSquare(_ expected: [Float]) -> Double {
        var sum = 0.0
        for pixel in counts.indices {
            let mean = max(expected[pixel], Self.expectedFloor)
            let away = counts[pixel] - mean
            sum += Double(factors[pixel] * away * away / mean)
        }
        return sum / Double(max(counts.count, 1))
    }
}

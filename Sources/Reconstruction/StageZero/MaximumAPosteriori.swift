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
package struct MaximumAPosteriori {
    static let iterationLimit = 30
    /// The fit has converged when a step lowers the cost by less than this many units of a logarithm.
    static let decrementLimit = 1.0

    package let value: [Double]
    /// Of the parameters, with the counts trusted as much as the residuals allow.
    package let covariance: [Double]
    /// The same if attenuation and sensitivity were known.
    let ownCovariance: [Double]
    let expected: [Float]
    /// Of the solution.
    package let tangent: Tangent
    package let iterations: Int
    /// What the last step lowered the cost by, or the next would by its own reckoning, in units of a logarithm.
    let decrement: Double
    /// Weighted mean of `(n - m)^2 / variance`, which is about 1 when the model explains the counts.
    let reducedChiSquare: Double
    var hasConverged: Bool { decrement < Self.decrementLimit }

    /// - Parameter known: the tangent of the start, where a fit that differs in its prior alone has ended there.
    package init(_ model: ForwardModel, start: [Double], tangent known: Tangent? = nil) throws(ReconstructionError) {
        let parameters = model.parameters
        let trust = PixelTrust(model.measurement)
        var value = start
        var expected = try model.expected(value)
        var cost = trust.deviance(expected) / 2 + parameters.penalty(value)
        var damping = 1e-3
        var iterations = 0
        var tangent: Tangent
        if let known { tangent = known } else { tangent = try Tangent(model, trust, value, expected) }
        var isTangent = true
        var normal = tangent.equations(model, trust, value, expected)
        var decrement = try Self.decrement(normal)
        while iterations < Self.iterationLimit {
            if decrement < Self.decrementLimit {
                if isTangent { break }
                (tangent, isTangent) = (try Tangent(model, trust, value, expected), true)
                normal = tangent.equations(model, trust, value, expected)
                decrement = try Self.decrement(normal)
                continue
            }
            iterations += 1
            let wasTangent = isTangent
            var gained: Double?
            while gained == nil, damping < 1e6 {
                let step = Self.limited(try normal.step(damping: damping), parameters)
                let trial = zip(value, step).map(+)
                let tried = try model.expected(trial)
                let triedCost = trust.deviance(tried) / 2 + parameters.penalty(trial)
                guard triedCost <= cost else {
                    // A step that fails may be the fault of a Jacobian from elsewhere.
                    if !isTangent { break }
                    damping = max(damping * 8, 1e-4)
                    continue
                }
                gained = cost - triedCost
                (value, expected, cost, isTangent) = (trial, tried, triedCost, false)
                damping = max(damping / 8, 1e-9)
            }
            // When no step lowers the cost any more the numbers' own precision is reached.
            if gained == nil, isTangent {
                decrement = 0
                break
            }
            // Where a step gains much less than was foretold the Jacobian has changed.
            if (gained ?? 0) < Self.gainLimit * decrement {
                (tangent, isTangent) = (try Tangent(model, trust, value, expected), true)
            }
            normal = tangent.equations(model, trust, value, expected)
            decrement = try Self.decrement(normal)
            // A gain counts as small only when the step was the best there was and not held back.
            if wasTangent, let gained, damping < 1e-2 { decrement = min(decrement, gained) }
        }
        if !isTangent {
            tangent = try Tangent(model, trust, value, expected)
            normal = tangent.equations(model, trust, value, expected)
        }
        self.tangent = tangent
        self.value = value
        self.expected = expected
        self.iterations = iterations
        self.decrement = decrement
        reducedChiSquare = trust.chiSquare(expected)
        normal.freeze(parameters.considered.map(\.parameter))
        let trusted = 1 / max(1, reducedChiSquare)
        covariance = try normal.covariance(trust: trusted, considered: parameters.considered)
        ownCovariance = try normal.covariance(
            trust: trusted, considered: parameters.considered.map { ($0.parameter, 0) })
    }

    /// A step that gains less than this part of what its Jacobian foretold asks for a new Jacobian.
    private static let gainLimit = 0.3

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
    /// `1 / (1 + e^2 n)`, and 0 for pixels whose counts the anatomy cannot explain.
    private let factors: [Float]

    init(_ measurement: PlanarMeasurement) {
        counts = measurement.counts
        var factors: [Float] = []
        factors.reserveCapacity(counts.count)
        let offsets = measurement.offsets
        for (head, described) in measurement.heads.enumerated() {
            // Weights that follow each pixel's own noise would pull the fit towards low counts.
            let smooth = ImageBlur(on: described.detector, deviation: 8)
                .applied(to: Array(counts[offsets[head]..<offsets[head + 1]]))
            factors += smooth.map { 1 / (1 + Self.modelError * Self.modelError * max($0, 0)) }
        }
        self.factors = zip(factors, measurement.trust).map { $0 * $1 }
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

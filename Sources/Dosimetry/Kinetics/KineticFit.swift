import Glibc

/// A model fitted to the logarithms of the samples, because their errors are relative ones; a prior on the slowest
/// half-life counts as one more sample.
///
/// - Source: Levenberg-Marquardt with numerical derivatives; covariance `(J'WJ)^-1`; AICc: Hurvich, Tsai, Biometrika 76
///   (1989) 297; choice of models in dosimetry: Sarrut et al., Med. Phys. 44 (2017) 5034.
struct KineticFit {
    private static let iterationLimit = 200
    private static let convergence = 1e-10
    private static let difference = 1e-5

    let model: KineticModel
    let parameters: [Double]
    let covariance: [Double]
    let criterion: Double?
    let integral, integralDeviation: Double

    /// - Parameter fixedRate: the slowest rate when it is not to be fitted.
    /// - Returns: nil when the samples do not determine the model.
    init?(
        _ model: KineticModel, _ samples: [ActivitySample], prior: HalfLifePrior?, start: [Double],
        fixedRate: Double? = nil
    ) {
        let problem = Problem(model: model, samples: samples, prior: prior, fixedRate: fixedRate)
        var place = start
        if let fixedRate { place[model.slowest] = log(fixedRate) }
        var cost = problem.cost(place)
        var damping = 1e-3
        for _ in 0..<Self.iterationLimit {
            let (matrix, gradient) = problem.equations(place, difference: Self.difference)
            var damped = matrix
            for row in 0..<matrix.order { damped[row, row] *= 1 + damping }
            guard let step = damped.solved(gradient) else { return nil }
            let trial = zip(place, step).map { $0 + min(max($1, -1), 1) }
            let tried = problem.cost(trial)
            guard tried.isFinite, tried <= cost else {
                damping *= 8
                if damping > 1e12 { break }
                continue
            }
            let gain = cost - tried
            (place, cost, damping) = (trial, tried, max(damping / 8, 1e-12))
            if gain <= Self.convergence * (1 + cost), step.allSatisfy({ abs($0) < 1e-6 }) { break }
        }
        guard place.allSatisfy({ $0.isFinite && abs($0) < 60 }),
            let inverse = problem.equations(place, difference: Self.difference).matrix.inverse()
        else { return nil }
        self.model = model
        parameters = place
        let free = model.parameterCount - (fixedRate == nil ? 0 : 1)
        covariance = inverse.values
        integral = model.integral(place)
        let slope = (0..<model.parameterCount).map { index in
            index == model.slowest && fixedRate != nil
                ? 0 : Self.derivative(model.integral, place, index, Self.difference)
        }
        var variance = 0.0
        for row in slope.indices {
            for column in slope.indices { variance += slope[row] * inverse[row, column] * slope[column] }
        }
        integralDeviation = max(variance, 0).squareRoot()
        let count = samples.count + (prior == nil ? 0 : 1)
        let rest = Double(count - free - 1)
        criterion = rest > 0 ? cost + 2 * Double(free) + 2 * Double(free * (free + 1)) / rest : nil
    }

    static func derivative(
        _ function: ([Double]) -> Double, _ place: [Double], _ index: Int, _ step: Double
    ) -> Double {
        var (ahead, behind) = (place, place)
        ahead[index] += step
        behind[index] -= step
        return (function(ahead) - function(behind)) / (2 * step)
    }

    /// The sum of squares and its normal equations.
    private struct Problem {
        let model: KineticModel
        let samples: [ActivitySample]
        let prior: HalfLifePrior?
        let fixedRate: Double?

        func cost(_ place: [Double]) -> Double {
            var sum = samples.reduce(0.0) { sum, sample in
                let miss = (log(sample.value) - model.logarithm(place, at: sample.hours)) / relative(sample)
                return sum + miss * miss
            }
            if let prior {
                let miss = priorMiss(place, prior)
                sum += miss * miss
            }
            return sum
        }

        func equations(_ place: [Double], difference: Double) -> (matrix: SymmetricMatrix, gradient: [Double]) {
            let order = model.parameterCount
            var matrix = SymmetricMatrix(order: order)
            var gradient = [Double](repeating: 0, count: order)
            for sample in samples {
                let miss = log(sample.value) - model.logarithm(place, at: sample.hours)
                let weight = 1 / (relative(sample) * relative(sample))
                let slope = (0..<order).map { index in
                    KineticFit.derivative({ model.logarithm($0, at: sample.hours) }, place, index, difference)
                }
                for row in 0..<order {
                    gradient[row] += weight * slope[row] * miss
                    for column in 0..<order { matrix[row, column] += weight * slope[row] * slope[column] }
                }
            }
            if let prior {
                let weight = 1 / (prior.deviation * prior.deviation)
                matrix[model.slowest, model.slowest] += weight
                gradient[model.slowest] += weight.squareRoot() * priorMiss(place, prior)
            }
            if fixedRate != nil {
                for other in 0..<order {
                    matrix[model.slowest, other] = other == model.slowest ? 1 : 0
                    matrix[other, model.slowest] = other == model.slowest ? 1 : 0
                }
                gradient[model.slowest] = 0
            }
            return (matrix, gradient)
        }

        /// How far the slowest rate lies below the prior's, in standard deviations of its logarithm.
        private func priorMiss(_ place: [Double], _ prior: HalfLifePrior) -> Double {
            (log(0.693_147_180_559_945_3 / prior.medianHours) - place[model.slowest]) / prior.deviation
        }

        private func relative(_ sample: ActivitySample) -> Double { sample.deviation / sample.value }
    }
}

/// A small symmetric positive definite matrix.
struct SymmetricMatrix {
    let order: Int
    private(set) var values: [Double]

    init(order: Int) {
        self.order = order
        values = Array(repeating: 0, count: order * order)
    }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * order + column] }
        set { values[row * order + column] = newValue }
    }

    /// Cholesky's lower factor; nil when the matrix is not positive definite.
    private func factor() -> SymmetricMatrix? {
        var lower = SymmetricMatrix(order: order)
        for row in 0..<order {
            for column in 0...row {
                var sum = self[row, column]
                for k in 0..<column { sum -= lower[row, k] * lower[column, k] }
                if row == column {
                    guard sum > 1e-14 * abs(self[row, row]), sum.isFinite else { return nil }
                    lower[row, row] = sum.squareRoot()
                } else {
                    lower[row, column] = sum / lower[column, column]
                }
            }
        }
        return lower
    }

    func solved(_ right: [Double]) -> [Double]? {
        guard let lower = factor() else { return nil }
        var x = right
        for row in 0..<order {
            for k in 0..<row { x[row] -= lower[row, k] * x[k] }
            x[row] /= lower[row, row]
        }
        for row in (0..<order).reversed() {
            for k in row + 1..<order { x[row] -= lower[k, row] * x[k] }
            x[row] /= lower[row, row]
        }
        return x
    }

    func inverse() -> SymmetricMatrix? {
        var result = SymmetricMatrix(order: order)
        for column in 0..<order {
            var unit = [Double](repeating: 0, count: order)
            unit[column] = 1
            guard let solution = solved(unit) else { return nil }
            for row in 0..<order { result[row, column] = solution[row] }
        }
        return result
    }
}

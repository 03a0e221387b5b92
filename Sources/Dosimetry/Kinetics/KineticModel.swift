import Glibc

/// A curve whose parameters are logarithms, so that none can become negative.
struct KineticModel: Sendable {
    let model: TimeActivityCurve.Model
    let parameterCount: Int
    /// The parameter that is the logarithm of the slowest rate.
    let slowest: Int
    private let makeTerms: @Sendable ([Double]) -> [TimeActivityCurve.Term]

    /// `A exp(-l t)`
    static let monoExponential = KineticModel(model: .monoExponential, parameterCount: 2, slowest: 1) { p in
        [.init(amplitude: exp(p[0]), rate: exp(p[1]))]
    }

    /// `A exp(-l t) + B exp(-(l + m) t)`
    static let biExponential = KineticModel(model: .biExponential, parameterCount: 4, slowest: 1) { p in
        [.init(amplitude: exp(p[0]), rate: exp(p[1])), .init(amplitude: exp(p[2]), rate: exp(p[1]) + exp(p[3]))]
    }

    /// `A [exp(-l t) - exp(-(l + m) t)]`
    static let uptakeAndClearance = KineticModel(model: .uptakeAndClearance, parameterCount: 3, slowest: 1) { p in
        [.init(amplitude: exp(p[0]), rate: exp(p[1])), .init(amplitude: -exp(p[0]), rate: exp(p[1]) + exp(p[2]))]
    }

    private init(
        model: TimeActivityCurve.Model, parameterCount: Int, slowest: Int,
        makeTerms: @escaping @Sendable ([Double]) -> [TimeActivityCurve.Term]
    ) {
        (self.model, self.parameterCount, self.slowest) = (model, parameterCount, slowest)
        self.makeTerms = makeTerms
    }

    func terms(_ parameters: [Double]) -> [TimeActivityCurve.Term] { makeTerms(parameters) }

    func logarithm(_ parameters: [Double], at hours: Double) -> Double {
        log(max(terms(parameters).reduce(0) { $0 + $1.amplitude * exp(-$1.rate * hours) }, 1e-300))
    }

    func integral(_ parameters: [Double]) -> Double { terms(parameters).reduce(0) { $0 + $1.amplitude / $1.rate } }

    /// Where a search starts, from the straight line through the logarithms.
    func starts(amplitude: Double, rate: Double) -> [[Double]] {
        let (a, l) = (log(amplitude), log(rate))
        switch model {
        case .biExponential: return [[a, l - 0.3, a - 0.7, l + 1], [a, l, a - 1.5, l + 2.5]]
        case .uptakeAndClearance: return [[a, l, log(1.0)], [a, l, log(0.1)]]
        default: return [[a, l]]
        }
    }
}

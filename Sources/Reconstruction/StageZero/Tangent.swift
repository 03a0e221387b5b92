import COpenBLAS
import Glibc

/// The Jacobian at the place where it was last computed, with what the counts say there.
///
/// A Jacobian costs as much as a hundred projections, and changes little from step to step: the columns of a region follow
/// its level, everything else is taken to stay. A step from it is accepted by its own cost, so it need not be right, only
/// good; where a fit ends and how sure it is are always decided by a Jacobian of that very place.
package struct Tangent {
    private let columns: [[Float]]
    private let information: [Double]
    private let levels: [Double?]

    init(
        _ model: ForwardModel, _ trust: PixelTrust, _ value: [Double], _ expected: [Float]
    ) throws(ReconstructionError) {
        columns = try model.columns(value)
        let residual = [Float](repeating: 0, count: expected.count)
        information =
            NormalEquations(columns: columns, weights: trust.weights(expected), residual: residual).information
        levels = Self.levels(model, value)
    }

    /// The logarithm of the level that each parameter's column goes with.
    private static func levels(_ model: ForwardModel, _ value: [Double]) -> [Double?] {
        model.parameters.list.map { parameter in
            parameter.region.map { model.value(.level(region: $0), value) }
        }
    }

    /// The normal equations of a step from another place.
    func equations(
        _ model: ForwardModel, _ trust: PixelTrust, _ value: [Double], _ expected: [Float]
    ) -> NormalEquations {
        let order = columns.count
        let scales = zip(Self.levels(model, value), levels).map { (now, then) -> Double in
            if let now, let then { exp(now - then) } else { 1 }
        }
        let weights = trust.weights(expected)
        let pull = expected.indices.map { weights[$0] * (trust.counts[$0] - expected[$0]) }
        let gradient = columns.indices.map { index in
            scales[index] * cblas_dsdot(Int32(pull.count), columns[index], 1, pull, 1)
        }
        var scaled = information
        for row in 0..<order {
            for column in 0..<order { scaled[row * order + column] *= scales[row] * scales[column] }
        }
        var normal = NormalEquations(order: order, information: scaled, gradient: gradient)
        normal.addPrior(
            precision: model.parameters.precision, shortfall: zip(model.parameters.mean, value).map { $0 - $1 })
        normal.freeze(model.parameters.frozen)
        return normal
    }
}

import Glibc
import Imaging
import Tomography

/// Uneven uptake within regions: voxels move around the fit of the regions as far as the counts ask for it.
struct HeterogeneityStep {
    /// Factor of every voxel, mean near 1.
    let factors: Volume<Float>
    let map: Volume<Float>
    let expected: [Float]

    init(_ fit: RegionFit) throws(ReconstructionError) {
        let model = fit.model
        let value = fit.solution.value
        let projector = try model.projector(value)
        let base = model.activity(value)
        let path = model.path(value)
        let factors = UnevenUptake().factors(
            of: base, weights: PixelTrust(model.measurement).weights(fit.solution.expected),
            residual: zip(model.measurement.counts, fit.solution.expected).map { $0 - $1 },
            forward: { path.primary(projector.forward($0)) }, adjoint: { projector.adjoint(path.adjoint($0)) })
        self.factors = factors
        map = base.filled { base.voxels[$0] * factors.voxels[$0] }
        guard map.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        expected = try model.expected(of: map, value)
    }
}

/// `x = x0 (1 + s G u)` with `u` independent and standard normal, `G` a Gaussian blur scaled so that `G u` has variance one,
/// and `s` the relative unevenness that is expected. The linear Gaussian problem
/// `(J' W J + 1) u = J' W (n - m0)`, `J = A diag(x0 s) G`, is solved by conjugate gradients; its solution goes back to `u = 0`
/// wherever the views say nothing.
struct UnevenUptake {
    /// Relative standard deviation of the uptake within a region.
    var unevenness: Float = 0.35
    /// Standard deviation of the blur `G`, in millimetres.
    var width = 9.0
    var iterationLimit = 20
    /// The iteration ends when the residual has fallen to this part of its start.
    var residualLimit = 0.02
    /// No voxel falls below this part of what the region's fit gives it, nor rises above its inverse.
    var floor: Float = 0.15

    /// The factor of every voxel.
    ///
    /// - Parameters:
    ///   - base: `x0`.
    ///   - weights: `W`, the inverse variance of each pixel.
    ///   - residual: `n - m0`.
    ///   - forward, adjoint: `A` and its transpose.
    func factors(
        of base: Volume<Float>, weights: [Float], residual: [Float], forward: ([Float]) -> [Float],
        adjoint: ([Float]) -> [Float]
    ) -> Volume<Float> {
        // Of independent voxels a blur leaves this variance; the scaling gives one back.
        let spacing = base.grid.spacing
        let left = pow(4 * Double.pi, 1.5) * pow(width, 3) / (spacing.x * spacing.y * spacing.z)
        let unit = Float(left.squareRoot())
        let scale = base.voxels.map { $0 * unevenness * unit }
        func views(_ field: [Float]) -> [Float] {
            let smooth = base.filled { field[$0] }.blurred(deviationMillimetres: width)
            return forward(zip(smooth.voxels, scale).map { $0 * $1 })
        }
        func field(_ views: [Float]) -> [Float] {
            let back = adjoint(views)
            return base.filled { back[$0] * scale[$0] }.blurred(deviationMillimetres: width).voxels
        }
        let found = ConjugateGradients.solve(
            rightHandSide: field(zip(weights, residual).map { $0 * $1 }), iterationLimit: iterationLimit,
            residualLimit: residualLimit
        ) { candidate in
            let image = zip(weights, views(candidate)).map { $0 * $1 }
            return zip(field(image), candidate).map { $0 + $1 }
        }
        let (floor, gain) = (floor, unevenness * unit)
        return base.filled { found[$0] }.blurred(deviationMillimetres: width).map {
            min(max(1 + gain * $0, floor), 1 / floor)
        }
    }
}

/// Conjugate gradients for a symmetric positive definite operator.
///
/// - Source: Hestenes, Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409.
package enum ConjugateGradients {
    package static func solve(
        rightHandSide: [Float], iterationLimit: Int, residualLimit: Double, _ apply: ([Float]) -> [Float]
    ) -> [Float] {
        var solution = [Float](repeating: 0, count: rightHandSide.count)
        var residual = rightHandSide
        var direction = residual
        var power = dot(residual, residual)
        let goal = power * residualLimit * residualLimit
        for _ in 0..<iterationLimit where power > goal && power > 0 {
            let image = apply(direction)
            let curvature = dot(direction, image)
            guard curvature > 0 else { break }
            let step = Float(power / curvature)
            for element in solution.indices {
                solution[element] += step * direction[element]
                residual[element] -= step * image[element]
            }
            let next = dot(residual, residual)
            let ratio = Float(next / power)
            for element in direction.indices { direction[element] = residual[element] + ratio * direction[element] }
            power = next
        }
        return solution
    }

    private static func dot(_ first: [Float], _ second: [Float]) -> Double {
        var sum = 0.0
        for start in stride(from: 0, to: first.count, by: 1024) {
            var part: Float = 0
            for element in start..<min(start + 1024, first.count) { part += first[element] * second[element] }
            sum += Double(part)
        }
        return sum
    }
}

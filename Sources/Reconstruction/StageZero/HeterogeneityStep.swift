import Glibc
package import Imaging
import Tomography

/// Uneven uptake within regions: voxels move around the fit of the regions as far as the counts ask for it.
struct HeterogeneityStep {
    /// Factor of every voxel, mean near 1.
    let factors: Volume<Float>
    let map: Volume<Float>
    let expected: [Float]
    /// Relative standard deviation of the uptake within a region, as the counts have it.
    let unevenness: Float

    /// - Parameter adapts: whether the counts tell how uneven uptake is.
    init(_ fit: RegionFit, adapts: Bool) throws(ReconstructionError) {
        let model = fit.model
        let value = fit.solution.value
        let projector = try model.projector(value)
        let base = model.activity(value)
        let path = model.path(value)
        let problem = UnevenUptake.Problem(
            base: base, weights: PixelTrust(model.measurement).weights(fit.solution.expected),
            residual: zip(model.measurement.counts, fit.solution.expected).map { $0 - $1 },
            forward: { path.primary(projector.forward($0)) }, adjoint: { projector.adjoint(path.adjoint($0)) })
        let (uptake, field) = adapts ? UnevenUptake().adapted(to: problem) : UnevenUptake().fitted(to: problem)
        let factors = uptake.factors(field, problem)
        self.factors = factors
        unevenness = uptake.unevenness
        map = base.filled { base.voxels[$0] * factors.voxels[$0] }
        guard map.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        expected = try model.expected(of: map, value)
    }
}

/// `x = x0 (1 + s G u)` with `u` independent and standard normal, `G` a Gaussian blur scaled so that `G u` has variance one,
/// and `s` the relative unevenness that is expected. The linear Gaussian problem
/// `(J' W J + 1) u = J' W (n - m0)`, `J = A diag(x0 s) G`, is solved by conjugate gradients; its solution goes back to `u = 0`
/// wherever the views say nothing.
package struct UnevenUptake {
    /// What the counts leave of a fit of the regions.
    package struct Problem {
        /// `x0`.
        let base: Volume<Float>
        /// `W`, the inverse variance of each pixel, and `n - m0`.
        let weights, residual: [Float]
        /// `A` and its transpose.
        let forward, adjoint: ([Float]) -> [Float]

        package init(
            base: Volume<Float>, weights: [Float], residual: [Float], forward: @escaping ([Float]) -> [Float],
            adjoint: @escaping ([Float]) -> [Float]
        ) {
            (self.base, self.weights, self.residual) = (base, weights, residual)
            (self.forward, self.adjoint) = (forward, adjoint)
        }
    }

    package init() {}

    /// Relative standard deviation of the uptake within a region; the most that is expected before the counts are asked.
    package var unevenness: Float = 0.35
    /// Standard deviation of the blur `G`, in millimetres.
    var width = 9.0
    var iterationLimit = 20
    /// The iteration ends when the residual has fallen to this part of its start.
    var residualLimit = 0.02
    /// No voxel falls below this part of what the region's fit gives it, nor rises above its inverse.
    var floor: Float = 0.15

    private static let leastUnevenness: Float = 0.02

    /// The field `u` that the counts ask for.
    func fitted(to problem: Problem) -> (uptake: UnevenUptake, field: [Float]) {
        (self, solution(problem, pulls(problem)))
    }

    /// With the unevenness that makes the counts likely, and no more than there was.
    ///
    /// At the most likely `s` the solution's square `u'u` is the number of directions that the counts determine,
    /// `tr[(J' W J + 1)^-1 J' W J]`; the trace is that of a random probe. One step of the fixed point `s <- s (u'u / tr)^(1/2)`
    /// and one of the secant in `ln s` lead there. What is left of the counts may also come from borders and places that the
    /// fit has not met: where uptake is even, `s` falls to what they look like.
    ///
    /// - Source: MacKay, Neural Comput. 4 (1992) 415; Hutchinson, Commun. Stat. Simul. Comput. 18 (1989) 1059.
    package func adapted(to problem: Problem) -> (uptake: UnevenUptake, field: [Float]) {
        var generator = SeededGenerator(seed: 1, purpose: "unevenness")
        let probe = problem.base.voxels.map { _ in Bool.random(using: &generator) ? Float(1) : -1 }
        let (first, field) = growth(problem, probe)
        let next = with(unevenness * expf(first))
        guard next.unevenness < unevenness else { return (self, field) }
        let second = next.growth(problem, probe).value
        // Steeper than nothing, or the secant leads away.
        let slope = min((second - first) / logf(next.unevenness / unevenness), Self.leastSlope)
        return with(next.unevenness * expf(-second / slope)).fitted(to: problem)
    }

    private static let leastSlope: Float = -0.2

    /// With another unevenness, between the least that matters and what there was.
    private func with(_ value: Float) -> UnevenUptake {
        var changed = self
        changed.unevenness = min(max(value, Self.leastUnevenness), unevenness)
        return changed
    }

    /// By how much `ln s` grows in a step of the fixed point, and the field that the counts ask for.
    private func growth(_ problem: Problem, _ probe: [Float]) -> (value: Float, field: [Float]) {
        // Both solutions end early and alike: what the one leaves undetermined the other leaves unmoved.
        let seen = field(problem, zip(problem.weights, views(problem, probe)).map { $0 * $1 })
        let determined = zip(probe, solution(problem, seen)).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        let found = fitted(to: problem).field
        let moved = found.reduce(0.0) { $0 + Double($1 * $1) }
        guard determined > 0, moved > 0 else { return (0, found) }
        return (Float(log(moved / determined) / 2), found)
    }

    /// The factor of every voxel.
    func factors(_ field: [Float], _ problem: Problem) -> Volume<Float> {
        let gain = gain(problem.base.grid)
        return problem.base.filled { field[$0] }.blurred(deviationMillimetres: width).map {
            min(max(1 + gain * $0, floor), 1 / floor)
        }
    }

    /// `s`, and what gives a field of independent voxels that is blurred its variance back.
    private func gain(_ grid: VoxelGrid) -> Float {
        let left = pow(4 * Double.pi, 1.5) * pow(width, 3) / (grid.spacing.x * grid.spacing.y * grid.spacing.z)
        return unevenness * Float(left.squareRoot())
    }

    /// `J u`.
    private func views(_ problem: Problem, _ field: [Float]) -> [Float] {
        let gain = gain(problem.base.grid)
        let smooth = problem.base.filled { field[$0] }.blurred(deviationMillimetres: width)
        return problem.forward(zip(smooth.voxels, problem.base.voxels).map { $0 * $1 * gain })
    }

    /// `J' v`.
    private func field(_ problem: Problem, _ views: [Float]) -> [Float] {
        let gain = gain(problem.base.grid)
        let (back, base) = (problem.adjoint(views), problem.base)
        return base.filled { back[$0] * base.voxels[$0] * gain }.blurred(deviationMillimetres: width).voxels
    }

    /// `J' W (n - m0)`.
    private func pulls(_ problem: Problem) -> [Float] {
        field(problem, zip(problem.weights, problem.residual).map { $0 * $1 })
    }

    /// `(J' W J + 1)^-1` of a field.
    private func solution(_ problem: Problem, _ field: [Float]) -> [Float] {
        ConjugateGradients.solve(
            rightHandSide: field, iterationLimit: iterationLimit, residualLimit: residualLimit
        ) { candidate in
            let image = zip(problem.weights, views(problem, candidate)).map { $0 * $1 }
            return zip(self.field(problem, image), candidate).map { $0 + $1 }
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

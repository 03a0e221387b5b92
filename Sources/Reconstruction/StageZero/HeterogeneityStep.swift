import Glibc
import Imaging
import Tomography

/// Uneven uptake within regions: voxels move around the fit of the regions as far as the counts ask for it.
///
/// `x = x0 (1 + s G u)` with `u` independent and standard normal, `G` a Gaussian blur scaled so that `G u` has variance one,
/// and `s` the relative unevenness that is expected. The linear Gaussian problem
/// `(J' W J + 1) u = J' W (n - m0)`, `J = A diag(x0 s) G`, is solved by conjugate gradients; its solution goes back to `u = 0`
/// wherever the views say nothing.
struct HeterogeneityStep {
    /// Relative standard deviation of the uptake within a region.
    static let unevenness: Float = 0.35
    /// Standard deviation of the blur `G`, in millimetres.
    static let width = 9.0
    static let iterationLimit = 20
    /// The iteration ends when the residual has fallen to this part of its start.
    static let residualLimit = 0.02
    /// No voxel falls below this part of what the region's fit gives it, nor rises above its inverse.
    static let floor: Float = 0.15

    /// Factor of every voxel, mean near 1.
    let factors: Volume<Float>
    let map: Volume<Float>
    let expected: [Float]

    init(_ fit: RegionFit) throws(ReconstructionError) {
        let model = fit.model
        let value = fit.solution.value
        let projector = try model.projector(value)
        let base = model.activity(value)
        let scale = base.map { $0 * Self.unevenness }
        let weights = PixelTrust(model.measurement).weights(fit.solution.expected)
        let residual = zip(model.measurement.counts, fit.solution.expected).map { $0 - $1 }
        // Of independent voxels a blur leaves this variance; the scaling gives one back.
        let spacing = base.grid.spacing
        let left = pow(4 * Double.pi, 1.5) * pow(Self.width, 3) / (spacing.x * spacing.y * spacing.z)
        let unit = Float(left.squareRoot())

        let path = model.path(value)
        func forward(_ field: [Float]) -> [Float] {
            var volume = base.filled { field[$0] }.blurred(deviationMillimetres: Self.width)
            for voxel in volume.voxels.indices { volume.voxels[voxel] *= unit * scale.voxels[voxel] }
            return path.primary(projector.forward(volume.voxels))
        }
        func adjoint(_ image: [Float]) -> [Float] {
            var volume = base
            volume.voxels = projector.adjoint(path.adjoint(image))
            for voxel in volume.voxels.indices { volume.voxels[voxel] *= unit * scale.voxels[voxel] }
            return volume.blurred(deviationMillimetres: Self.width).voxels
        }
        let field = ConjugateGradients.solve(
            rightHandSide: adjoint(zip(weights, residual).map { $0 * $1 }), iterationLimit: Self.iterationLimit,
            residualLimit: Self.residualLimit
        ) { field in
            let image = zip(weights, forward(field)).map { $0 * $1 }
            return zip(adjoint(image), field).map { $0 + $1 }
        }
        let smooth = base.filled { field[$0] }.blurred(deviationMillimetres: Self.width)
        factors = smooth.map { min(max(1 + Self.unevenness * unit * $0, Self.floor), 1 / Self.floor) }
        let factors = factors
        map = base.filled { base.voxels[$0] * factors.voxels[$0] }
        guard map.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        expected = try model.expected(of: map, value)
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

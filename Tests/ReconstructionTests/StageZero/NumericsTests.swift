import Glibc
import Imaging
import Reconstruction
import Testing
import Tomography

/// The small laws that Stage 0 stands on.
@Suite struct NumericsTests {
    private static let detector = DetectorGrid(
        columns: 60, rows: 80, spacing: SIMD2(4.8, 4.8), origin: SIMD2(0, 0))

    /// A Gaussian of the width that a collimator leaves.
    private static func spot(_ x: Double, _ z: Double) -> [Float] {
        (0..<detector.pixelCount).map { pixel in
            let away = SIMD2(Double(pixel % 60), Double(pixel / 60)) - SIMD2(x, z)
            return Float(exp(-(away * away).sum() / (2 * 1.2 * 1.2)))
        }
    }

    private static func centre(_ image: [Float]) -> SIMD2<Double> {
        var sum = SIMD2(0.0, 0.0)
        for (pixel, value) in image.enumerated() {
            sum += Double(value) * SIMD2(Double(pixel % 60), Double(pixel / 60))
        }
        return sum / Double(image.reduce(0, +))
    }

    @Test func anImageIsShiftedByMillimetres() {
        let moved = ImageMotion(shift: SIMD2(3.1, -7.9), rotation: 0).apply(to: Self.spot(30, 40), on: Self.detector)
        let centre = Self.centre(moved)
        #expect(abs(centre.x - 30 - 3.1 / 4.8) < 2e-3 && abs(centre.y - 40 + 7.9 / 4.8) < 2e-3)
        // Of so small a spot no more than two hundredths of the peak are lost, one along each axis.
        let exact = Self.spot(30 + 3.1 / 4.8, 40 - 7.9 / 4.8)
        #expect(zip(moved, exact).allSatisfy { abs($0 - $1) < 0.02 })
    }

    @Test func aRotationTurnsXTowardsZ() {
        let angle = 0.05
        let moved = ImageMotion(shift: SIMD2(0, 0), rotation: angle).apply(to: Self.spot(45, 40), on: Self.detector)
        let arm = SIMD2(45 - 29.5, 40 - 39.5)
        let expected = SIMD2(
            29.5 + arm.x * cos(angle) - arm.y * sin(angle), 39.5 + arm.x * sin(angle) + arm.y * cos(angle))
        let centre = Self.centre(moved)
        #expect(abs(centre.x - expected.x) < 0.01 && abs(centre.y - expected.y) < 0.01)
    }

    @Test func liveTimeIsThatOfAParalysableCamera() {
        var site = CameraSite.phantom
        site.deadTimeMicroseconds = 4.6
        let dead = DeadTime(site: site)
        for rate in [1e3, 3e4, 1e5] {
            let observed = rate * exp(-rate * 4.6e-6)
            #expect(abs(dead.liveFraction(observedRate: observed) - exp(-rate * 4.6e-6)) < 1e-9)
        }
        // No such camera counts faster than 1 / (e tau).
        #expect(abs(dead.liveFraction(observedRate: 1e6) - exp(-1)) < 1e-3)
        site.deadTimeMicroseconds = nil
        #expect(DeadTime(site: site).liveFraction(observedRate: 1e6) == 1)
    }

    /// y = a x + b, with b known to a deviation of 2 and not fitted: a's variance is that of the fit plus what b passes on.
    @Test func whatIsConsideredPassesItsUncertaintyOn() throws {
        let x: [Float] = [1, 2, 3, 4]
        var normal = NormalEquations(
            columns: [x, [1, 1, 1, 1]], weights: [1, 1, 1, 1], residual: [2, 4, 6, 8])
        normal.addPrior(precision: [0, 0, 0, 0.25], shortfall: [0, 0])
        normal.freeze([1])
        let step = try normal.step(damping: 0)
        #expect(abs(step[0] - 2) < 1e-6 && step[1] == 0)
        let covariance = try normal.covariance(trust: 1, considered: [(1, 4)])
        // H = 30, J'J_c = 10: variance 1/30 + (10/30)² 4; covariance with b: -10/30 * 4.
        let variance = 1.0 / 30 + 4.0 / 9
        #expect(abs(covariance[0] - variance) < 1e-6)
        #expect(abs(covariance[1] + 4.0 / 3) < 1e-6 && covariance[3] == 4)
        let distrusted = try normal.covariance(trust: 0.5, considered: [(1, 0)])
        #expect(abs(distrusted[0] - 1.0 / 15) < 1e-6)
    }

    @Test func conjugateGradientsSolve() {
        let matrix: [[Float]] = [[4, 1, 0], [1, 3, -1], [0, -1, 5]]
        let solution = ConjugateGradients.solve(rightHandSide: [6, 4, 13], iterationLimit: 10, residualLimit: 1e-7) {
            vector in
            matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        for (found, wanted) in zip(solution, [Float(1), 2, 3]) { #expect(abs(found - wanted) < 1e-4) }
    }

    /// Images of a slab whose unevenness is known, much, little or none: that is what their counts tell.
    @Test(arguments: [0, 0.1, 0.25, 0.8]) func countsTellHowUnevenUptakeIs(_ truth: Double) throws {
        let (side, depth, noise, width) = (64, 4, 0.2, 9.0)
        let grid = try VoxelGrid(
            columns: side, rows: depth, slices: side, spacing: SIMD3(repeating: 5), origin: SIMD3(0, 0, 0))
        func forward(_ map: [Float]) -> [Float] {
            var image = [Float](repeating: 0, count: side * side)
            for voxel in map.indices { image[voxel / (side * depth) * side + voxel % side] += map[voxel] }
            return image
        }
        func adjoint(_ image: [Float]) -> [Float] {
            (0..<grid.voxelCount).map { image[$0 / (side * depth) * side + $0 % side] }
        }
        var generator = SeededGenerator(seed: 3)
        let base = Volume<Float>(grid: grid, repeating: 1)
        let gain = Float(truth * (pow(4 * Double.pi, 1.5) * pow(width, 3) / 125).squareRoot())
        let field = base.map { _ in Float(generator.normal()) }.blurred(deviationMillimetres: width)
        let residual = forward(field.voxels.map { $0 * gain }).map { $0 + Float(noise * generator.normal()) }
        let uptake = UnevenUptake().adapted(
            to: UnevenUptake.Problem(
                base: base, weights: residual.map { _ in Float(1 / (noise * noise)) }, residual: residual,
                forward: forward, adjoint: adjoint)
        ).uptake
        // More than is usual is never taken for unevenness.
        let expected = min(truth, Double(UnevenUptake().unevenness))
        #expect(abs(Double(uptake.unevenness) - expected) < 0.03 + 0.15 * expected, "\(uptake.unevenness)")
    }
}

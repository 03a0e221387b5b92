import Glibc
import Imaging
import Tomography

/// One number for each region and the place of the camera: the quantitative planar method, as a Poisson
/// maximum a posteriori fit.
///
/// Expected counts are `m = D(offset) sum_k s_k P_k + S`: the projections of the regions' templates scaled by `s_k`, on
/// detectors moved by an offset, plus scatter. Fitted are `ln s_k` and the offset, by Gauss-Newton steps with damping.
///
/// - Source: He, Frey, Med. Phys. 33 (2006) 4020 (quantitative planar processing).
struct OrganScaleFit {
    /// Standard deviation of `ln s` before any count is seen.
    static let scaleDeviation = 1.2
    /// Standard deviation of the offset around the registration, in millimetres.
    static let offsetDeviation = 8.0
    static let iterationLimit = 40
    /// The fit has converged when a step changes no parameter by more than this part of its standard deviation.
    static let stepLimit = 0.01

    /// Scales of the regions' templates.
    let scales: [Double]
    /// Covariance of `ln s_k` and the two offsets, row by row.
    let covariance: [Double]
    let offset: SIMD2<Double>
    let expected: [Float]
    let iterations: Int
    let hasConverged: Bool

    /// - Parameters:
    ///   - planes: depth sums of each region's template, `[region][head][z, x]`.
    ///   - start: prior medians of the scales.
    ///   - offset: where the registration put the detectors.
    init(
        projector: OpposedViewProjector, planes: [[[Float]]], start: [Double], offset: SIMD2<Double>,
        measurement: PlanarMeasurement
    ) throws(ReconstructionError) {
        let model = Model(projector: projector, planes: planes, measurement: measurement)
        let regions = start.count
        let order = regions + 2
        let prior = start.map { log($0) } + [offset.x, offset.y]
        let precision =
            Array(repeating: 1 / (Self.scaleDeviation * Self.scaleDeviation), count: regions)
            + Array(repeating: 1 / (Self.offsetDeviation * Self.offsetDeviation), count: 2)
        func penalty(_ value: [Double]) -> Double {
            zip(zip(value, prior), precision).reduce(0) { $0 + $1.1 * pow($1.0.0 - $1.0.1, 2) } / 2
        }

        var value = prior
        var expectation = model.expectation(value)
        var cost = model.deviance(expectation.counts) / 2 + penalty(value)
        var damping = 1e-3
        var iteration = 0
        var converged = false
        func equations() -> NormalEquations {
            var normal = model.normalEquations(value, expectation)
            for parameter in 0..<order {
                normal.addPrior(
                    parameter, precision: precision[parameter], shortfall: prior[parameter] - value[parameter])
            }
            return normal
        }
        while iteration < Self.iterationLimit, !converged {
            iteration += 1
            let normal = equations()
            var accepted = false
            while !accepted, damping < 1e8 {
                let step = try normal.step(damping: damping)
                let trial = zip(value, step).map { $0 + min(max($1, -2), 2) }
                let tried = model.expectation(trial)
                let triedCost = model.deviance(tried.counts) / 2 + penalty(trial)
                guard triedCost <= cost else {
                    damping *= 8
                    continue
                }
                converged = (0..<order).allSatisfy {
                    abs(step[$0]) * normal.matrix[$0 * order + $0].squareRoot() < Self.stepLimit
                }
                (value, expectation, cost, accepted) = (trial, tried, triedCost, true)
                damping = max(damping / 8, 1e-9)
            }
            // No step lowers the cost any more: the numbers' own precision is reached.
            if !accepted { converged = true }
        }
        scales = value[..<regions].map { exp($0) }
        self.offset = SIMD2(value[regions], value[regions + 1])
        covariance = try equations().covariance()
        expected = expectation.counts
        iterations = iteration
        hasConverged = converged
    }

    /// Expected counts as a function of the parameters.
    private struct Model {
        let projector: OpposedViewProjector
        let planes: [[[Float]]]
        let measurement: PlanarMeasurement

        struct Expectation {
            let counts: [Float]
            /// Scaled image of each region.
            let parts: [[Float]]
        }

        func moved(_ offset: SIMD2<Double>) -> OpposedViewProjector {
            projector.withDetectors(measurement.heads.map { $0.detector.moved(by: offset) })
        }

        func expectation(_ value: [Double]) -> Expectation {
            let regions = planes.count
            let detectors = moved(SIMD2(value[regions], value[regions + 1]))
            var counts = measurement.scatter
            let parts = planes.indices.map { region in
                let scale = Float(exp(value[region]))
                let part = detectors.detected(planes[region]).map { $0 * scale }
                for pixel in counts.indices { counts[pixel] += part[pixel] }
                return part
            }
            return Expectation(counts: counts, parts: parts)
        }

        /// Twice the negative Poisson log-likelihood ratio against the saturated model.
        func deviance(_ expected: [Float]) -> Double {
            poissonDeviance(counts: measurement.counts, expected: expected)
        }

        func normalEquations(_ value: [Double], _ expectation: Expectation) -> NormalEquations {
            let regions = planes.count
            let summed = projector.heads.indices.map { head in
                var plane = [Float](repeating: 0, count: planes[0][head].count)
                for region in 0..<regions {
                    let scale = Float(exp(value[region]))
                    for voxel in plane.indices { plane[voxel] += scale * planes[region][head][voxel] }
                }
                return plane
            }
            let offset = SIMD2(value[regions], value[regions + 1])
            var columns = expectation.parts
            for direction in [SIMD2(0.5, 0), SIMD2(0, 0.5)] {
                let ahead = moved(offset + direction).detected(summed)
                let behind = moved(offset - direction).detected(summed)
                columns.append(zip(ahead, behind).map { $0 - $1 })
            }
            let weights = expectation.counts.map { 1 / max($0, expectedCountFloor) }
            let residual = zip(measurement.counts, expectation.counts).map { $0 - $1 }
            return NormalEquations(columns: columns, weights: weights, residual: residual)
        }
    }
}

/// Below this many expected counts in a pixel its weight grows no further.
let expectedCountFloor: Float = 0.05

/// `2 sum [ m - n + n ln(n / m) ]`
///
/// - Source: McCullagh, Nelder, Generalized Linear Models, section 2.3.
func poissonDeviance(counts: [Float], expected: [Float]) -> Double {
    var sum = 0.0
    for (count, value) in zip(counts, expected) {
        let mean = Double(max(value, expectedCountFloor))
        let n = Double(count)
        sum += mean - n + (n > 0 ? n * log(n / mean) : 0)
    }
    return 2 * sum
}

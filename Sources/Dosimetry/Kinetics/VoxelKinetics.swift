import Glibc
public import Imaging

/// A falling exponential in every voxel of a region, held by the curve of the region.
///
/// The logarithms of a voxel's activities are fitted by a straight line, `ln A = a - r t`, with the region's rate as one
/// more sample: the prior `r ~ N(r0, (s r0)²)`. The fit is that of two numbers with normal equations and covariance
/// `C = (J'WJ + P)^-1`; the voxel's integral is `exp(a) / r` and its relative variance `g'Cg`, `g = (1, -1/r)`.
///
/// A region's sum is what the counts determine best: the voxels' integrals are scaled to that of the region's curve.
///
/// - Units: maps in MBq/mL, hours; integrals in MBq h/mL.
public struct VoxelKinetics: Sendable {
    /// Integrals of one region's voxels.
    public struct Integrals: Sendable {
        /// - Shape: as the indices that were asked for.
        public let values: [Float]
        /// Relative standard deviations of the fits.
        public let deviations: [Float]
    }

    private let maps: [Volume<Float>]
    private let hours: [Double]
    private let decayPerHour: Double
    /// Relative standard deviation of a voxel on one map.
    private let noise: Double
    /// Relative standard deviation of the voxels' rates around that of their region.
    private let rateSpread: Double

    /// - Throws: ``DosimetryError/noSamples``, ``DosimetryError/timesOutOfOrder``, ``DosimetryError/gridMismatch``.
    public init(
        maps: [Volume<Float>], hours: [Double], decayPerHour: Double, noise: Double = 0.3, rateSpread: Double = 0.2
    ) throws(DosimetryError) {
        guard let first = maps.first, maps.count == hours.count else { throw .noSamples }
        guard maps.allSatisfy({ $0.grid == first.grid }) else { throw .gridMismatch }
        guard hours[0] > 0, zip(hours, hours.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .timesOutOfOrder }
        (self.maps, self.hours, self.decayPerHour) = (maps, hours, decayPerHour)
        (self.noise, self.rateSpread) = (noise, rateSpread)
    }

    /// - Parameters:
    ///   - voxels: indices of the region's voxels.
    ///   - coverage: the part of each of them that lies in the region.
    ///   - rate: of the region's curve, in 1/h.
    ///   - integral: of the region's curve, in MBq h.
    public func integrals(voxels: [Int], coverage: [Float], rate: Double, integral: Double) -> Integrals {
        precondition(voxels.count == coverage.count)
        var values = [Float](repeating: 0, count: voxels.count)
        var deviations = [Float](repeating: 0, count: voxels.count)
        var sum = 0.0
        for (place, voxel) in voxels.enumerated() {
            guard let fit = fit(voxel, rate: rate) else { continue }
            values[place] = Float(fit.integral)
            deviations[place] = Float(fit.deviation)
            sum += fit.integral * Double(coverage[place])
        }
        guard sum > 0 else { return Integrals(values: values, deviations: deviations) }
        let factor = Float(integral / (sum * maps[0].grid.voxelMillilitres))
        return Integrals(values: values.map { $0 * factor }, deviations: deviations)
    }

    /// - Returns: nil for a voxel that no map shows anything in.
    private func fit(_ voxel: Int, rate prior: Double) -> (integral: Double, deviation: Double)? {
        let weight = 1 / (noise * noise)
        let priorWeight = 1 / (rateSpread * prior * rateSpread * prior)
        var (n, t, tt, y, ty) = (0.0, 0.0, priorWeight, 0.0, -priorWeight * prior)
        for (map, hour) in zip(maps, hours) {
            let value = Double(map.voxels[voxel])
            // Nothing at one time is no point on a logarithmic scale: the others and the region speak for it.
            guard value > 0 else { continue }
            let logarithm = log(value)
            n += weight
            t += weight * hour
            tt += weight * hour * hour
            y += weight * logarithm
            ty += weight * hour * logarithm
        }
        guard n > 0 else { return nil }
        // The matrix of (a, -r): [n t; t tt].
        let determinant = n * tt - t * t
        // Nothing is cleared more slowly than it decays.
        let slope = min((n * ty - t * y) / determinant, -decayPerHour)
        let intercept = (y - slope * t) / n
        let (varianceA, varianceR, covariance) = (tt / determinant, n / determinant, -t / determinant)
        let integral = exp(intercept) / -slope
        // d ln(exp(a) / r) = da - dr / r, and the fitted slope is -r.
        let gradient = 1 / -slope
        let variance = varianceA + gradient * gradient * varianceR + 2 * gradient * covariance
        return (integral, max(variance, 0).squareRoot())
    }
}

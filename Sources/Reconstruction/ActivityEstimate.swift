public import Anatomy
public import Imaging
public import Tomography

/// What a reconstruction says: the map, the organs, and how well it explains what was measured.
public struct ActivityEstimate: Sendable {
    /// One region's activity.
    ///
    /// - Units: MBq and Bq/mL when calibrated, otherwise percent of the field's activity and percent per mL.
    public struct OrganActivity: Sendable, Equatable {
        public let name: String
        public let kind: Region.Kind
        public let activity: Double
        public let meanConcentration: Double
        public let millilitres: Double
        /// Standard deviation of the activity, in percent.
        public let deviationPercent: Double
        /// How much of the value came from the counts and not from what was assumed before, 0 to 1.
        public let dataShare: Double
    }

    /// One view beside its reprojection.
    public struct ViewFit: Sendable {
        public let direction: ViewDirection
        /// Mean of `(n - m)² / m` over the pixels.
        public let chiSquare: Double
        public let detector: DetectorGrid
        /// - Shape: `[z, x]`
        public let measured, expected: [Float]
    }

    /// - Units: Bq/mL at the time of the planar scan, or percent per mL when not calibrated.
    public let activity: Volume<Float>
    public let organs: [OrganActivity]
    public let views: [ViewFit]
    /// What was added to the planar image's x and z to reach the CT's, in millimetres.
    public let offset: SIMD2<Double>
    /// Correlation of the measured and the template's views at the start.
    public let registrationCorrelation: Double
    public let isCalibrated: Bool
    public let iterations: Int
    public let hasConverged: Bool
    public let findings: [String]

    init(
        fit: OrganScaleFit, registration: PlanarRegistration, anatomy: PatientAnatomy, measurement: PlanarMeasurement,
        findings: [String]
    ) throws(ReconstructionError) {
        let grid = anatomy.grid
        var map = Volume<Float>(grid: grid, repeating: 0)
        for (region, scale) in zip(anatomy.regions, fit.scales) {
            for voxel in map.voxels.indices where region.coverage.voxels[voxel] > 0 {
                map.voxels[voxel] += Float(scale) * region.coverage.voxels[voxel]
            }
        }
        guard map.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        let total = map.voxels.reduce(0) { $0 + Double($1) } * grid.voxelMillilitres
        let order = fit.scales.count + 2
        let priorPrecision = 1 / (OrganScaleFit.scaleDeviation * OrganScaleFit.scaleDeviation)
        // Becquerel when calibrated; otherwise shares of all that the field holds.
        let unit = measurement.isCalibrated ? 1 : 100 / total
        organs = anatomy.regions.enumerated().map { index, region in
            let variance = fit.covariance[index * order + index]
            let concentration = fit.scales[index] * unit
            return OrganActivity(
                name: region.name, kind: region.kind,
                activity: concentration * region.millilitres * (measurement.isCalibrated ? 1e-6 : 1),
                meanConcentration: concentration, millilitres: region.millilitres,
                deviationPercent: 100 * variance.squareRoot(),
                dataShare: min(max(1 - priorPrecision * variance, 0), 1))
        }
        activity = measurement.isCalibrated ? map : map.map { $0 * Float(unit) }
        var start = 0
        views = measurement.heads.map { head in
            let range = start..<start + head.detector.pixelCount
            start = range.upperBound
            let measured = Array(measurement.counts[range])
            let expected = Array(fit.expected[range])
            let sum = zip(measured, expected).reduce(0.0) {
                let mean = Double(max($1.1, expectedCountFloor))
                return $0 + (Double($1.0) - mean) * (Double($1.0) - mean) / mean
            }
            return ViewFit(
                direction: head.direction, chiSquare: sum / Double(measured.count),
                detector: head.detector.moved(by: fit.offset), measured: measured, expected: expected)
        }
        offset = fit.offset
        registrationCorrelation = registration.correlation
        isCalibrated = measurement.isCalibrated
        iterations = fit.iterations
        hasConverged = fit.hasConverged
        self.findings = findings
    }
}

public import Anatomy
import Glibc
public import Imaging
public import Tomography

/// What a reconstruction says: the map, the organs, and how well it explains what was measured.
public struct ActivityEstimate: Sendable {
    /// One region's activity.
    ///
    /// - Units: MBq and Bq/mL when calibrated, otherwise percent of the field's activity and percent per mL; millimetres.
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
        /// By how much the region lies elsewhere than in the CT, along x, y and z.
        public let shift: SIMD3<Double>
        /// Mean of `(n - m)² / variance` over the pixels in which the region gives most of the counts; nil when it does
        /// so nowhere.
        public let chiSquare: Double?
    }

    /// Activity that lies in no region of the anatomy.
    ///
    /// - Units: as for ``OrganActivity``; millimetres in the CT's frame.
    public struct UnexplainedActivity: Sendable, Equatable {
        public let name: String
        public let activity: Double
        public let deviationPercent: Double
        public let position: SIMD3<Double>
        /// Standard deviation of its depth, by the counts around the depth that was chosen.
        public let depthDeviation: Double
    }

    /// One view beside its reprojection.
    public struct ViewFit: Sendable {
        public let direction: ViewDirection
        /// Photon line, in keV.
        public let energy: Double
        /// Mean of `(n - m)² / m` over the pixels whose counts the anatomy can explain.
        public let chiSquare: Double
        /// Counts of those pixels.
        public let countsMeasured, countsExpected: Double
        /// Pixels in the CT's frame, but for the rotation.
        public let detector: DetectorGrid
        /// - Shape: `[z, x]`
        public let measured, expected: [Float]
        /// 0 for pixels whose counts the anatomy cannot explain, such as those of arms that the CT does not show.
        let trust: [Float]

        init(
            _ head: CameraHead, detector: DetectorGrid, measured: [Float], expected: [Float], trust: [Float]
        ) {
            (direction, energy, self.detector) = (head.direction, head.energy, detector)
            (self.measured, self.expected, self.trust) = (measured, expected, trust)
            var (distance, counted, predicted, pixels) = (0.0, 0.0, 0.0, 0.0)
            for pixel in measured.indices where trust[pixel] > 0 {
                let mean = Double(max(expected[pixel], PixelTrust.expectedFloor))
                distance += (Double(measured[pixel]) - mean) * (Double(measured[pixel]) - mean) / mean
                counted += Double(measured[pixel])
                predicted += Double(expected[pixel])
                pixels += 1
            }
            chiSquare = distance / max(pixels, 1)
            (countsMeasured, countsExpected) = (counted, predicted)
        }

        /// The counts, and where the anatomy cannot explain them what is expected: nothing is to be learnt there.
        var explicable: [Float] { measured.indices.map { trust[$0] > 0 ? measured[$0] : expected[$0] } }
    }

    /// - Units: Bq/mL at the time of the planar scan, or percent per mL when not calibrated.
    public private(set) var activity: Volume<Float>
    /// Standard deviation of each voxel, of a method that knows it.
    public private(set) var deviation: Volume<Float>?
    public let organs: [OrganActivity]
    public let unexplained: [UnexplainedActivity]
    public private(set) var views: [ViewFit]
    /// What was added to the planar image's x and z to reach the CT's, in millimetres.
    public let offset: SIMD2<Double>
    /// By how much the patient's image was turned in its plane, from x towards z.
    public let rotationDegrees: Double
    /// Correlation of the measured and the template's views at the start.
    public let registrationCorrelation: Double
    public let isCalibrated: Bool
    public let iterations: Int
    public let hasConverged: Bool
    /// What one more step of the fit would have gained, in units of a logarithm.
    public let convergenceDecrement: Double
    public let findings: [String]
    /// Relative standard deviation of the uptake within a region, as the counts have it; what is expected at most where they were not
    /// asked.
    let unevenness: Float
    /// What one unit of the map is in Bq/mL of the calibration that the fit worked with.
    let unit: Double

    /// What the map holds, in the organs' unit.
    public var totalActivity: Double { (organs.map(\.activity) + unexplained.map(\.activity)).reduce(0, +) }

    init(
        fit: RegionFit, uneven: HeterogeneityStep?, registration: PlanarRegistration, anatomy: PatientAnatomy,
        findings: [String]
    ) throws(ReconstructionError) {
        let model = fit.model
        let value = fit.solution.value
        let measurement = model.measurement
        let map = uneven?.map ?? model.activity(value)
        guard map.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        let expected = uneven?.expected ?? fit.solution.expected
        let total = map.voxels.reduce(0) { $0 + Double($1) } * model.grid.voxelMillilitres
        guard total > 0 else { throw .notFinite }
        // Becquerel when calibrated; otherwise shares of all that the field holds.
        let unit = measurement.isCalibrated ? 1 : 100 / total
        self.unit = 1 / unit
        let table = RegionTable(fit: fit, uneven: uneven, unit: unit, isCalibrated: measurement.isCalibrated)
        organs = table.organs(expected: expected)
        unexplained = table.unexplained()
        activity = measurement.isCalibrated ? map : map.map { $0 * Float(unit) }
        let motion = model.motion(value)
        let offset = fit.offset - motion.shift
        views = zip(measurement.heads, measurement.offsets).map { head, start in
            let range = start..<start + head.detector.pixelCount
            return ViewFit(
                head, detector: head.detector.moved(by: offset), measured: Array(measurement.counts[range]),
                expected: Array(expected[range]), trust: Array(measurement.trust[range]))
        }
        self.offset = offset
        rotationDegrees = motion.rotation * 180 / .pi
        registrationCorrelation = registration.correlation
        isCalibrated = measurement.isCalibrated
        iterations = fit.iterations
        hasConverged = fit.solution.hasConverged
        convergenceDecrement = fit.solution.decrement
        unevenness = uneven?.unevenness ?? UnevenUptake().unevenness
        self.findings = findings + (unexplained.isEmpty ? [] : ["activity-not-explained-by-anatomy"])
    }

    /// The same scan with another map of the same organs' activities: the table stays, the views of the scan's photopeak are
    /// projected anew. Those of another photopeak stay as they were fitted, and with them what is checked of them.
    func with(map: Volume<Float>, deviation: Volume<Float>?, scan: PlanarScan) -> ActivityEstimate {
        var refined = self
        refined.activity = map
        refined.deviation = deviation
        let expected = zip(scan.projector.forward(map.voxels), scan.scatter).map(+)
        let projected = zip(scan.projector.heads.indices, views).map { head, view in
            let range = scan.projector.viewOffsets[head]..<scan.projector.viewOffsets[head + 1]
            let described = scan.projector.heads[head]
            return ViewFit(
                described, detector: described.detector, measured: view.measured, expected: Array(expected[range]),
                trust: view.trust)
        }
        refined.views = projected + views.dropFirst(projected.count)
        return refined
    }

    /// One standard deviation of every voxel: that of the activity of the regions it belongs to, with the spread of the samples
    /// where there are samples. They share out the same sums, so that their spread holds nothing of the regions' own. Without them
    /// the error of how activity is spread within a region is not in it.
    ///
    /// - Parameter regions: of the anatomy that it was made with, on the map's grid.
    package func standardDeviation(over regions: [Region]) -> Volume<Float> {
        var map = Volume<Float>(grid: activity.grid, repeating: 0)
        for region in regions {
            guard let organ = organs.first(where: { $0.name == region.name }) else { continue }
            let relative = Float(organ.deviationPercent / 100)
            for voxel in map.voxels.indices where region.coverage.voxels[voxel] > 0 {
                map.voxels[voxel] += region.coverage.voxels[voxel] * relative * activity.voxels[voxel]
            }
        }
        guard let spread = deviation else { return map }
        map.voxels = zip(map.voxels, spread.voxels).map { ($0 * $0 + $1 * $1).squareRoot() }
        return map
    }
}

import Glibc
public import Anatomy
public import Imaging
public import Tomography

/// The reconstruction by physics alone: how much each region of this patient holds, from the counts of two opposed views.
///
/// It is the fallback when the networks fail, their input when they do not, and what can be checked by hand.
public struct StageZero: Sendable {
    public let anatomy: PatientAnatomy
    public let site: CameraSite
    /// The photon line that is reconstructed, in keV.
    public let line: Double

    public init(anatomy: PatientAnatomy, site: CameraSite, line: Double = Radionuclide.lutetium177.lines[0].energy) {
        (self.anatomy, self.site, self.line) = (anatomy, site, line)
    }

    /// Room that is left out at the ends of the CT, in millimetres: there the camera sees activity from beyond.
    static let endMargin = 40.0

    /// - Parameter views: all windows of one planar acquisition.
    /// - Throws: ``ReconstructionError``.
    public func reconstruct(_ views: [PlanarView]) throws(ReconstructionError) -> ActivityEstimate {
        let (front, back) = bodySurfaces()
        let measurement = try PlanarMeasurement(
            views: views, line: line, site: site, grid: anatomy.grid, bodyFront: front, bodyBack: back)
        let projector = try makeProjector(measurement.heads)
        let planes = anatomy.regions.map { projector.depthSums($0.coverage.voxels) }
        let start = initialConcentrations()
        let (registration, scale) = try register(measurement, projector, planes, start)
        let window = try measurement.cropped(
            offset: registration.offset, x: xRange, z: zRange(margin: Self.endMargin))
        let fit = try OrganScaleFit(
            projector: projector, planes: planes, start: start.map { $0 * scale }, offset: registration.offset,
            measurement: window)
        return try ActivityEstimate(
            fit: fit, registration: registration, anatomy: anatomy, measurement: window,
            findings: anatomy.findings + measurement.findings)
    }

    private var xRange: ClosedRange<Double> {
        let grid = anatomy.grid
        return grid.origin.x...grid.position(x: Double(grid.columns - 1), y: 0, z: 0).x
    }

    private func zRange(margin: Double) -> ClosedRange<Double> {
        let grid = anatomy.grid
        let last = grid.position(x: 0, y: 0, z: Double(grid.slices - 1)).z
        return grid.origin.z + margin...max(last - margin, grid.origin.z + margin)
    }

    /// y of the body's front and back: the tenth furthest of a thousand slices' surfaces would be lost in noise, so the
    /// outermost planes with at least a hundredth of the widest plane's voxels count.
    private func bodySurfaces() -> (front: Double, back: Double) {
        let grid = anatomy.grid
        var perPlane = [Int](repeating: 0, count: grid.rows)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where anatomy.body[x, y, z] { perPlane[y] += 1 }
            }
        }
        let enough = max(1, (perPlane.max() ?? 0) / 100)
        let first = perPlane.firstIndex { $0 >= enough } ?? 0
        let last = perPlane.lastIndex { $0 >= enough } ?? grid.rows - 1
        let half = grid.spacing.y / 2
        return (
            grid.position(x: 0, y: Double(first), z: 0).y - half, grid.position(x: 0, y: Double(last), z: 0).y + half
        )
    }

    private func makeProjector(_ heads: [CameraHead]) throws(ReconstructionError) -> OpposedViewProjector {
        do {
            let attenuation = try Attenuation(energy: line, tubeVoltage: site.tubeVoltage)
            return try OpposedViewProjector(
                heads: heads, attenuation: [line: attenuation.coefficients(of: anatomy.hounsfield)])
        } catch { throw .tomography }
    }

    /// Mean PET concentration of each region: what the levels are taken to be, up to one common factor, before the counts
    /// are seen.
    private func initialConcentrations() -> [Double] {
        let means = anatomy.regions.map { region in
            var sum = 0.0
            var weight = 0.0
            for (coverage, value) in zip(region.coverage.voxels, anatomy.pet.voxels) where coverage > 0 {
                sum += Double(coverage * value)
                weight += Double(coverage)
            }
            return weight > 0 ? sum / weight : 0
        }
        // A region in which the PET shows nothing still may hold something.
        let least = (means.max() ?? 1) * 1e-3
        return means.map { max($0, least) }
    }

    private func register(
        _ measurement: PlanarMeasurement, _ projector: OpposedViewProjector, _ planes: [[[Float]]], _ start: [Double]
    ) throws(ReconstructionError) -> (PlanarRegistration, scale: Double) {
        let pixel = measurement.heads[0].detector.spacing
        let grid = anatomy.grid
        let x = xRange
        let z = zRange(margin: 0)
        let over = DetectorGrid(
            columns: Int((x.upperBound - x.lowerBound) / pixel.x) + 1,
            rows: Int((z.upperBound - z.lowerBound) / pixel.y) + 1, spacing: pixel,
            origin: SIMD2(x.lowerBound, z.lowerBound))
        let template = projector.withDetectors(projector.heads.map { _ in over })
        let sum = projector.heads.indices.map { head in
            var plane = [Float](repeating: 0, count: grid.columns * grid.slices)
            for (region, level) in zip(planes, start) {
                for voxel in plane.indices { plane[voxel] += Float(level) * region[head][voxel] }
            }
            return plane
        }
        let image = template.detected(sum)
        let registration = try PlanarRegistration(template: image, detector: over, measurement: measurement)
        // One common factor from PET levels to this measurement, from all counts over the anatomy.
        let window = try measurement.cropped(offset: registration.offset, x: x, z: zRange(margin: Self.endMargin))
        let expected = projector.withDetectors(
            window.heads.map { $0.detector.moved(by: registration.offset) }
        ).detected(sum).reduce(0) { $0 + Double($1) }
        let counted = zip(window.counts, window.scatter).reduce(0) { $0 + Double($1.0 - $1.1) }
        guard expected > 0, counted > 0 else { throw .noOverlap }
        return (registration, counted / expected)
    }
}

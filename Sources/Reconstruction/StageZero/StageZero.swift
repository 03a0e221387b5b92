public import Anatomy
import Glibc
public import Imaging
public import Tomography

/// The reconstruction by physics alone: how much each region of this patient holds, where it lies today, and how unevenly it
/// takes up, from the counts of two opposed views.
///
/// It is the fallback when the networks fail, their input when they do not, and what can be checked by hand:
/// 1. the image is laid over the template's projection by correlation;
/// 2. levels, shifts, textures and unevenness of the regions and what is uncertain about the camera are fitted together;
/// 3. activity that the anatomy does not explain becomes a region of its own, and all is fitted again;
/// 4. voxels move around that fit as far as the counts ask for it, which also tell how uneven uptake is.
public struct StageZero: Sendable {
    public let anatomy: PatientAnatomy
    public let site: CameraSite
    public let radionuclide: Radionuclide
    public let options: Options

    public init(
        anatomy: PatientAnatomy, site: CameraSite, radionuclide: Radionuclide = .lutetium177,
        options: Options = Options()
    ) {
        (self.anatomy, self.site, self.radionuclide, self.options) = (anatomy, site, radionuclide, options)
    }

    /// Room that is left out at the ends of the CT, in millimetres: there the camera sees activity from beyond.
    static let endMargin = 40.0

    /// - Parameter views: all windows of one planar acquisition.
    /// - Throws: ``ReconstructionError``.
    public func reconstruct(_ views: [PlanarView]) throws(ReconstructionError) -> ActivityEstimate {
        try reconstruct(try prepare(views))
    }

    /// Reads the counts and lays them over the patient.
    package func prepare(_ views: [PlanarView]) throws(ReconstructionError) -> PreparedScan {
        let (front, back) = bodySurfaces()
        let lines = radionuclide.lines.map(\.energy)
        let measurement = try PlanarMeasurement(
            views: views, lines: options.secondPhotopeak ? lines : Array(lines.prefix(1)), site: site,
            grid: anatomy.grid, bodyFront: front, bodyBack: back)
        let attenuation = try attenuationMaps(measurement)
        let levels = initialConcentrations()
        let (registration, scale) = try register(measurement, attenuation, levels)
        let window = try measurement.cropped(
            offset: registration.offset, x: xRange, z: zRange(margin: Self.endMargin))
        return PreparedScan(
            anatomy: anatomy,
            measurement: BodyShadow(anatomy.body).believable(window, offset: registration.offset),
            attenuation: attenuation, registration: registration,
            levels: levels, scale: scale)
    }

    package func reconstruct(_ scan: PreparedScan) throws(ReconstructionError) -> ActivityEstimate {
        let (templates, starts) = templates(scan)
        let fit = try RegionFit(
            templates: templates, levels: starts, measurement: scan.measurement, attenuation: scan.attenuation,
            grid: anatomy.grid, offset: scan.registration.offset, body: anatomy.body,
            bone: anatomy.regions.first { $0.organ == .bone }?.coverage, options: options)
        let uneven = options.heterogeneity ? try HeterogeneityStep(fit, adapts: options.adaptation) : nil
        return try ActivityEstimate(
            fit: fit, uneven: uneven, registration: scan.registration, anatomy: anatomy,
            findings: anatomy.findings + scan.measurement.findings)
    }

    /// The model that the regions are fitted with, before anything unexplained was found.
    package func model(_ scan: PreparedScan) throws(ReconstructionError) -> ForwardModel {
        let (templates, starts) = templates(scan)
        let parameters = try FitParameters(
            templates: templates, levels: starts, measurement: scan.measurement, options: options, grid: anatomy.grid,
            focusStart: templates.count)
        return try ForwardModel(
            templates: templates, parameters: parameters, measurement: scan.measurement,
            attenuation: scan.attenuation, grid: anatomy.grid, offset: scan.registration.offset)
    }

    /// Every region's form and the level it is expected at.
    private func templates(_ scan: PreparedScan) -> ([RegionTemplate], [Double]) {
        let texture = options.texture ? PETTexture(anatomy: anatomy, levels: scan.levels).relative : nil
        var templates: [RegionTemplate] = []
        var starts: [Double] = []
        for (region, level) in zip(anatomy.regions, scan.levels) {
            guard let template = RegionTemplate(region, texture: texture, freedom: freedom(of: region)) else {
                continue
            }
            templates.append(template)
            starts.append(level * scan.scale)
        }
        return (templates, starts)
    }

    private func freedom(of region: Region) -> RegionTemplate.Freedom {
        let isBackground = region.kind == .background
        return RegionTemplate.Freedom(
            isMovable: options.shifts && !isBackground, hasTexture: options.texture,
            modeSpacing: options.modes ? Prior.modeSpacing(of: region) : nil)
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

    private func attenuationMaps(
        _ measurement: PlanarMeasurement
    ) throws(ReconstructionError) -> [Double: Volume<Float>] {
        var maps: [Double: Volume<Float>] = [:]
        for energy in Set(measurement.heads.map(\.energy)) {
            do {
                maps[energy] = try Attenuation(energy: energy, tubeVoltage: site.tubeVoltage)
                    .coefficients(of: anatomy.hounsfield)
            } catch { throw .tomography }
        }
        return maps
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
        _ measurement: PlanarMeasurement, _ attenuation: [Double: Volume<Float>], _ levels: [Double]
    ) throws(ReconstructionError) -> (PlanarRegistration, scale: Double) {
        let grid = anatomy.grid
        var template = Volume<Float>(grid: grid, repeating: 0)
        for (region, level) in zip(anatomy.regions, levels) {
            for voxel in template.voxels.indices {
                template.voxels[voxel] += Float(level) * region.coverage.voxels[voxel]
            }
        }
        let pixel = measurement.heads[0].detector.spacing
        let x = xRange
        let z = zRange(margin: 0)
        let over = DetectorGrid(
            columns: Int((x.upperBound - x.lowerBound) / pixel.x) + 1,
            rows: Int((z.upperBound - z.lowerBound) / pixel.y) + 1, spacing: pixel,
            origin: SIMD2(x.lowerBound, z.lowerBound))
        let projector: OpposedViewProjector
        do {
            projector = try OpposedViewProjector(
                heads: measurement.heads.map { $0.with(detector: over) }, attenuation: attenuation)
        } catch { throw .tomography }
        let image = projector.forward(template.voxels)
        let registration = try PlanarRegistration(template: image, detector: over, measurement: measurement)
        // One common factor from PET levels to this measurement, from all counts over the anatomy.
        let window = try measurement.cropped(offset: registration.offset, x: x, z: zRange(margin: Self.endMargin))
        let expected: Double
        do {
            let heads = window.heads.map { $0.with(detector: $0.detector.moved(by: registration.offset)) }
            expected = try projector.withHeads(heads).forward(template.voxels).reduce(0) { $0 + Double($1) }
        } catch { throw .tomography }
        let counted = zip(window.counts, window.scatter).reduce(0) { $0 + Double($1.0 - $1.1) }
        guard expected > 0, counted > 0 else { throw .noOverlap }
        return (registration, counted / expected)
    }
}

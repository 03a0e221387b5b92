public import Anatomy
import Glibc
public import Imaging
public import Tomography

/// How far a camera's views may be from what a reconstruction assumes of them.
///
/// Each quantity is equally likely between its bounds. `nil` for a mismatch makes the assumption true.
///
/// - Units: parts of the assumed value unless the name says otherwise.
public struct AcquisitionWorld: Equatable, Sendable {
    /// True attenuation as part of the assumed one, beyond one.
    public var attenuation: UptakeWorld.Bounds? = .init(-0.06, 0.06)
    /// How much further the heads stand than assumed.
    public var headMillimetres: UptakeWorld.Bounds? = .init(-30, 30)
    public var sensitivity: UptakeWorld.Bounds? = .init(-0.05, 0.05)
    /// Scattered counts that the scatter estimate misses, as part of the unscattered ones.
    public var residualScatter: UptakeWorld.Bounds? = .init(-0.05, 0.12)
    /// Scattered counts as part of the unscattered ones.
    public var scatterShare = UptakeWorld.Bounds(0.2, 0.5)
    /// Air between the body, or the couch, and the face that stands there.
    public var gapMillimetres = UptakeWorld.Bounds(10, 45)
    public var dwellSeconds = UptakeWorld.Bounds(90, 300)
    /// Without it the counts are their own expectation.
    public var drawsCounts = true

    public init() {}

    public static let mismatched = AcquisitionWorld()

    /// Everything is as it is assumed to be; only the counts are random.
    public static let matched: AcquisitionWorld = {
        var world = AcquisitionWorld()
        (world.attenuation, world.headMillimetres, world.sensitivity) = (nil, nil, nil)
        world.residualScatter = nil
        return world
    }()
}

/// Planar scans of possible uptake maps, on detectors with a pixel per voxel or on other pixels; the latter are drawn by the
/// projector that no reconstruction uses.
///
/// The views are those of the patient as the map's pose has moved him, attenuation included.
public struct AcquisitionSampler: Sendable {
    public let grid: VoxelGrid
    public let world: AcquisitionWorld
    public let site: CameraSite
    public let detector: DetectorGrid
    private let line: Double
    private let isDirect: Bool
    private let collimator: Collimator
    /// 1/cm, in the pose of the CT.
    public let attenuation: Volume<Float>
    private let couchTransmission: Double
    /// y of the body's surfaces.
    private let front, back: Double

    /// What was true and what a reconstruction is told.
    public struct Acquisition: Sendable {
        /// Heads as they are assumed to be, and where they really stood.
        public let assumedHeads, trueHeads: [CameraHead]
        /// Counts, then their expectation without scatter, then the scatter that the reconstruction is told of.
        ///
        /// - Shape: `[head][z, x]`
        public let counts, primary, scatter: [Float]
        /// Scatter that was really counted, in expectation.
        public let trueScatter: [Float]
        public let attenuationFactor, sensitivityFactor, residualScatter, dwellSeconds: Double
    }

    /// - Throws: ``ReconstructionError/tomography`` when the site cannot be a camera for the line.
    public init(
        anatomy: PatientAnatomy, site: CameraSite, world: AcquisitionWorld = .mismatched,
        line: Double = Radionuclide.lutetium177.lines[0].energy
    ) throws(ReconstructionError) {
        try self.init(hounsfield: anatomy.hounsfield, body: anatomy.body, site: site, world: world, line: line)
    }

    /// - Parameters:
    ///   - hounsfield: on the sampler's grid, in HU.
    ///   - detector: with other pixels than the grid's voxels; then planes are blurred directly, with tails.
    /// - Throws: ``ReconstructionError/tomography`` when the site cannot be a camera for the line.
    public init(
        hounsfield: Volume<Float>, body: Volume<Bool>, site: CameraSite, world: AcquisitionWorld = .mismatched,
        line: Double = Radionuclide.lutetium177.lines[0].energy, detector: DetectorGrid? = nil
    ) throws(ReconstructionError) {
        let grid = hounsfield.grid
        do {
            let coefficients = try Attenuation(energy: line, tubeVoltage: site.tubeVoltage)
            attenuation = coefficients.coefficients(of: hounsfield)
            collimator = try site.makeCollimator()
            couchTransmission = exp(-coefficients.waterPerCentimetre * site.couchWaterEquivalentMillimetres / 10)
        } catch { throw .tomography }
        let half = grid.spacing.y / 2
        let occupied = (0..<grid.rows).filter { y in
            (0..<grid.slices).contains { z in (0..<grid.columns).contains { body[$0, y, z] } }
        }
        front = grid.position(x: 0, y: Double(occupied.first ?? 0), z: 0).y - half
        back = grid.position(x: 0, y: Double(occupied.last ?? grid.rows - 1), z: 0).y + half
        isDirect = detector != nil
        self.detector =
            detector
            ?? DetectorGrid(
                columns: grid.columns, rows: grid.slices, spacing: SIMD2(grid.spacing.x, grid.spacing.z),
                origin: SIMD2(grid.origin.x, grid.origin.z))
        (self.grid, self.world, self.site, self.line) = (grid, world, site, line)
    }

    /// The scan that belongs to a map and a seed.
    ///
    /// - Throws: ``ReconstructionError/tomography``.
    public func acquire(_ sample: UptakeSample, seed: UInt64) throws(ReconstructionError) -> Acquisition {
        try acquire(sample.activity, pose: sample.draw.pose, seed: seed)
    }

    /// - Parameters:
    ///   - activity: in Bq/mL, of the patient as he lies now.
    ///   - pose: how he lies now.
    /// - Throws: ``ReconstructionError/tomography``.
    public func acquire(
        _ activity: Volume<Float>, pose: RigidPose, seed: UInt64
    ) throws(ReconstructionError) -> Acquisition {
        precondition(activity.grid == grid)
        var generator = SeededGenerator(seed: seed, purpose: "acquisition")
        func draw(_ bounds: UptakeWorld.Bounds) -> Double { generator.uniform(bounds.lower...bounds.upper) }
        func draw(_ bounds: UptakeWorld.Bounds?) -> Double {
            // Drawn also when it is off, so that the other quantities stay as they are.
            let value = draw(bounds ?? UptakeWorld.Bounds(0, 1))
            return bounds == nil ? 0 : value
        }
        let dwell = draw(world.dwellSeconds)
        let attenuationFactor = 1 + draw(world.attenuation)
        let sensitivityFactor = 1 + draw(world.sensitivity)
        let scatterShare = draw(world.scatterShare)
        let residual = draw(world.residualScatter)
        let gaps = ViewDirection.allCases.map { _ in draw(world.gapMillimetres) }
        let errors = ViewDirection.allCases.map { _ in draw(world.headMillimetres) }
        let assumed = heads(gaps: gaps, dwellSeconds: dwell, sensitivity: 1)
        let real = heads(gaps: zip(gaps, errors).map(+), dwellSeconds: dwell, sensitivity: sensitivityFactor)

        let moved = pose.moved(attenuation).map { $0 * Float(attenuationFactor) }
        let primary: [Float]
        do {
            primary =
                isDirect
                ? try DirectProjector(heads: real, attenuation: moved, tails: PlanarSimulation().tails)
                    .forward(activity.voxels)
                : try OpposedViewProjector(heads: real, attenuation: [line: moved]).forward(activity.voxels)
        } catch { throw .tomography }
        let blur = ImageBlur(on: detector, deviation: Self.scatterWidth)
        let pixels = detector.pixelCount
        let spread = real.indices.flatMap { blur.applied(to: Array(primary[$0 * pixels..<($0 + 1) * pixels])) }
        let trueScatter = spread.map { $0 * Float(scatterShare) }
        let told = spread.map { $0 * Float(max(scatterShare - residual, 0)) }
        var counts = zip(primary, trueScatter).map(+)
        if world.drawsCounts { counts = counts.map { Float(generator.poisson(mean: Double($0))) } }
        return Acquisition(
            assumedHeads: assumed, trueHeads: real, counts: counts, primary: primary, scatter: told,
            trueScatter: trueScatter, attenuationFactor: attenuationFactor, sensitivityFactor: sensitivityFactor,
            residualScatter: residual, dwellSeconds: dwell)
    }

    /// The projector that a reconstruction uses: the CT where it was taken, heads where they are said to be.
    ///
    /// - Throws: ``ReconstructionError/tomography``.
    public func assumedProjector(for acquisition: Acquisition) throws(ReconstructionError) -> OpposedViewProjector {
        do {
            return try OpposedViewProjector(heads: acquisition.assumedHeads, attenuation: [line: attenuation])
        } catch { throw .tomography }
    }

    private func heads(gaps: [Double], dwellSeconds: Double, sensitivity: Double) -> [CameraHead] {
        let half = grid.spacing.y / 2
        let gridBack = grid.position(x: 0, y: Double(grid.rows - 1), z: 0).y + half
        let gain =
            (site.calibration(energy: line) ?? 1) * 1e-6 * grid.voxelMillilitres * dwellSeconds * sensitivity
        return zip(ViewDirection.allCases, gaps).map { direction, gap in
            // A head never stands inside the grid.
            let face =
                direction == .anterior
                ? min(front - gap, grid.origin.y - half)
                : max(back + site.couchThicknessMillimetres + gap, gridBack)
            return CameraHead(
                direction: direction, facePosition: face, detector: detector, collimator: collimator, energy: line,
                gain: gain * (direction == .posterior ? couchTransmission : 1))
        }
    }

    /// Scattered photons seem to come from further away: standard deviation of their spread, in millimetres.
    private static let scatterWidth = 45.0
}

import Anatomy
import Glibc
import Imaging
public import Tomography

extension CameraSite {
    /// The camera that synthetic patients are scanned with.
    public static let phantom: CameraSite = {
        var site = CameraSite.uncalibratedMediumEnergy
        site.calibration = ["208": 9.3, "113": 10.2]
        return site
    }()
}

extension SyntheticPatient {
    static func ctGrid() throws(ImagingError) -> VoxelGrid {
        try VoxelGrid(
            columns: 320, rows: 320, slices: 224, spacing: SIMD3(1.5625, 1.5625, 5),
            origin: SIMD3(-249.21875, -249.21875, -150))
    }

    static func petGrid() throws(ImagingError) -> VoxelGrid {
        try VoxelGrid(
            columns: 128, rows: 128, slices: 224, spacing: SIMD3(4.0728, 4.0728, 5),
            origin: SIMD3(-258.6228, -258.6228, -150))
    }

    /// Finer than anything that reconstructs; from the legs to above the head.
    static func simulationGrid() throws(ImagingError) -> VoxelGrid {
        try VoxelGrid(
            columns: 204, rows: 80, slices: 560, spacing: SIMD3(2.4, 3.6, 2.4),
            origin: SIMD3(-243.6, -142.2, -340))
    }

    /// Pixels of a whole-body scan.
    private static let pixel = 2.3976
    private static let planarColumns = 256
    private static let planarRows = 1024

    static func acquire(
        activity: Volume<Float>, labels: Volume<StructureLabel>, recipe: Recipe, offset: SIMD2<Double>,
        dwellSeconds: Double, _ generator: inout SeededGenerator
    ) throws -> [PlanarView] {
        let site = recipe.site
        let line = Radionuclide.lutetium177.lines[0].energy
        let attenuation = try Attenuation(energy: line, tubeVoltage: site.tubeVoltage)
        let occupied = occupiedRows(labels)
        let activity = try activity.cropped(rows: occupied)
        let labels = try labels.cropped(rows: occupied)
        let half = labels.grid.spacing.y / 2
        let surfaces = (
            front: labels.grid.origin.y - half,
            back: labels.grid.position(x: 0, y: Double(occupied.count - 1), z: 0).y + half
        )
        // The lower head is under the couch, the upper one as near as the contour tracking goes.
        let posteriorFace = surfaces.back + site.couchThicknessMillimetres + generator.uniform(8...22)
        let anteriorFace = surfaces.front - generator.uniform(12...35)
        let length = Double(planarRows) * pixel
        // The image reaches from below the legs to above the head; its own coordinates are off by the offset.
        let truePixels = DetectorGrid(
            columns: planarColumns, rows: planarRows, spacing: SIMD2(repeating: pixel),
            origin: SIMD2(
                -Double(planarColumns - 1) / 2 * pixel + offset.x, 980 - length + pixel / 2 + offset.y))
        let collimator = try site.makeCollimator()
        let calibration = site.calibration(energy: line) ?? CameraSite.phantom.calibration(energy: line) ?? 1
        let heads = ViewDirection.allCases.map { direction in
            let couch = direction == .posterior ? site.couchWaterEquivalentMillimetres / 10 : 0
            return CameraHead(
                direction: direction, facePosition: direction == .anterior ? anteriorFace : posteriorFace,
                detector: truePixels, collimator: collimator, energy: line,
                gain: calibration * 1e-6 * activity.grid.voxelMillilitres * dwellSeconds
                    * exp(-attenuation.waterPerCentimetre * couch))
        }
        let simulation = PlanarSimulation()
        let expectations = try simulation.expectations(
            activity: activity, attenuation: attenuation.coefficients(of: StylisedPhantom.hounsfield(of: labels)),
            heads: heads)
        let axis = (anteriorFace + posteriorFace) / 2
        var views: [PlanarView] = []
        for expectation in expectations {
            for view in try simulation.draw(
                expectation, windows: windows, dwellSeconds: dwellSeconds, rotationAxis: axis, using: &generator)
            {
                // The camera knows its own coordinates only.
                views.append(
                    try PlanarView(
                        direction: view.direction, window: view.window, columns: view.columns, rows: view.rows,
                        spacing: view.spacing, origin: view.origin - offset, dwellSeconds: view.dwellSeconds,
                        radialPositionMillimetres: view.radialPositionMillimetres,
                        facePositionMillimetres: view.facePositionMillimetres.map { $0 - axis }, counts: view.counts))
            }
        }
        return views
    }

    private static func occupiedRows(_ labels: Volume<StructureLabel>) -> Range<Int> {
        let grid = labels.grid
        var occupied = [Bool](repeating: false, count: grid.rows)
        for (voxel, label) in labels.voxels.enumerated() where label != .air {
            occupied[voxel / grid.columns % grid.rows] = true
        }
        return (occupied.firstIndex(of: true) ?? 0)..<(occupied.lastIndex(of: true) ?? grid.rows - 1) + 1
    }

    static func noisy(
        _ volume: Volume<Float>, deviation: Double, _ generator: inout SeededGenerator
    ) -> Volume<Float> {
        var noisy = volume
        for voxel in noisy.voxels.indices {
            let value = (noisy.voxels[voxel] + Float(generator.normal(deviation: deviation))).rounded()
            // A CT's scale starts at -1024.
            noisy.voxels[voxel] = max(value, -1024)
        }
        return noisy
    }

    /// A PET's resolution (about 6 mm) and noise.
    static func blurredPET(_ activity: Volume<Float>, _ generator: inout SeededGenerator) -> Volume<Float> {
        var blurred = activity
        let grid = activity.grid
        for (axis, stride) in [1, grid.columns, grid.columns * grid.rows].enumerated() {
            let count = [grid.columns, grid.rows, grid.slices][axis]
            let variance = Float(pow(6 / 2.355 / grid.spacing[axis], 2))
            blurAxis(&blurred.voxels, stride: stride, count: count, variance: variance)
        }
        for voxel in blurred.voxels.indices {
            let value = Double(blurred.voxels[voxel])
            blurred.voxels[voxel] = Float(max(0, value + 0.05 * value * generator.normal()))
        }
        return blurred
    }

    /// Three taps, as often as they are needed for the variance in squared voxels.
    private static func blurAxis(_ voxels: inout [Float], stride: Int, count: Int, variance: Float) {
        let passes = max(1, Int((variance / 0.4).rounded(.up)))
        let side = variance / Float(passes) / 2
        for _ in 0..<passes {
            var result = voxels
            for voxel in voxels.indices {
                let place = voxel / stride % count
                let before = place > 0 ? voxels[voxel - stride] : 0
                let after = place + 1 < count ? voxels[voxel + stride] : 0
                result[voxel] = (1 - 2 * side) * voxels[voxel] + side * (before + after)
            }
            voxels = result
        }
    }
}

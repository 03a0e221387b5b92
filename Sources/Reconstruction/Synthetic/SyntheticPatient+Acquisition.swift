import Anatomy
import Dispatch
import Glibc
import Imaging
import Tomography

extension SyntheticPatient {
    /// What happens at the gamma camera.
    struct Acquisition {
        let recipe: Recipe
        let pose: PlanarPose
        let dwellSeconds: Double
        private let anteriorGap, posteriorGap: Double

        init(_ recipe: Recipe) {
            self.recipe = recipe
            var generator = SeededGenerator(seed: recipe.scanSeed, purpose: "acquisition")
            let offset = SIMD2(generator.uniform(-25...25), generator.uniform(-60...60))
            // The lower head is under the couch, the upper one as near as the contour tracking goes.
            posteriorGap = recipe.site.couchThicknessMillimetres + generator.uniform(8...22)
            anteriorGap = generator.uniform(12...35)
            let degrees = generator.normal(deviation: recipe.rotationDegrees)
            switch recipe.field {
            case .wholeBody:
                dwellSeconds = recipe.site.fieldOfViewMillimetres[1] / recipe.scanVelocity
                pose = PlanarPose(offset: offset, degrees: degrees, pivot: SIMD2(0, Self.trunkCentre))
            case .oneBed(let centre):
                dwellSeconds = recipe.bedSeconds
                pose = PlanarPose(offset: offset, degrees: degrees, pivot: SIMD2(0, centre))
            }
        }

        private static let trunkCentre = 350.0

        /// Pixels in the camera's own coordinates.
        private var cameraPixels: DetectorGrid {
            let pixel = recipe.resolution.pixel
            let size: SIMD2<Double>
            let centre: SIMD2<Double>
            switch recipe.field {
            case .wholeBody:
                // From below the legs to above the head.
                size = SIMD2(256, 1024) * 2.3976
                centre = SIMD2(0, 980 - size.y / 2)
            case .oneBed(let z):
                size = SIMD2(recipe.site.fieldOfViewMillimetres[0], recipe.site.fieldOfViewMillimetres[1])
                centre = SIMD2(0, z) - pose.offset
            }
            let count = (size / pixel + 1e-6).rounded(.down)
            return DetectorGrid(
                columns: Int(count.x), rows: Int(count.y), spacing: SIMD2(repeating: pixel),
                origin: centre - (count - 1) / 2 * pixel)
        }

        /// Pixels along the patient's axes that cover the camera's.
        private func patientPixels(of camera: DetectorGrid) -> DetectorGrid {
            let there = camera.moved(by: pose.offset)
            guard pose.degrees != 0 else { return there }
            let last = SIMD2(Double(camera.columns - 1), Double(camera.rows - 1)) * camera.spacing
            let corners = [SIMD2(0, 0), SIMD2(last.x, 0), SIMD2(0, last.y), last].map {
                pose.patientPosition(ofImage: camera.origin + $0)
            }
            // Room for the interpolation.
            let margin = 3 * camera.spacing
            let lower = corners.reduce(corners[0]) { pointwiseMin($0, $1) } - margin
            let upper = corners.reduce(corners[0]) { pointwiseMax($0, $1) } + margin
            let count = ((upper - lower) / camera.spacing).rounded(.up) + 1
            return DetectorGrid(
                columns: Int(count.x), rows: Int(count.y), spacing: camera.spacing, origin: lower)
        }

        /// - Parameters:
        ///   - activity: in Bq/mL, on voxels as fine as the simulation's.
        ///   - labels: the structures, on the same voxels.
        func views(activity: Volume<Float>, labels: Volume<StructureLabel>) throws -> [PlanarView] {
            let camera = cameraPixels
            let pixels = patientPixels(of: camera)
            let rows = Self.occupiedRows(labels)
            let slices = Self.visibleSlices(labels.grid, pixels)
            let activity = try activity.cropped(rows: rows).cropped(slices: slices)
            let labels = try labels.cropped(rows: rows).cropped(slices: slices)
            var simulation = PlanarSimulation()
            simulation.residualScatterShare = recipe.residualScatterShare
            var downscatter: [[Float]] = []
            var views: [PlanarView] = []
            for (energy, windows) in photopeaks {
                let attenuation = try Attenuation(energy: energy, tubeVoltage: recipe.site.tubeVoltage)
                let factor = Float(recipe.attenuationFactor)
                let expectations = try simulation.expectations(
                    activity: activity,
                    attenuation: attenuation.coefficients(of: StylisedPhantom.hounsfield(of: labels))
                        .map { $0 * factor },
                    heads: try heads(grid: labels.grid, pixels: pixels, attenuation: attenuation)
                ).map { expectation in
                    pose.degrees == 0
                        ? expectation : expectation.sampled(on: camera) { pose.patientPosition(ofImage: $0) }
                }
                let counted = expectations.enumerated().map { head, expectation in
                    (downscatter.isEmpty ? expectation : expectation.adding(downscatter[head]))
                        .counted(by: DeadTime(site: recipe.site), dwellSeconds: dwellSeconds)
                }
                views += try draw(counted, windows, simulation: simulation, origin: camera.origin)
                // What has lost energy from the upper line comes below it, about half of what stays in its window.
                downscatter = expectations.map { $0.scatter.map { $0 / 2 } }
            }
            return views
        }

        /// Lines with their windows, the upper one first.
        private var photopeaks: [(energy: Double, windows: [EnergyWindow])] {
            let lines = Radionuclide.lutetium177.lines.map(\.energy)
            let both = [SyntheticPatient.windows, SyntheticPatient.secondWindows]
            return Array(zip(lines, both).prefix(recipe.secondPhotopeak ? 2 : 1))
        }

        private func heads(grid: VoxelGrid, pixels: DetectorGrid, attenuation: Attenuation) throws -> [CameraHead] {
            let half = grid.spacing.y / 2
            let front = grid.origin.y - half - anteriorGap - recipe.faceErrorMillimetres
            let back =
                grid.position(x: 0, y: Double(grid.rows - 1), z: 0).y + half + posteriorGap
                + recipe.faceErrorMillimetres
            let line = attenuation.energy
            let calibration = recipe.site.calibration(energy: line) ?? CameraSite.phantom.calibration(energy: line) ?? 1
            let collimator = try recipe.site.makeCollimator()
            return ViewDirection.allCases.map { direction in
                let couch = direction == .posterior ? recipe.site.couchWaterEquivalentMillimetres / 10 : 0
                return CameraHead(
                    direction: direction, facePosition: direction == .anterior ? front : back, detector: pixels,
                    collimator: collimator, energy: line,
                    gain: calibration * recipe.sensitivityFactor * 1e-6 * grid.voxelMillilitres * dwellSeconds
                        * exp(-attenuation.waterPerCentimetre * recipe.attenuationFactor * couch))
            }
        }

        private func draw(
            _ expectations: [PlanarSimulation.Expectation], _ windows: [EnergyWindow], simulation: PlanarSimulation,
            origin: SIMD2<Double>
        ) throws -> [PlanarView] {
            let faces = expectations.map(\.head.facePosition)
            let axis = faces.reduce(0, +) / Double(faces.count)
            var views: [PlanarView] = []
            for expectation in expectations {
                let direction = expectation.head.direction.rawValue
                let peak = windows == SyntheticPatient.windows ? "" : "-\(Int(expectation.head.energy))"
                var generator = SeededGenerator(seed: recipe.scanSeed, purpose: "counts-\(direction)\(peak)")
                for view in try simulation.draw(
                    expectation, windows: windows, dwellSeconds: dwellSeconds, rotationAxis: axis,
                    using: &generator)
                {
                    // The camera knows its own coordinates only, and its heads nearer than they are.
                    let recorded = abs(expectation.head.facePosition - axis) - recipe.faceErrorMillimetres
                    views.append(
                        try PlanarView(
                            direction: view.direction, window: view.window, columns: view.columns, rows: view.rows,
                            spacing: view.spacing, origin: origin, dwellSeconds: view.dwellSeconds,
                            radialPositionMillimetres: recorded,
                            facePositionMillimetres: view.direction == .anterior ? -recorded : recorded,
                            counts: view.counts))
                }
            }
            return views
        }

        private static func occupiedRows(_ labels: Volume<StructureLabel>) -> Range<Int> {
            let grid = labels.grid
            let occupied = (0..<grid.rows).map { y in
                (0..<grid.slices).contains { z in
                    let row = grid.offset(x: 0, y: y, z: z)
                    return (row..<row + grid.columns).contains { labels.voxels[$0] != .air }
                }
            }
            return (occupied.firstIndex(of: true) ?? 0)..<(occupied.lastIndex(of: true) ?? grid.rows - 1) + 1
        }

        /// Activity further than this beyond the pixels is not seen, in millimetres: three widths of the scatter.
        private static let sight = 150.0

        private static func visibleSlices(_ grid: VoxelGrid, _ pixels: DetectorGrid) -> Range<Int> {
            let top = pixels.origin.y + Double(pixels.rows - 1) * pixels.spacing.y
            let first = Int(grid.index(of: SIMD3(0, 0, pixels.origin.y - sight)).z.rounded(.down))
            let last = Int(grid.index(of: SIMD3(0, 0, top + sight)).z.rounded(.up))
            return min(max(first, 0), grid.slices - 1)..<max(min(last + 1, grid.slices), 1)
        }
    }
}

extension PlanarSimulation.Expectation {
    /// More scatter than the line's own.
    fileprivate func adding(_ scatter: [Float]) -> Self {
        Self(head: head, primary: primary, scatter: zip(self.scatter, scatter).map(+), residual: residual)
    }

    /// What a camera counts that is busy after every photon.
    fileprivate func counted(by deadTime: DeadTime, dwellSeconds: Double) -> Self {
        guard deadTime.seconds > 0 else { return self }
        let all = zip(zip(primary, scatter), residual).map { $0.0 + $0.1 + $1 }
        let live = deadTime.liveFraction(ofTrue: all, on: head.detector, dwellSeconds: dwellSeconds)
        func reduced(_ image: [Float]) -> [Float] { zip(image, live).map { $0 * $1 } }
        return Self(head: head, primary: reduced(primary), scatter: reduced(scatter), residual: reduced(residual))
    }
}

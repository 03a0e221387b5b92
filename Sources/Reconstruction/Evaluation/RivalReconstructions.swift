import Anatomy
import Glibc
import Imaging
import Tomography

/// The reconstructions that others do, as well as they can be done: what Stage 0 and the networks are compared with.
struct RivalReconstructions {
    let scan: PreparedScan
    private let projector: OpposedViewProjector

    /// A map with the activity that the method itself would report for each region.
    struct Result {
        let map: Volume<Float>
        /// In the unit of the map times mL, region by region.
        let activities: [Double]
    }

    init(_ scan: PreparedScan) throws(ReconstructionError) {
        self.scan = scan
        projector = try scan.projector()
    }

    /// The PET times one factor.
    func template() -> Result {
        let pet = scan.anatomy.pet
        let expected = projector.forward(pet.voxels).reduce(0) { $0 + Double($1) }
        let counted = zip(scan.measurement.counts, scan.measurement.scatter).reduce(0) { $0 + Double($1.0 - $1.1) }
        let map = pet.map { $0 * Float(max(counted, 0) / max(expected, 1e-20)) }
        return Result(map: map, activities: regionSums(map))
    }

    static let iterationCount = 30

    /// Maximum likelihood by expectation maximisation from an even body.
    ///
    /// - Source: Shepp, Vardi, IEEE Trans. Med. Imaging 1 (1982) 113.
    func maximumLikelihood() -> Result {
        let body = scan.anatomy.body
        var map = Volume<Float>(grid: body.grid, repeating: 0)
        let ones = projector.adjoint([Float](repeating: 1, count: projector.rangeCount))
        let sensitivityFloor = (ones.max() ?? 1) * 1e-4
        let seen = body.voxels.indices.filter { body.voxels[$0] && ones[$0] > sensitivityFloor }
        for voxel in seen { map.voxels[voxel] = 1 }
        let start = projector.forward(map.voxels).reduce(0) { $0 + Double($1) }
        let counted = scan.measurement.counts.reduce(0) { $0 + Double($1) }
        for voxel in seen { map.voxels[voxel] = Float(counted / max(start, 1e-20)) }
        for _ in 0..<Self.iterationCount {
            let expected = projector.forward(map.voxels)
            let ratio = expected.indices.map {
                scan.measurement.counts[$0] / max(expected[$0] + scan.measurement.scatter[$0], 1e-3)
            }
            let back = projector.adjoint(ratio)
            for voxel in seen { map.voxels[voxel] *= back[voxel] / ones[voxel] }
        }
        return Result(map: map, activities: regionSums(map))
    }

    /// The geometric mean of opposed counts, pixel by pixel, spread evenly along the ray through the body; organs by their
    /// outlines in the image, less the activity around them.
    ///
    /// `A = sqrt(I_A I_P exp(mu t)) f / C`, `f = (mu t / 2) / sinh(mu t / 2)`.
    ///
    /// - Source: Siegel et al., MIRD pamphlet 16, J. Nucl. Med. 40 (1999) 37S.
    func conjugateView() -> Result {
        let grid = scan.anatomy.grid
        let measurement = scan.measurement
        let detector = measurement.heads[0].detector.moved(by: scan.registration.offset)
        let pixels = detector.pixelCount
        let mu = scan.attenuation[measurement.heads[0].energy] ?? Volume(grid: grid, repeating: 0)
        var perPixel = [Double](repeating: 0, count: pixels)
        func column(_ pixel: Int) -> (x: Int, z: Int)? {
            let x = detector.origin.x + Double(pixel % detector.columns) * detector.spacing.x
            let z = detector.origin.y + Double(pixel / detector.columns) * detector.spacing.y
            let index = grid.index(of: SIMD3(x, 0, z))
            let (column, slice) = (Int(index.x.rounded()), Int(index.z.rounded()))
            guard (0..<grid.columns).contains(column), (0..<grid.slices).contains(slice) else { return nil }
            return (column, slice)
        }
        for pixel in 0..<pixels {
            guard let place = column(pixel) else { continue }
            var thickness = 0.0
            for y in 0..<grid.rows where scan.anatomy.body[place.x, y, place.z] {
                thickness += Double(mu[place.x, y, place.z]) * grid.spacing.y / 10
            }
            let counts = [pixel, pixels + pixel].map {
                Double(max(measurement.counts[$0] - measurement.scatter[$0], 0))
            }
            let half = thickness / 2
            let self_ = half > 1e-6 ? half / sinh(half) : 1
            // Counts of a pixel for a concentration of one in one voxel, both heads: what is found is the sum over its voxels.
            let gain = (measurement.heads[0].gain * measurement.heads[1].gain).squareRoot()
            perPixel[pixel] = (counts[0] * counts[1]).squareRoot() * exp(half) * self_ / gain
        }
        var map = Volume<Float>(grid: grid, repeating: 0)
        for z in 0..<grid.slices {
            for x in 0..<grid.columns {
                let rows = (0..<grid.rows).filter { scan.anatomy.body[x, $0, z] }
                guard !rows.isEmpty, let pixel = pixel(x, z, detector, grid) else { continue }
                let each = Float(perPixel[pixel] / pixelVoxels(detector) / Double(rows.count))
                for y in rows { map[x, y, z] = each }
            }
        }
        let activities = scan.anatomy.regions.map { region in
            outlined(region, perPixel, detector, grid) * grid.voxelMillilitres
        }
        return Result(map: map, activities: activities)
    }

    /// The pixel that a voxel column lies under.
    private func pixel(_ x: Int, _ z: Int, _ detector: DetectorGrid, _ grid: VoxelGrid) -> Int? {
        let place = grid.position(x: Double(x), y: 0, z: Double(z))
        let column = Int(((place.x - detector.origin.x) / detector.spacing.x).rounded())
        let row = Int(((place.z - detector.origin.y) / detector.spacing.y).rounded())
        guard (0..<detector.columns).contains(column), (0..<detector.rows).contains(row) else { return nil }
        return row * detector.columns + column
    }

    /// Voxel columns under one pixel.
    private func pixelVoxels(_ detector: DetectorGrid) -> Double {
        detector.spacing.x * detector.spacing.y / (scan.anatomy.grid.spacing.x * scan.anatomy.grid.spacing.z)
    }

    /// Sum over the pixels that a region covers, less as much as a ring around it shows for each of them.
    private func outlined(
        _ region: Region, _ perPixel: [Double], _ detector: DetectorGrid, _ grid: VoxelGrid
    ) -> Double {
        var covered = [Bool](repeating: false, count: detector.pixelCount)
        for z in 0..<grid.slices {
            for x in 0..<grid.columns {
                guard (0..<grid.rows).contains(where: { region.coverage[x, $0, z] > 0.5 }) else { continue }
                if let pixel = pixel(x, z, detector, grid) { covered[pixel] = true }
            }
        }
        var inside = (sum: 0.0, count: 0.0)
        var ring = (sum: 0.0, count: 0.0)
        for row in 0..<detector.rows {
            for column in 0..<detector.columns {
                let pixel = row * detector.columns + column
                if covered[pixel] {
                    inside = (inside.sum + perPixel[pixel], inside.count + 1)
                    continue
                }
                let isNear = (max(row - 3, 0)...min(row + 3, detector.rows - 1)).contains { other in
                    (max(column - 3, 0)...min(column + 3, detector.columns - 1)).contains {
                        covered[other * detector.columns + $0]
                    }
                }
                if isNear { ring = (ring.sum + perPixel[pixel], ring.count + 1) }
            }
        }
        // A background region is all that is there; it has nothing around it that could be taken off.
        let around = region.kind == .background || ring.count == 0 ? 0 : ring.sum / ring.count
        return max(inside.sum - around * inside.count, 0)
    }

    private func regionSums(_ map: Volume<Float>) -> [Double] {
        scan.anatomy.regions.map { region in
            zip(map.voxels, region.coverage.voxels).reduce(0) { $0 + Double($1.0 * $1.1) } * map.grid.voxelMillilitres
        }
    }
}

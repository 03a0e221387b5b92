extension StructureSet.Region {
    /// Two contours closer than this, in millimetres, lie on the same plane.
    public static let planeTolerance = 0.01
    /// A gap between two planes is bridged up to this many usual plane distances: a reader may have drawn every other
    /// slice. A wider one separates two parts of the region.
    public static let bridgedGapLimit = 2.5

    /// The part of each voxel that lies in the region, from 0 to 1.
    ///
    /// Every plane of contours stands for a slab that reaches half way to the planes beside it, and half the usual
    /// plane distance beyond the outer ones; a single plane is as thick as a slice of the grid. Within a plane a point
    /// lies inside when an odd number of polygons surrounds it. Coverage is exact along x and z; along y it is the
    /// mean over lines that divide a voxel evenly.
    ///
    /// - Parameters:
    ///   - grid: on which the fractions are wanted, in the coordinates of the contours.
    ///   - linesPerVoxel: lines along x that sample a voxel.
    /// - Throws: ``ImagingError/emptyContour(region:)`` when there is no contour or one of fewer than three points;
    ///   ``ImagingError/contourNotAxial(region:)`` when a contour leaves its plane.
    public func coverage(on grid: VoxelGrid, linesPerVoxel: Int = 8) throws(ImagingError) -> Volume<Float> {
        var volume = Volume<Float>(grid: grid, repeating: 0)
        let plane = grid.columns * grid.rows
        for slab in try slabs(defaultThickness: grid.spacing.z) {
            // Slices that the slab touches, before any polygon is looked at: most slabs of a body miss a small grid.
            let lower = Swift.max(0, (grid.index(of: SIMD3(0, 0, slab.lower)).z + 0.5).rounded(.down))
            let upper = Swift.min(
                Double(grid.slices - 1), (grid.index(of: SIMD3(0, 0, slab.upper)).z + 0.5).rounded(.down))
            guard lower <= upper else { continue }
            let (first, last) = (Int(lower), Int(upper))
            let area = Self.planeCoverage(slab.contours, grid: grid, linesPerVoxel: linesPerVoxel)
            for slice in first...last {
                let centre = grid.origin.z + Double(slice) * grid.spacing.z
                let overlap =
                    Swift.min(slab.upper, centre + grid.spacing.z / 2)
                    - Swift.max(slab.lower, centre - grid.spacing.z / 2)
                guard overlap > 0 else { continue }
                let share = Float(overlap / grid.spacing.z)
                for pixel in 0..<plane { volume.voxels[slice * plane + pixel] += share * area[pixel] }
            }
        }
        return volume
    }

    /// The voxels of which at least half lies in the region.
    ///
    /// - Throws: as ``coverage(on:linesPerVoxel:)``.
    public func mask(on grid: VoxelGrid) throws(ImagingError) -> Volume<Bool> {
        // Shares of several slabs add up with rounding errors, and half a voxel must not hang on one.
        try coverage(on: grid).map { $0 >= 0.5 - 1e-5 }
    }

    /// The contours of one plane and the range of z that they stand for.
    private struct Slab {
        let lower, upper: Double
        let contours: [[SIMD3<Double>]]
    }

    private func slabs(defaultThickness: Double) throws(ImagingError) -> [Slab] {
        guard !contours.isEmpty, contours.allSatisfy({ $0.count >= 3 }) else { throw .emptyContour(region: name) }
        for contour in contours where contour.contains(where: { abs($0.z - contour[0].z) > Self.planeTolerance }) {
            throw .contourNotAxial(region: name)
        }
        var planes: [(z: Double, contours: [[SIMD3<Double>]])] = []
        for contour in contours.sorted(by: { $0[0].z < $1[0].z }) {
            if let last = planes.last, contour[0].z - last.z <= Self.planeTolerance {
                planes[planes.count - 1].contours.append(contour)
            } else {
                planes.append((contour[0].z, [contour]))
            }
        }
        let gaps = zip(planes, planes.dropFirst()).map { $1.z - $0.z }
        let usual = gaps.isEmpty ? defaultThickness : gaps.sorted()[gaps.count / 2]
        func reach(_ gap: Int) -> Double {
            gaps.indices.contains(gap) && gaps[gap] <= Self.bridgedGapLimit * usual ? gaps[gap] / 2 : usual / 2
        }
        return planes.indices.map { index in
            Slab(
                lower: planes[index].z - reach(index - 1), upper: planes[index].z + reach(index),
                contours: planes[index].contours)
        }
    }

    /// The part of each pixel that the polygons of one plane cover, `[y, x]`.
    private static func planeCoverage(
        _ contours: [[SIMD3<Double>]], grid: VoxelGrid, linesPerVoxel: Int
    ) -> [Float] {
        var area = [Float](repeating: 0, count: grid.columns * grid.rows)
        let share = 1 / Float(linesPerVoxel)
        for row in rows(of: contours, grid: grid) {
            for line in 0..<linesPerVoxel {
                let offset = (Double(line) + 0.5) / Double(linesPerVoxel) - 0.5
                let y = grid.origin.y + (Double(row) + offset) * grid.spacing.y
                // In pixels from the left edge of the first one.
                let crossings = crossings(contours, y: y).map { ($0 - grid.origin.x) / grid.spacing.x + 0.5 }
                for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                    let start = Swift.max(crossings[pair], 0)
                    let end = Swift.min(crossings[pair + 1], Double(grid.columns))
                    guard start < end else { continue }
                    for column in Int(start)...Swift.min(Int(end), grid.columns - 1) {
                        let covered = Swift.min(end, Double(column + 1)) - Swift.max(start, Double(column))
                        area[row * grid.columns + column] += share * Float(covered)
                    }
                }
            }
        }
        return area
    }

    /// The rows of the grid that the polygons of one plane can touch.
    private static func rows(of contours: [[SIMD3<Double>]], grid: VoxelGrid) -> Range<Int> {
        let heights = contours.joined().map { (grid.index(of: $0).y + 0.5).rounded(.down) }
        // Compared before they become integers: a point may lie anywhere.
        let first = Swift.max(0, heights.min() ?? 0)
        let last = Swift.min(Double(grid.rows - 1), heights.max() ?? -1)
        return first <= last ? Int(first)..<Int(last) + 1 : 0..<0
    }

    /// The x at which the polygons' edges cross a line of constant y, ascending.
    private static func crossings(_ contours: [[SIMD3<Double>]], y: Double) -> [Double] {
        var crossings: [Double] = []
        for contour in contours {
            var previous = contour[contour.count - 1]
            for point in contour {
                // Half open, so that a corner on the line counts once.
                if (previous.y <= y) != (point.y <= y) {
                    crossings.append(previous.x + (y - previous.y) / (point.y - previous.y) * (point.x - previous.x))
                }
                previous = point
            }
        }
        return crossings.sorted()
    }
}

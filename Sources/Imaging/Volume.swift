/// Values on a voxel grid.
///
/// - Shape: `voxels` is `[z, y, x]`, x fastest, ``VoxelGrid/voxelCount`` elements.
/// - Units: those of the quantity; the owner's documentation names them.
public struct Volume<Element: Sendable>: Sendable {
    public let grid: VoxelGrid
    public var voxels: [Element]

    /// - Throws: ``ImagingError/voxelCountMismatch(expected:found:)``.
    public init(grid: VoxelGrid, voxels: [Element]) throws(ImagingError) {
        guard voxels.count == grid.voxelCount else {
            throw .voxelCountMismatch(expected: grid.voxelCount, found: voxels.count)
        }
        self.grid = grid
        self.voxels = voxels
    }

    public init(grid: VoxelGrid, repeating value: Element) {
        self.grid = grid
        voxels = Array(repeating: value, count: grid.voxelCount)
    }

    @inlinable
    public subscript(x: Int, y: Int, z: Int) -> Element {
        get { voxels[grid.offset(x: x, y: y, z: z)] }
        set { voxels[grid.offset(x: x, y: y, z: z)] = newValue }
    }

    public func map<Result: Sendable>(_ transform: (Element) throws -> Result) rethrows -> Volume<Result> {
        Volume<Result>(grid: grid, unchecked: try voxels.map(transform))
    }

    init(grid: VoxelGrid, unchecked voxels: [Element]) {
        self.grid = grid
        self.voxels = voxels
    }
}

extension Volume: Equatable where Element: Equatable {}

extension Volume {
    /// The coronal planes of a range.
    public func cropped(rows range: Range<Int>) throws(ImagingError) -> Volume {
        let target = try VoxelGrid(
            columns: grid.columns, rows: range.count, slices: grid.slices, spacing: grid.spacing,
            origin: grid.position(x: 0, y: Double(range.lowerBound), z: 0))
        var kept: [Element] = []
        kept.reserveCapacity(target.voxelCount)
        for z in 0..<grid.slices {
            let first = grid.offset(x: 0, y: range.lowerBound, z: z)
            kept += voxels[first..<first + range.count * grid.columns]
        }
        return Volume(grid: target, unchecked: kept)
    }
}

extension Volume {
    /// The axial planes of a range.
    public func cropped(slices range: Range<Int>) throws(ImagingError) -> Volume {
        let target = try VoxelGrid(
            columns: grid.columns, rows: grid.rows, slices: range.count, spacing: grid.spacing,
            origin: grid.position(x: 0, y: 0, z: Double(range.lowerBound)))
        let plane = grid.columns * grid.rows
        return Volume(grid: target, unchecked: Array(voxels[range.lowerBound * plane..<range.upperBound * plane]))
    }

    /// The smallest box around the voxels that satisfy a condition, and which of them do; nil when none does.
    public func boxed(_ condition: (Element) -> Bool) -> Volume<Bool>? {
        var lower = SIMD3<Int>(repeating: .max)
        var upper = SIMD3<Int>(repeating: -1)
        var set = [Bool](repeating: false, count: voxels.count)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                let row = grid.offset(x: 0, y: y, z: z)
                for x in 0..<grid.columns where condition(voxels[row + x]) {
                    set[row + x] = true
                    lower = pointwiseMin(lower, SIMD3(x, y, z))
                    upper = pointwiseMax(upper, SIMD3(x, y, z))
                }
            }
        }
        guard upper.x >= 0,
            let box = try? VoxelGrid(
                columns: upper.x - lower.x + 1, rows: upper.y - lower.y + 1, slices: upper.z - lower.z + 1,
                spacing: grid.spacing, origin: grid.position(x: Double(lower.x), y: Double(lower.y), z: Double(lower.z))
            )
        else { return nil }
        var kept: [Bool] = []
        kept.reserveCapacity(box.voxelCount)
        for z in lower.z...upper.z {
            for y in lower.y...upper.y {
                let row = grid.offset(x: 0, y: y, z: z)
                kept += set[row + lower.x...row + upper.x]
            }
        }
        return Volume<Bool>(grid: box, unchecked: kept)
    }
}

/// Values on a part of a grid: what one organ needs, without the rest of the patient.
///
/// - Shape: `values` is `[z, y, x]` over the three ranges, x fastest.
public struct VoxelBox: Equatable, Sendable {
    /// The grid's voxels along x, y and z that the box holds.
    public let columns, rows, slices: Range<Int>
    public var values: [Float]

    public init(columns: Range<Int>, rows: Range<Int>, slices: Range<Int>, values: [Float]) {
        precondition(values.count == columns.count * rows.count * slices.count)
        (self.columns, self.rows, self.slices, self.values) = (columns, rows, slices, values)
    }

    /// The smallest box that holds all of a volume's voxels that are not zero; nil when there are none.
    public init?(of volume: Volume<Float>) {
        let grid = volume.grid
        var lower = SIMD3<Int>(repeating: .max)
        var upper = SIMD3<Int>(repeating: -1)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                let row = grid.offset(x: 0, y: y, z: z)
                for x in 0..<grid.columns where volume.voxels[row + x] != 0 {
                    lower = pointwiseMin(lower, SIMD3(x, y, z))
                    upper = pointwiseMax(upper, SIMD3(x, y, z))
                }
            }
        }
        guard upper.x >= 0 else { return nil }
        columns = lower.x..<upper.x + 1
        rows = lower.y..<upper.y + 1
        slices = lower.z..<upper.z + 1
        values = []
        values.reserveCapacity(columns.count * rows.count * slices.count)
        for z in slices {
            for y in rows {
                let row = grid.offset(x: columns.lowerBound, y: y, z: z)
                values += volume.voxels[row..<row + columns.count]
            }
        }
    }

    /// Offset of a voxel of the grid in `values`.
    @inlinable
    public func offset(x: Int, y: Int, z: Int) -> Int {
        ((z - slices.lowerBound) * rows.count + y - rows.lowerBound) * columns.count + x - columns.lowerBound
    }

    /// Calls `body` with the offset in the grid and the offset in the box of each row's first voxel.
    @inlinable
    public func forEachRow(of grid: VoxelGrid, _ body: (_ inGrid: Int, _ inBox: Int) -> Void) {
        var inBox = 0
        for z in slices {
            for y in rows {
                body(grid.offset(x: columns.lowerBound, y: y, z: z), inBox)
                inBox += columns.count
            }
        }
    }

    /// Values of the same box, element by element.
    public func map(_ transform: (Float) -> Float) -> VoxelBox {
        VoxelBox(columns: columns, rows: rows, slices: slices, values: values.map(transform))
    }

    /// Adds a box that lies inside of this one.
    public mutating func add(_ part: VoxelBox, factor: Float) {
        precondition(part.columns.clamped(to: columns) == part.columns && part.rows.clamped(to: rows) == part.rows)
        precondition(part.slices.clamped(to: slices) == part.slices)
        var source = 0
        for z in part.slices {
            for y in part.rows {
                let target = offset(x: part.columns.lowerBound, y: y, z: z)
                for x in 0..<part.columns.count { values[target + x] += factor * part.values[source + x] }
                source += part.columns.count
            }
        }
    }

    /// Each value times that of a volume at the same voxel.
    public func multiplied(by volume: Volume<Float>) -> VoxelBox {
        var result = self
        forEachRow(of: volume.grid) { inGrid, inBox in
            for x in 0..<columns.count { result.values[inBox + x] *= volume.voxels[inGrid + x] }
        }
        return result
    }

    /// Each value times the value of a box around this one.
    public func multiplied(by whole: VoxelBox) -> VoxelBox {
        var result = self
        var inPart = 0
        for z in slices {
            for y in rows {
                let inWhole = whole.offset(x: columns.lowerBound, y: y, z: z)
                for x in 0..<columns.count { result.values[inPart + x] *= whole.values[inWhole + x] }
                inPart += columns.count
            }
        }
        return result
    }

    /// The content moved by a part of a voxel or many, by trilinear interpolation; what leaves the grid is lost.
    ///
    /// - Parameter shift: along x, y and z, in voxels.
    public func moved(by shift: SIMD3<Double>, in grid: VoxelGrid) -> VoxelBox {
        var moved = self
        for axis in 0..<3 where shift[axis] != 0 {
            moved = moved.moved(by: shift[axis], axis: axis, limit: [grid.columns, grid.rows, grid.slices][axis])
        }
        return moved
    }

    /// Half the difference of both neighbours along an axis, one voxel wider than the box at either side.
    public func gradient(axis: Int, in grid: VoxelGrid) -> VoxelBox {
        let limit = [grid.columns, grid.rows, grid.slices][axis]
        return alongAxis(axis, taps: [(-1, -0.5), (1, 0.5)], limit: limit)
    }

    private func moved(by shift: Double, axis: Int, limit: Int) -> VoxelBox {
        let whole = shift.rounded(.down)
        let part = Float(shift - whole)
        // The new value at i is taken from i - shift.
        return alongAxis(axis, taps: [(-Int(whole), 1 - part), (-Int(whole) - 1, part)], limit: limit)
    }

    /// `new[i] = sum of weight * old[i + offset]` along one axis.
    private func alongAxis(_ axis: Int, taps: [(offset: Int, weight: Float)], limit: Int) -> VoxelBox {
        let source = [columns, rows, slices][axis]
        let lower = min(max(source.lowerBound - (taps.map(\.offset).max() ?? 0), 0), limit - 1)
        let upper = max(min(source.upperBound - (taps.map(\.offset).min() ?? 0), limit), lower + 1)
        let target = lower..<upper
        let after = axis == 0 ? 1 : axis == 1 ? columns.count : columns.count * rows.count
        let before = values.count / (after * source.count)
        var result = [Float](repeating: 0, count: before * target.count * after)
        for block in 0..<before {
            for index in target {
                let into = (block * target.count + index - target.lowerBound) * after
                for tap in taps where tap.weight != 0 && source.contains(index + tap.offset) {
                    let from = (block * source.count + index + tap.offset - source.lowerBound) * after
                    for element in 0..<after { result[into + element] += tap.weight * values[from + element] }
                }
            }
        }
        return VoxelBox(
            columns: axis == 0 ? target : columns, rows: axis == 1 ? target : rows,
            slices: axis == 2 ? target : slices, values: result)
    }
}

import Imaging
import Testing

@Suite struct VoxelGridTests {
    @Test(arguments: [(0, 4, 4), (4, -1, 4), (1 << 20, 1 << 20, 1 << 20), (Int.max, 2, 2)])
    func refusesImpossibleCounts(columns: Int, rows: Int, slices: Int) {
        #expect(throws: ImagingError.impossibleGrid(columns: columns, rows: rows, slices: slices)) {
            try VoxelGrid(
                columns: columns, rows: rows, slices: slices, spacing: SIMD3(1, 1, 1), origin: SIMD3(0, 0, 0))
        }
    }

    @Test(arguments: [0.0, -2, .nan, .infinity])
    func refusesImpossibleSpacing(spacing: Double) {
        #expect(throws: ImagingError.self) {
            try VoxelGrid(columns: 2, rows: 2, slices: 2, spacing: SIMD3(1, spacing, 1), origin: SIMD3(0, 0, 0))
        }
    }

    @Test func indexAndPositionAreInverse() throws {
        let grid = try VoxelGrid(
            columns: 4, rows: 5, slices: 6, spacing: SIMD3(2, 3, 4), origin: SIMD3(-10, 20, 5))
        #expect(grid.index(of: grid.position(x: 1.5, y: 2, z: 3)) == SIMD3(1.5, 2, 3))
        #expect(grid.offset(x: 3, y: 4, z: 5) == grid.voxelCount - 1)
    }

    @Test func aVolumeNeedsAsManyVoxelsAsItsGrid() throws {
        let grid = try VoxelGrid(columns: 2, rows: 2, slices: 2, spacing: SIMD3(1, 1, 1), origin: SIMD3(0, 0, 0))
        #expect(throws: ImagingError.voxelCountMismatch(expected: 8, found: 7)) {
            try Volume<Float>(grid: grid, voxels: Array(repeating: 0, count: 7))
        }
    }
}

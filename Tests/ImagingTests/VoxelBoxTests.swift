import Imaging
import Testing

@Suite struct VoxelBoxTests {
    private static func blob() throws -> Volume<Float> {
        let grid = try VoxelGrid(columns: 14, rows: 12, slices: 10, spacing: SIMD3(2, 3, 4), origin: SIMD3(0, 0, 0))
        var volume = Volume<Float>(grid: grid, repeating: 0)
        for z in 4...6 {
            for y in 5...7 {
                for x in 3...5 { volume[x, y, z] = Float(1 + x + 2 * y * z) }
            }
        }
        return volume
    }

    private static func spread(_ box: VoxelBox, over grid: VoxelGrid) -> Volume<Float> {
        var volume = Volume<Float>(grid: grid, repeating: 0)
        box.forEachRow(of: grid) { inGrid, inBox in
            for x in 0..<box.columns.count { volume.voxels[inGrid + x] = box.values[inBox + x] }
        }
        return volume
    }

    @Test func holdsWhatIsNotZero() throws {
        let volume = try Self.blob()
        let box = try #require(VoxelBox(of: volume))
        #expect(box.columns == 3..<6 && box.rows == 5..<8 && box.slices == 4..<7)
        #expect(Self.spread(box, over: volume.grid) == volume)
        #expect(VoxelBox(of: Volume(grid: volume.grid, repeating: 0)) == nil)
    }

    @Test func wholeVoxelsMoveExactly() throws {
        let volume = try Self.blob()
        let moved = try #require(VoxelBox(of: volume)).moved(by: SIMD3(2, -1, 3), in: volume.grid)
        let result = Self.spread(moved, over: volume.grid)
        #expect(result[5, 4, 7] == volume[3, 5, 4] && result[7, 6, 9] == volume[5, 7, 6])
        #expect(result[3, 5, 4] == 0)
    }

    @Test func partsOfAVoxelKeepSumAndCentre() throws {
        let volume = try Self.blob()
        let box = try #require(VoxelBox(of: volume))
        let moved = box.moved(by: SIMD3(0.3, -0.6, 1.2), in: volume.grid)
        let sum = box.values.reduce(0, +)
        #expect(abs(moved.values.reduce(0, +) / sum - 1) < 1e-5)
        func centre(_ box: VoxelBox) -> Float {
            var moment: Float = 0
            for z in box.slices {
                for y in box.rows {
                    for x in box.columns { moment += Float(x) * box.values[box.offset(x: x, y: y, z: z)] }
                }
            }
            return moment / box.values.reduce(0, +)
        }
        #expect(abs(centre(moved) - centre(box) - 0.3) < 1e-4)
    }

    @Test func whatLeavesTheGridIsLost() throws {
        let volume = try Self.blob()
        let gone = try #require(VoxelBox(of: volume)).moved(by: SIMD3(40, 0, 0), in: volume.grid)
        #expect(gone.values.allSatisfy { $0 == 0 })
    }

    @Test func theGradientIsThatOfTheValues() throws {
        let volume = try Self.blob()
        let gradient = Self.spread(
            try #require(VoxelBox(of: volume)).gradient(axis: 1, in: volume.grid), over: volume.grid)
        #expect(gradient[4, 6, 5] == (volume[4, 7, 5] - volume[4, 5, 5]) / 2)
        #expect(gradient[4, 4, 5] == volume[4, 5, 5] / 2)
        #expect(gradient[4, 8, 5] == -volume[4, 7, 5] / 2)
    }
}

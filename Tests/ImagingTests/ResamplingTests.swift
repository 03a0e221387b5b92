import Imaging
import Testing

@Suite struct ResamplingTests {
    private static func grid(_ count: Int, spacing: Double, origin: Double = 0) throws -> VoxelGrid {
        try VoxelGrid(
            columns: count, rows: 3, slices: 2, spacing: SIMD3(spacing, 5, 5), origin: SIMD3(origin, 0, 0))
    }

    @Test func theSameGridGivesTheSameValues() throws {
        let volume = try Volume<Float>(grid: Self.grid(4, spacing: 2), voxels: (0..<24).map(Float.init))
        #expect(volume.resampled(to: volume.grid) == volume)
    }

    @Test func aRampIsInterpolatedAtTheNewCentres() throws {
        var ramp = Volume<Float>(grid: try Self.grid(20, spacing: 1), repeating: 0)
        for z in 0..<2 {
            for y in 0..<3 {
                for x in 0..<20 { ramp[x, y, z] = Float(x) }
            }
        }
        let shifted = ramp.resampled(to: try Self.grid(10, spacing: 1, origin: 4.25))
        for x in 0..<10 { #expect(abs(shifted[x, 1, 1] - (Float(x) + 4.25)) < 1e-5) }
    }

    @Test func coarseningKeepsTheMean() throws {
        var fine = Volume<Float>(grid: try Self.grid(24, spacing: 1), repeating: 0)
        // Every third voxel is set: a coarse voxel of three holds a third, wherever the set one lies in it.
        for z in 0..<2 {
            for y in 0..<3 {
                for x in stride(from: 0, to: 24, by: 3) { fine[x, y, z] = 1 }
            }
        }
        let coarse = fine.resampled(to: try Self.grid(8, spacing: 3, origin: 1))
        for x in 0..<8 { #expect(abs(coarse[x, 1, 0] - 1 / 3) < 1e-5) }
    }

    @Test func averagingKeepsTheSumAndSmoothsNothing() throws {
        var fine = Volume<Float>(grid: try Self.grid(20, spacing: 3), repeating: 0)
        for z in 0..<2 {
            for y in 0..<3 { (fine[7, y, z], fine[8, y, z]) = (6, 2) }
        }
        // 6 lies from 19.5 to 22.5, 2 from there to 25.5; the new voxels 4 and 5 share a face at 21.
        let coarse = fine.averaged(on: try Self.grid(12, spacing: 4.5, origin: 0.75))
        #expect(abs(coarse[4, 1, 0] - 6 * 1.5 / 4.5) < 1e-5)
        #expect(abs(coarse[5, 1, 0] - (6 * 1.5 + 2 * 3) / 4.5) < 1e-5)
        #expect(coarse[3, 1, 0] == 0 && coarse[6, 1, 0] == 0)
        let sums = [(fine, 3.0), (coarse, 4.5)].map { volume, spacing in
            (0..<volume.grid.columns).reduce(0) { $0 + Double(volume[$1, 1, 1]) * spacing }
        }
        #expect(abs(sums[0] - sums[1]) < 1e-4)
        #expect(fine.averaged(on: fine.grid) == fine)
    }

    @Test func outsideIsWhatTheCallerSays() throws {
        let volume = Volume<Float>(grid: try Self.grid(4, spacing: 1), repeating: 7)
        let wider = volume.resampled(to: try Self.grid(8, spacing: 1, origin: -2), outside: -1000)
        #expect(wider[0, 0, 0] == -1000)
        #expect(wider[2, 0, 0] == 7)
        #expect(wider[5, 0, 0] == 7)
        #expect(wider[6, 0, 0] == -1000)
    }

    @Test func aBoxHoldsAllThatIsWanted() throws {
        var volume = Volume<Float>(grid: try Self.grid(6, spacing: 2), repeating: 0)
        volume[2, 1, 0] = 1
        volume[4, 2, 1] = 1
        let box = try #require(volume.boxed { $0 > 0 })
        #expect(box.grid.columns == 3 && box.grid.rows == 2 && box.grid.slices == 2)
        #expect(box.grid.origin == volume.grid.position(x: 2, y: 1, z: 0))
        #expect(box.voxels.count { $0 } == 2)
        #expect(volume.boxed { $0 > 1 } == nil)
    }
}

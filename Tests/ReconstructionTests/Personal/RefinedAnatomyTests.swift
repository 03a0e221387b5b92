import Anatomy
import Imaging
import Testing

import Reconstruction

struct RefinedAnatomyTests {
    @Test func everyRegionKeepsItsVolume() throws {
        let recipe = SyntheticPatient.Recipe.evaluated(seed: 1004, suite: .hard)
        let anatomy = try SyntheticPatient(recipe).anatomy(spacing: 4.8)
        let fine = try RefinedAnatomy(anatomy)
        #expect(fine.regions.map(\.name) == anatomy.regions.map(\.name))
        let voxel = fine.pet.grid.voxelMillilitres
        for (region, refined) in zip(anatomy.regions, fine.regions) {
            let (before, after) = (region.millilitres, refined.millilitres)
            #expect(abs(after - before) <= 0.01 * before + voxel, "\(region.name): \(before) mL, then \(after) mL")
            // Where it was: the middle of what is larger than a few voxels does not move.
            guard before > 5 else { continue }
            let way = centre(of: refined.coverage) - centre(of: region.coverage)
            // Of the bones, one region, the thick ones gain what the thin ones lose.
            let limit = region.organ == .bone ? 1.5 : 0.5
            #expect((way * way).sum().squareRoot() < limit, "\(region.name) moves by \(way) mm")
        }
        // What lies inside of the body is somebody's.
        var covered = [Float](repeating: 0, count: fine.body.voxels.count)
        for region in anatomy.regions {
            for (index, part) in region.coverage.resampled(to: fine.pet.grid).voxels.enumerated() {
                covered[index] += part
            }
        }
        let holes = covered.indices.count { covered[$0] > 0.5 && !fine.body.voxels[$0] }
        #expect(holes == 0 && covered.count { $0 > 0.5 } > 100_000)
    }

    private func centre(of coverage: Volume<Float>) -> SIMD3<Double> {
        let grid = coverage.grid
        var (sum, weight) = (SIMD3<Double>(), 0.0)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where coverage[x, y, z] > 0 {
                    let part = Double(coverage[x, y, z])
                    sum += part * grid.position(x: Double(x), y: Double(y), z: Double(z))
                    weight += part
                }
            }
        }
        return sum / weight
    }
}

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
            // Where it was, within a voxel.
            let kept =
                zip(refined.coverage.voxels, region.coverage.resampled(to: fine.pet.grid).voxels)
                .reduce(0.0) { $0 + Double($1.0 * $1.1) } * voxel
            #expect(kept > 0.4 * before, "\(region.name): \(kept / before) of it where it was")
        }
        // Each voxel is of one region, and the body is all of them.
        for index in fine.body.voxels.indices {
            let owners = fine.regions.count { $0.coverage.voxels[index] > 0 }
            if owners > 1 || (owners == 1) != fine.body.voxels[index] {
                Issue.record("voxel \(index): \(owners)"); break
            }
        }
    }
}

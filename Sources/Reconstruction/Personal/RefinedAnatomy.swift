import Anatomy
import Imaging

/// A patient's anatomy on finer voxels, each of one region.
///
/// A map that is drawn on the reconstruction's own voxels has its borders where they have theirs, and a network learns that. Here
/// every voxel belongs to the region whose coverage, read between the voxels, is the largest: borders lie where the
/// coverages say, within a voxel.
struct RefinedAnatomy {
    let regions: [Region]
    let pet, hounsfield: Volume<Float>
    let body: Volume<Bool>

    /// Fine voxels along an axis for each of the patient's.
    private static let fineness = 1.5

    /// - Throws: ``ReconstructionError/notSampleable``.
    init(_ anatomy: PatientAnatomy) throws(ReconstructionError) {
        let grid: VoxelGrid
        do { grid = try anatomy.grid.refined(by: Self.fineness) } catch { throw .notSampleable }
        var largest = [Float](repeating: 0, count: grid.voxelCount)
        var outside = [Float](repeating: 1, count: grid.voxelCount)
        var owner = [Int](repeating: -1, count: grid.voxelCount)
        for (index, region) in anatomy.regions.enumerated() {
            let coverage = region.coverage.resampled(to: grid).voxels
            for voxel in coverage.indices where coverage[voxel] > 0 {
                outside[voxel] -= coverage[voxel]
                if coverage[voxel] > largest[voxel] { (largest[voxel], owner[voxel]) = (coverage[voxel], index) }
            }
        }
        for voxel in owner.indices where outside[voxel] > largest[voxel] { owner[voxel] = -1 }
        regions = anatomy.regions.enumerated().map { index, region in
            let coverage = Volume<Float>(grid: grid, repeating: 0).filled { owner[$0] == index ? 1 : 0 }
            return Region(name: region.name, organ: region.organ, kind: region.kind, coverage: coverage)
        }
        pet = anatomy.pet.resampled(to: grid)
        hounsfield = anatomy.hounsfield.resampled(to: grid, outside: -1000)
        var body = Volume<Bool>(grid: grid, repeating: false)
        for voxel in owner.indices where owner[voxel] >= 0 { body.voxels[voxel] = true }
        self.body = body
    }
}

extension VoxelGrid {
    /// The same extents, or a little more, by smaller voxels.
    fileprivate func refined(by factor: Double) throws(ImagingError) -> VoxelGrid {
        func count(_ count: Int) -> Int { Int((Double(count) * factor).rounded(.up)) }
        let fine = spacing / factor
        return try VoxelGrid(
            columns: count(columns), rows: count(rows), slices: count(slices), spacing: fine,
            origin: origin - spacing / 2 + fine / 2)
    }
}

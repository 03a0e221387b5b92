package import Anatomy
package import Imaging

/// A patient's anatomy on finer voxels, each of one region.
///
/// A map that is drawn on the reconstruction's own voxels has its borders where they have theirs, and a network learns that. Here
/// every region, lesions first, takes the voxels that it covers most, read between the patient's voxels, until it has its volume,
/// and what is left of the body is the remainder's: borders lie where the coverages say, and small regions stay as large as they are.
package struct RefinedAnatomy {
    package let regions: [Region]
    package let pet, hounsfield: Volume<Float>
    package let body: Volume<Bool>

    /// Fine voxels along an axis for each of the patient's.
    private static let fineness = 1.5

    /// Decides between voxels that are covered alike, as flat faces are: in the grid's order all of them would be taken at one side.
    private static func lot(_ voxel: Int) -> UInt64 {
        let mixed = UInt64(truncatingIfNeeded: voxel) &* 0x9E37_79B9_7F4A_7C15
        return (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9
    }

    /// - Throws: ``ReconstructionError/notSampleable``.
    package init(_ anatomy: PatientAnatomy) throws(ReconstructionError) {
        let grid: VoxelGrid
        do { grid = try anatomy.grid.refined(by: Self.fineness) } catch { throw .notSampleable }
        let free = -1
        var owner = [Int](repeating: free, count: grid.voxelCount)
        // Which region covers a voxel most, and all of them together.
        var most = [(region: Int, part: Float)](repeating: (free, 0), count: grid.voxelCount)
        var covered = [Float](repeating: 0, count: grid.voxelCount)
        for (index, region) in anatomy.regions.enumerated() {
            let coverage = region.coverage.resampled(to: grid).voxels
            for voxel in coverage.indices where coverage[voxel] > 0 {
                covered[voxel] += coverage[voxel]
                if coverage[voxel] > most[voxel].part { most[voxel] = (index, coverage[voxel]) }
            }
            guard region.organ != .remainder else { continue }
            let fullest = coverage.indices.filter { coverage[$0] > 0 && owner[$0] == free }
                .sorted { (coverage[$0], Self.lot($0)) > (coverage[$1], Self.lot($1)) }
            for voxel in fullest.prefix(Int((region.millilitres / grid.voxelMillilitres).rounded())) {
                owner[voxel] = index
            }
        }
        let remainder = anatomy.regions.firstIndex { $0.organ == .remainder }
        for voxel in owner.indices where owner[voxel] == free && covered[voxel] >= 0.5 {
            owner[voxel] = remainder ?? most[voxel].region
        }
        regions = anatomy.regions.enumerated().map { index, region in
            let coverage = Volume<Float>(grid: grid, repeating: 0).filled { owner[$0] == index ? 1 : 0 }
            return Region(name: region.name, organ: region.organ, kind: region.kind, coverage: coverage)
        }
        pet = anatomy.pet.resampled(to: grid)
        hounsfield = anatomy.hounsfield.resampled(to: grid, outside: -1000)
        var body = Volume<Bool>(grid: grid, repeating: false)
        for voxel in owner.indices where owner[voxel] != free { body.voxels[voxel] = true }
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

public import Imaging

extension PatientAnatomy {
    /// A patient whose regions are known already, voxel by voxel.
    ///
    /// - Parameters:
    ///   - regions: disjoint, on one grid; together they are the body.
    ///   - pet: in Bq/mL on that grid.
    ///   - hounsfield: in HU on that grid.
    /// - Throws: ``AnatomyError/noRegions`` when there is none.
    public init(regions: [Region], pet: Volume<Float>, hounsfield: Volume<Float>) throws(AnatomyError) {
        guard let grid = regions.first?.coverage.grid else { throw .noRegions }
        precondition(pet.grid == grid && hounsfield.grid == grid)
        var whole = Volume<Float>(grid: grid, repeating: 0)
        for region in regions {
            for voxel in whole.voxels.indices { whole.voxels[voxel] += region.coverage.voxels[voxel] }
        }
        (self.grid, self.pet, self.hounsfield, self.regions) = (grid, pet, hounsfield, regions)
        body = whole.map { $0 > 0.5 }
        findings = []
    }
}

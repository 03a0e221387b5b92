public import Imaging

/// Possible uptake maps of one patient at the time of a planar scan, made from PET/CT and contours alone.
///
/// `x = sum_k s_k W_k(m_k (1 + h_k)) + foci`: the regions' coverages `m_k` with a texture `h_k` are moved by `W_k` and
/// scaled by a level `s_k`. Where moved regions meet, foci come before lesions, lesions before organs and organs before
/// the background, so that they stay disjoint; what they leave free inside the body belongs to its remainder. The body's
/// outline, and with it the attenuation, moves with the global pose only.
///
/// The same seed gives the same map; an ingredient that is switched off leaves the others as they are.
public struct UptakeSampler: Sendable {
    public let grid: VoxelGrid
    public let world: UptakeWorld
    public let regions: [Region]
    /// Median concentration of each region.
    ///
    /// - Units: Bq/mL
    public let medianLevels: [Double]
    let templates: [RegionTemplate]
    let body: RegionTemplate
    let sites: FocusSites

    /// - Parameters:
    ///   - regions: disjoint, on one grid.
    ///   - pet: in Bq/mL on the same grid.
    /// - Throws: ``AnatomyError/noRegions`` when no region covers a voxel; ``AnatomyError/emptyPET``.
    public init(regions all: [Region], pet: Volume<Float>, world: UptakeWorld = .full) throws(AnatomyError) {
        let regions = all.filter { region in region.coverage.voxels.contains { $0 > 0 } }
        guard let first = regions.first, regions.count < Self.regionLimit else { throw .noRegions }
        let grid = first.coverage.grid
        precondition(pet.grid == grid && regions.allSatisfy { $0.coverage.grid == grid })
        var whole = Volume<Float>(grid: grid, repeating: 0)
        for region in regions {
            for voxel in whole.voxels.indices { whole.voxels[voxel] += region.coverage.voxels[voxel] }
        }
        let outline = Region(name: "body", organ: nil, kind: .background, coverage: whole)
        guard let body = RegionTemplate(0, of: [outline], pet: pet) else { throw .noRegions }
        templates = regions.indices.compactMap { RegionTemplate($0, of: regions, pet: pet) }
        let means = templates.map(\.meanPET)
        guard let highest = means.max(), highest > 0 else { throw .emptyPET }
        // A region in which the PET shows nothing still may hold something.
        let floored = means.map { max($0, highest * 1e-3) }
        let total = zip(floored, templates).reduce(0) { $0 + $1.0 * $1.1.millilitres }
        medianLevels = floored.map { $0 * world.totalMegabecquerels * 1e6 / total }
        sites = FocusSites(regions: regions, body: whole)
        (self.grid, self.world, self.regions, self.body) = (grid, world, regions, body)
    }

    /// Owners of voxels are one byte.
    private static let regionLimit = 200

    /// The map that belongs to a seed.
    public func sample(seed: UInt64) -> UptakeSample { render(draw(seed: seed)) }

    /// What the maps of this patient are compared with before anything has moved: each region at a concentration.
    ///
    /// - Parameter levels: in Bq/mL, one per region.
    public func template(levels: [Double]) -> Volume<Float> {
        precondition(levels.count == regions.count)
        var map = Volume<Float>(grid: grid, repeating: 0)
        for (region, level) in zip(regions, levels) {
            for voxel in map.voxels.indices { map.voxels[voxel] += Float(level) * region.coverage.voxels[voxel] }
        }
        return map
    }
}

public import Imaging

/// Activity of every voxel summed over time, from maps at several times and the curves of the regions.
///
/// A region's integral is that of its curve; within it the decays follow the mean of the maps, each scaled to the same
/// sum, so that noise of a single map weighs no more than that of another.
///
/// - Units: maps in MBq/mL; curves in MBq; result in MBq h/mL.
public struct TimeIntegration: Sendable {
    private let maps: [Volume<Float>]

    /// - Throws: ``DosimetryError/gridMismatch``, ``DosimetryError/noSamples``.
    public init(maps: [Volume<Float>]) throws(DosimetryError) {
        guard let first = maps.first else { throw .noSamples }
        guard maps.allSatisfy({ $0.grid == first.grid }) else { throw .gridMismatch }
        self.maps = maps
    }

    /// Activity of a region on each map, in MBq.
    public func activities(coverage: Volume<Float>) -> [Double] {
        let members = coverage.voxels.indices.filter { coverage.voxels[$0] > 0 }
        return maps.map { map in
            members.reduce(0) { $0 + Double(coverage.voxels[$1] * map.voxels[$1]) } * map.grid.voxelMillilitres
        }
    }

    /// - Parameter regions: disjoint coverages, each with the integral of its curve in MBq h.
    public func integrated(_ regions: [(coverage: Volume<Float>, integral: Double)]) -> Volume<Float> {
        var result = Volume<Float>(grid: maps[0].grid, repeating: 0)
        for (coverage, integral) in regions {
            let sums = activities(coverage: coverage)
            let known = maps.indices.filter { sums[$0] > 0 }
            guard !known.isEmpty else { continue }
            let factors = known.map { Float(integral / Double(known.count) / sums[$0]) }
            for voxel in coverage.voxels.indices where coverage.voxels[voxel] > 0 {
                var value: Float = 0
                for (map, factor) in zip(known, factors) { value += factor * maps[map].voxels[voxel] }
                result.voxels[voxel] += coverage.voxels[voxel] * value
            }
        }
        return result
    }
}

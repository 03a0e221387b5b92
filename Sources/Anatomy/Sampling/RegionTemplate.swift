import Glibc
import Imaging

/// One region of the anatomy as the sampler warps and fills it: a box of voxels around it.
///
/// - Shape: arrays are `[z, y, x]` over `counts` voxels from `lower`, one voxel of nothing around the region.
struct RegionTemplate: Sendable {
    /// What moves a region between PET/CT and planar scan.
    enum Motion: Equatable, Sendable {
        /// With the diaphragm, and by itself.
        case breathing
        /// A little by itself.
        case still
        /// Only with the whole patient.
        case fixed
        /// With the organ that surrounds it.
        case follows(Int)
    }

    let name: String
    let organ: Organ?
    let kind: Region.Kind
    let lower, counts: SIMD3<Int>
    let coverage: [Float]
    /// The PET as part of its mean over the region.
    let petTexture: [Float]
    /// Where a kidney's medulla is; empty for everything else.
    let medulla: [Bool]
    /// - Units: Bq/mL at the time of the PET.
    let meanPET: Double
    let millilitres: Double
    let motion: Motion
    /// The region that a lesion becomes part of when it is lost.
    let host: Int?

    /// The PET's texture is trusted between these parts of the mean: beyond them it is noise or a neighbour's spill.
    private static let textureLimits: ClosedRange<Float> = 0.2...4
    /// Part of a kidney's volume that is medulla and pelvis.
    static let medullaVolumeShare = 0.3

    init?(_ index: Int, of regions: [Region], pet: Volume<Float>) {
        let region = regions[index]
        let grid = region.coverage.grid
        guard let bounds = Self.bounds(of: region.coverage) else { return nil }
        (name, organ, kind) = (region.name, region.organ, region.kind)
        let lower = bounds.lower &- 1
        let counts = bounds.upper &- bounds.lower &+ 3
        var coverage = [Float](repeating: 0, count: counts.x * counts.y * counts.z)
        var uptake = coverage
        var weight = 0.0
        var sum = 0.0
        for z in bounds.lower.z...bounds.upper.z {
            for y in bounds.lower.y...bounds.upper.y {
                for x in bounds.lower.x...bounds.upper.x {
                    let voxel = grid.offset(x: x, y: y, z: z)
                    let own = ((z - lower.z) * counts.y + y - lower.y) * counts.x + x - lower.x
                    coverage[own] = region.coverage.voxels[voxel]
                    uptake[own] = pet.voxels[voxel]
                    weight += Double(coverage[own])
                    sum += Double(coverage[own] * uptake[own])
                }
            }
        }
        (self.lower, self.counts, self.coverage) = (lower, counts, coverage)
        meanPET = sum / weight
        millilitres = weight * grid.voxelMillilitres
        let mean = Float(max(sum / weight, .leastNormalMagnitude))
        petTexture = uptake.map { min(max($0 / mean, Self.textureLimits.lowerBound), Self.textureLimits.upperBound) }
        medulla =
            region.organ == .kidneyLeft || region.organ == .kidneyRight
            ? Self.medulla(coverage, counts: counts, spacing: grid.spacing) : []
        let surroundings =
            region.kind == .lesion ? Self.surroundings(of: bounds, except: index, regions: regions) : nil
        host = surroundings
        motion = Self.motion(of: region, in: surroundings, regions)
    }

    private static func bounds(of coverage: Volume<Float>) -> (lower: SIMD3<Int>, upper: SIMD3<Int>)? {
        guard let box = coverage.boxed({ $0 > 0 }) else { return nil }
        let first = coverage.grid.index(of: box.grid.origin)
        let lower = SIMD3(Int(first.x.rounded()), Int(first.y.rounded()), Int(first.z.rounded()))
        return (lower, lower &+ SIMD3(box.grid.columns - 1, box.grid.rows - 1, box.grid.slices - 1))
    }

    private static func motion(of region: Region, in surroundings: Int?, _ regions: [Region]) -> Motion {
        if region.kind == .background { return .fixed }
        if let surroundings, regions[surroundings].kind == .organ { return .follows(surroundings) }
        switch region.organ {
        case .liver, .spleen, .kidneyLeft, .kidneyRight, .stomach, .pancreas, .smallIntestine: return .breathing
        default: return .still
        }
    }

    /// Voxels around a lesion in which its surroundings are looked for.
    private static let surroundingVoxels = 2

    /// The region, lesions apart, that covers most of the voxels around a box.
    private static func surroundings(
        of bounds: (lower: SIMD3<Int>, upper: SIMD3<Int>), except own: Int, regions: [Region]
    ) -> Int? {
        let grid = regions[own].coverage.grid
        let last = SIMD3(grid.columns - 1, grid.rows - 1, grid.slices - 1)
        let lower = pointwiseMax(bounds.lower &- surroundingVoxels, SIMD3(repeating: 0))
        let upper = pointwiseMin(bounds.upper &+ surroundingVoxels, last)
        var best: (index: Int, sum: Float)?
        for (index, region) in regions.enumerated() where region.kind != .lesion {
            var sum: Float = 0
            for z in lower.z...upper.z {
                for y in lower.y...upper.y {
                    let row = grid.offset(x: 0, y: y, z: z)
                    for x in lower.x...upper.x { sum += region.coverage.voxels[row + x] }
                }
            }
            if sum > best?.sum ?? 0 { best = (index, sum) }
        }
        return best?.index
    }

    /// The part of a kidney that lies deepest under its surface.
    private static func medulla(_ coverage: [Float], counts: SIMD3<Int>, spacing: SIMD3<Double>) -> [Bool] {
        func place(_ voxel: Int) -> SIMD3<Double> {
            let index = SIMD3(voxel % counts.x, voxel / counts.x % counts.y, voxel / (counts.x * counts.y))
            return SIMD3(Double(index.x), Double(index.y), Double(index.z)) * spacing
        }
        let outer = coverage.indices.filter { coverage[$0] < 0.5 }.map(place)
        let inner = coverage.indices.filter { coverage[$0] >= 0.5 }
        let depths = inner.map { voxel in
            let own = place(voxel)
            return outer.reduce(Double.infinity) { nearest, other in
                let away = other - own
                return min(nearest, (away * away).sum())
            }
        }
        let rank = Int(Double(inner.count) * (1 - medullaVolumeShare))
        let ordered = depths.sorted()
        guard ordered.indices.contains(rank) else { return [Bool](repeating: false, count: coverage.count) }
        var result = [Bool](repeating: false, count: coverage.count)
        for (voxel, depth) in zip(inner, depths) where depth >= ordered[rank] { result[voxel] = true }
        return result
    }
}

import Imaging

/// A volume as a landscape: from every voxel steepest ascent leads to a summit.
struct Landscape {
    /// All voxels whose ascent ends on one summit, or on one of several that were joined.
    struct Hill {
        /// The highest voxel.
        let summit: Int
        let voxels: [Int]
    }

    private let heights: Volume<Float>
    /// The summit of each voxel; -1 outside the body.
    private let summits: [Int]

    init(_ heights: Volume<Float>, body: Volume<Bool>) {
        self.heights = heights
        let grid = heights.grid
        var next = [Int](repeating: -1, count: grid.voxelCount)
        for voxel in next.indices where body.voxels[voxel] {
            var best = voxel
            Self.forEachOfTwentySix(of: voxel, grid) { neighbour in
                // Of equal heights the later voxel counts as higher: no plain is without a summit.
                guard body.voxels[neighbour],
                    (heights.voxels[neighbour], neighbour) > (heights.voxels[best], best)
                else { return }
                best = neighbour
            }
            next[voxel] = best
        }
        for voxel in next.indices where next[voxel] >= 0 {
            var end = voxel
            while next[end] != end { end = next[end] }
            // The whole way gets the answer, so that each step is walked once.
            var step = voxel
            while step != end {
                let following = next[step]
                next[step] = end
                step = following
            }
        }
        summits = next
    }

    /// The hills whose summits are above a height, the highest first.
    func joinedHills(above floor: Float, _ parameters: UptakeSegmentation.Parameters) -> [Hill] {
        var parent: [Int: Int] = [:]
        for voxel in summits.indices where summits[voxel] == voxel && heights.voxels[voxel] >= floor {
            parent[voxel] = voxel
        }
        /// The highest summit of what a summit was joined to.
        func highest(_ summit: Int) -> Int {
            var end = summit
            while let above = parent[end], above != end { end = above }
            return end
        }
        for saddle in saddles(between: parent) {
            let (a, b) = (highest(saddle.first), highest(saddle.second))
            guard a != b else { continue }
            let (lower, higher) = heights.voxels[a] < heights.voxels[b] ? (a, b) : (b, a)
            guard saddle.height >= share(between: saddle, parameters) * heights.voxels[lower],
                saddle.height >= parameters.saddleOverHigher * heights.voxels[higher]
            else { continue }
            parent[lower] = higher
        }
        var members: [Int: [Int]] = [:]
        for voxel in summits.indices where summits[voxel] >= 0 && parent[summits[voxel]] != nil {
            members[highest(summits[voxel]), default: []].append(voxel)
        }
        return members.map { Hill(summit: $0.key, voxels: $0.value) }.sorted {
            (heights.voxels[$1.summit], $0.summit) < (heights.voxels[$0.summit], $1.summit)
        }
    }

    /// The part of the lower summit that a saddle has to reach, by the direction from one summit to the other.
    private func share(between saddle: Saddle, _ parameters: UptakeSegmentation.Parameters) -> Float {
        let ends = [saddle.first, saddle.second].map { voxel in
            SIMD3(
                Double(voxel % heights.grid.columns), Double(voxel / heights.grid.columns % heights.grid.rows),
                Double(voxel / (heights.grid.columns * heights.grid.rows)))
        }
        let way = (ends[1] - ends[0]) * heights.grid.spacing
        let depth = Float(way.y * way.y / (way * way).sum())
        return parameters.saddleSideBySide + depth * (parameters.saddleInDepth - parameters.saddleSideBySide)
    }

    private struct Saddle {
        let first, second: Int
        var height: Float
    }

    /// The highest pass between each two neighbouring hills, the highest of all first.
    private func saddles(between candidates: [Int: Int]) -> [Saddle] {
        struct Pair: Hashable { let lower, upper: Int }
        var heightOf: [Pair: Float] = [:]
        let isCandidate = summits.map { $0 >= 0 && candidates[$0] != nil }
        for voxel in summits.indices where isCandidate[voxel] {
            Self.forEachOfTwentySix(of: voxel, heights.grid) { neighbour in
                guard neighbour > voxel, isCandidate[neighbour], summits[neighbour] != summits[voxel] else { return }
                let pair = Pair(
                    lower: min(summits[voxel], summits[neighbour]), upper: max(summits[voxel], summits[neighbour]))
                let height = min(heights.voxels[voxel], heights.voxels[neighbour])
                heightOf[pair] = max(heightOf[pair] ?? 0, height)
            }
        }
        return heightOf.map { Saddle(first: $0.key.lower, second: $0.key.upper, height: $0.value) }.sorted {
            ($1.height, $0.first, $0.second) < ($0.height, $1.first, $1.second)
        }
    }

    private static func forEachOfTwentySix(of voxel: Int, _ grid: VoxelGrid, _ body: (Int) -> Void) {
        let x = voxel % grid.columns
        let y = voxel / grid.columns % grid.rows
        let z = voxel / (grid.columns * grid.rows)
        for nextZ in max(z - 1, 0)...min(z + 1, grid.slices - 1) {
            for nextY in max(y - 1, 0)...min(y + 1, grid.rows - 1) {
                for nextX in max(x - 1, 0)...min(x + 1, grid.columns - 1) {
                    let neighbour = grid.offset(x: nextX, y: nextY, z: nextZ)
                    if neighbour != voxel { body(neighbour) }
                }
            }
        }
    }
}

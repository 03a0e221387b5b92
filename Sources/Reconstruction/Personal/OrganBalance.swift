package import Anatomy
import Glibc
import Imaging

/// Keeps what Stage 0 found of each organ while a network shares it out within.
///
/// Two views tell an organ's sum well and its inside badly. Stage 0's sums come with intervals that hold; a network trained for
/// small errors of voxels makes skewed uptake a few percent too small. So every voxel is multiplied by the factor of the
/// regions that cover it, `1 + sum over regions of coverage (r - 1)`, until each sum is Stage 0's again.
package struct OrganBalance {
    private let boxes: [(name: String, box: VoxelBox, sum: Double)]
    private let grid: VoxelGrid

    private static let rounds = 3
    /// Factors beyond this, either way, would make a wrong map look right; the checks see to those.
    private static let factorLimit = 2.0

    package init(_ initial: ActivityEstimate, regions: [Region]) {
        grid = initial.activity.grid
        let grid = grid
        boxes = initial.organs.compactMap { organ in
            guard let region = regions.first(where: { $0.name == organ.name }), let box = VoxelBox(of: region.coverage)
            else { return nil }
            let moved = box.moved(by: organ.shift / grid.spacing, in: grid)
            let sum = moved.sum(of: initial.activity.voxels, on: grid)
            return sum > 0 ? (organ.name, moved, sum) : nil
        }
    }

    func balanced(_ map: [Float]) -> [Float] {
        var map = map
        for _ in 0..<Self.rounds {
            var factors = [Float](repeating: 1, count: map.count)
            for (_, box, sum) in boxes {
                let found = box.sum(of: map, on: grid)
                guard found > 0 else { continue }
                let change = Float(min(max(sum / found, 1 / Self.factorLimit), Self.factorLimit) - 1)
                box.forEachRow(of: grid) { inGrid, inBox in
                    for x in 0..<box.columns.count { factors[inGrid + x] += change * box.values[inBox + x] }
                }
            }
            for voxel in map.indices { map[voxel] *= max(factors[voxel], 0) }
        }
        return map
    }

    /// By how much each region's sum differs from Stage 0's.
    package func changePercent(_ map: [Float]) -> [String: Double] {
        Dictionary(boxes.map { ($0.name, 100 * ($0.box.sum(of: map, on: grid) / $0.sum - 1)) }) { first, _ in first }
    }

    /// Standard deviation of each region's sum over samples, of their mean; empty for less than two.
    func spreadPercent(_ samples: [[Float]]) -> [String: Double] {
        guard samples.count > 1 else { return [:] }
        let spreads = boxes.map { name, box, _ in
            let sums = samples.map { box.sum(of: $0, on: grid) }
            let mean = sums.reduce(0, +) / Double(sums.count)
            let variance = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sums.count - 1)
            return (name, mean > 0 ? 100 * variance.squareRoot() / mean : 0)
        }
        return Dictionary(spreads) { first, _ in first }
    }
}

extension VoxelBox {
    /// Sum of a map weighted with the box.
    func sum(of map: [Float], on grid: VoxelGrid) -> Double {
        var sum = 0.0
        forEachRow(of: grid) { inGrid, inBox in
            for x in 0..<columns.count { sum += Double(values[inBox + x] * map[inGrid + x]) }
        }
        return sum
    }
}

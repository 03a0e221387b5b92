extension Volume where Element == Float {
    /// The volume on another grid: every new voxel is the mean of the old ones that it covers, by trilinear
    /// interpolation at points no further apart than the old voxels, so that coarsening does not alias.
    ///
    /// Outside the old grid the value is `outside`; up to half a voxel beyond the last centre the edge value holds.
    public func resampled(to target: VoxelGrid, outside: Float = 0) -> Volume<Float> {
        applied((0..<3).map { AxisWeights(interpolating: grid, to: target, axis: $0) }, target, outside)
    }

    /// The volume on another grid: every new voxel is the mean over its extent of the old voxels, each of one value
    /// throughout. Nothing is smoothed but by the new voxels' size, and what lies within both grids keeps its sum.
    public func averaged(on target: VoxelGrid, outside: Float = 0) -> Volume<Float> {
        applied((0..<3).map { AxisWeights(averaging: grid, to: target, axis: $0) }, target, outside)
    }

    private func applied(_ weights: [AxisWeights], _ target: VoxelGrid, _ outside: Float) -> Volume<Float> {
        let (x, y, z) = (weights[0], weights[1], weights[2])
        // The interpolation is separable: one axis after the other, the shrinking ones keep the work small.
        let alongX = x.apply(
            to: voxels, before: grid.rows * grid.slices, count: grid.columns, after: 1, outside: outside)
        let alongY = y.apply(
            to: alongX, before: grid.slices, count: grid.rows, after: target.columns, outside: outside)
        let alongZ = z.apply(
            to: alongY, before: 1, count: grid.slices, after: target.columns * target.rows, outside: outside)
        return Volume(grid: target, unchecked: alongZ)
    }
}

/// For every index of a target axis the source indices and weights that make its value.
private struct AxisWeights {
    private struct Tap {
        let index: Int
        let weight: Float
    }

    private var taps: [[Tap]]
    /// The part of each target voxel that lies outside the source.
    private var outsideWeight: [Float]

    init(averaging source: VoxelGrid, to target: VoxelGrid, axis: Int) {
        let sourceCount = [source.columns, source.rows, source.slices][axis]
        let targetCount = [target.columns, target.rows, target.slices][axis]
        let ratio = target.spacing[axis] / source.spacing[axis]
        taps = []
        outsideWeight = []
        for index in 0..<targetCount {
            let centre =
                (target.origin[axis] + Double(index) * target.spacing[axis] - source.origin[axis])
                / source.spacing[axis]
            let (lower, upper) = (centre - ratio / 2, centre + ratio / 2)
            var covered: [Tap] = []
            let first = Swift.max(Int((lower + 0.5).rounded(.down)), 0)
            let last = Swift.min(Int((upper + 0.5).rounded(.down)), sourceCount - 1)
            for place in Swift.min(first, sourceCount)..<Swift.max(last + 1, Swift.min(first, sourceCount)) {
                let overlap = Swift.min(upper, Double(place) + 0.5) - Swift.max(lower, Double(place) - 0.5)
                if overlap > 1e-9 { covered.append(Tap(index: place, weight: Float(overlap / ratio))) }
            }
            taps.append(covered)
            outsideWeight.append(1 - Swift.min(covered.reduce(0) { $0 + $1.weight }, 1))
        }
    }

    init(interpolating source: VoxelGrid, to target: VoxelGrid, axis: Int) {
        let sourceCount = [source.columns, source.rows, source.slices][axis]
        let targetCount = [target.columns, target.rows, target.slices][axis]
        let ratio = target.spacing[axis] / source.spacing[axis]
        let samples = Swift.max(1, Int(ratio.rounded(.up)))
        taps = []
        outsideWeight = []
        for index in 0..<targetCount {
            var weights: [Int: Float] = [:]
            var outside: Float = 0
            let share = 1 / Float(samples)
            for sample in 0..<samples {
                let offset = (Double(sample) + 0.5) / Double(samples) - 0.5
                let position = target.origin[axis] + (Double(index) + offset) * target.spacing[axis]
                let place = (position - source.origin[axis]) / source.spacing[axis]
                guard place >= -0.5 - 1e-9, place <= Double(sourceCount) - 0.5 + 1e-9 else {
                    outside += share
                    continue
                }
                let clamped = Swift.min(Swift.max(place, 0), Double(sourceCount - 1))
                let lower = Swift.min(Int(clamped), Swift.max(sourceCount - 2, 0))
                let fraction = Float(clamped - Double(lower))
                weights[lower, default: 0] += share * (1 - fraction)
                if fraction > 0 { weights[lower + 1, default: 0] += share * fraction }
            }
            taps.append(weights.sorted { $0.key < $1.key }.map { Tap(index: $0.key, weight: $0.value) })
            outsideWeight.append(outside)
        }
    }

    /// Applies the weights along the middle axis of an array of shape `[before, count, after]`.
    func apply(to values: [Float], before: Int, count: Int, after: Int, outside: Float) -> [Float] {
        var result = [Float](repeating: 0, count: before * taps.count * after)
        for block in 0..<before {
            for (index, tapList) in taps.enumerated() {
                let target = (block * taps.count + index) * after
                let base = outsideWeight[index] * outside
                for element in 0..<after { result[target + element] = base }
                for tap in tapList {
                    let source = (block * count + tap.index) * after
                    for element in 0..<after { result[target + element] += tap.weight * values[source + element] }
                }
            }
        }
        return result
    }
}

import Glibc
import Imaging

/// Gaussian bells on a lattice that covers a region, each times the region's coverage.
///
/// With independent weights of the deviation that ``weight(deviation:)`` gives they make a random field of the wanted
/// deviation inside of the region, alike over about the lattice's spacing.
struct UnevenModes {
    /// A region has at most so many; its lattice is widened until they are enough.
    static let countLimit = 72
    /// Standard deviation of a bell, in lattice spacings.
    private static let width = 0.6
    /// Bells that would hold less than this part of a whole one are left out.
    private static let shareLimit = 0.12

    let boxes: [VoxelBox]

    /// Standard deviation of the bells' weights: the sum of their squares at a point is `(pi width^2)^(3/2)` on average.
    static func weight(deviation: Double) -> Double {
        deviation / pow(.pi * width * width, 0.75)
    }

    init(of coverage: VoxelBox, grid: VoxelGrid, spacing: Double) {
        var spacing = spacing
        var boxes = Self.bells(coverage, grid, spacing)
        while boxes.count > Self.countLimit {
            spacing *= 1.15
            boxes = Self.bells(coverage, grid, spacing)
        }
        self.boxes = boxes
    }

    private static func bells(_ coverage: VoxelBox, _ grid: VoxelGrid, _ spacing: Double) -> [VoxelBox] {
        let ranges = [coverage.columns, coverage.rows, coverage.slices]
        // Along each axis the lattice is stretched so that it fits the region.
        let places: [[Double]] = (0..<3).map { axis in
            let extent = Double(ranges[axis].count)
            let count = max(1, Int((extent * grid.spacing[axis] / spacing).rounded(.up)))
            return (0..<count).map {
                Double(ranges[axis].lowerBound) - 0.5 + (Double($0) + 0.5) * extent / Double(count)
            }
        }
        let deviation = SIMD3<Double>(repeating: width * spacing) / grid.spacing
        let whole = pow(2 * .pi, 1.5) * deviation.x * deviation.y * deviation.z
        var boxes: [VoxelBox] = []
        for z in places[2] {
            for y in places[1] {
                for x in places[0] {
                    let bell = bell(at: SIMD3(x, y, z), deviation, coverage)
                    let share = bell.values.reduce(0) { $0 + Double($1) } / whole
                    if share > shareLimit { boxes.append(bell) }
                }
            }
        }
        return boxes
    }

    private static func bell(
        at centre: SIMD3<Double>, _ deviation: SIMD3<Double>, _ coverage: VoxelBox
    ) -> VoxelBox {
        func range(_ axis: Int, _ limit: Range<Int>) -> Range<Int> {
            let reach = 2.5 * deviation[axis]
            let lower = Int((centre[axis] - reach).rounded(.down))
            let upper = Int((centre[axis] + reach).rounded(.up)) + 1
            return max(lower, limit.lowerBound)..<min(upper, limit.upperBound)
        }
        let columns = range(0, coverage.columns)
        let rows = range(1, coverage.rows)
        let slices = range(2, coverage.slices)
        func weights(_ range: Range<Int>, _ axis: Int) -> [Float] {
            range.map { Float(exp(-pow((Double($0) - centre[axis]) / deviation[axis], 2) / 2)) }
        }
        let (alongX, alongY, alongZ) = (weights(columns, 0), weights(rows, 1), weights(slices, 2))
        var values: [Float] = []
        values.reserveCapacity(columns.count * rows.count * slices.count)
        for (z, weightZ) in zip(slices, alongZ) {
            for (y, weightY) in zip(rows, alongY) {
                let row = coverage.offset(x: columns.lowerBound, y: y, z: z)
                for x in 0..<columns.count { values.append(coverage.values[row + x] * weightZ * weightY * alongX[x]) }
            }
        }
        return VoxelBox(columns: columns, rows: rows, slices: slices, values: values)
    }
}

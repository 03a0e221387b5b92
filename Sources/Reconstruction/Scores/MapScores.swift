import Glibc
public import Imaging

/// How near a map is to the truth, by every definition that is in use.
///
/// - Units: maps in the same unit; millimetres.
public struct MapScores: Sendable, Equatable, Codable {
    /// The structural similarity for the three usual data ranges: the truth's maximum and two of its percentiles.
    public struct Similarity: Sendable, Equatable, Codable {
        public let max, p999, p99: Double

        public init(max: Double, p999: Double, p99: Double) { (self.max, self.p999, self.p99) = (max, p999, p99) }
    }

    /// Where the similarity is averaged.
    public struct Similarities: Sendable, Equatable, Codable {
        public let whole, body, organs: Similarity

        public init(whole: Similarity, body: Similarity, organs: Similarity) {
            (self.whole, self.body, self.organs) = (whole, body, organs)
        }
    }

    /// `mean |x - t| / mean t` over the body.
    public let relativeMAE: Double
    public let similarity: Similarities
    /// Of the regions above two fifths of the truth's 99.9th percentile.
    public let dice: Double
    /// 95th percentile of the distance between the surfaces of those regions, in both directions.
    public let hausdorff95Millimetres: Double

    enum CodingKeys: String, CodingKey {
        case dice
        case relativeMAE = "relative_mae"
        case similarity = "ssim"
        case hausdorff95Millimetres = "hausdorff95_mm"
    }

    /// - Parameters:
    ///   - body: where the error is taken.
    ///   - organs: the union of organs and lesions.
    /// - Throws: ``ReconstructionError/notFinite`` for maps with values that are no numbers or a truth of zero.
    public init(
        _ map: Volume<Float>, truth: Volume<Float>, body: Volume<Bool>, organs: Volume<Bool>
    ) throws(ReconstructionError) {
        precondition(map.grid == truth.grid && body.grid == truth.grid && organs.grid == truth.grid)
        guard map.voxels.allSatisfy(\.isFinite), truth.voxels.allSatisfy(\.isFinite) else { throw .notFinite }
        var error = 0.0
        var sum = 0.0
        var inside: [Float] = []
        for voxel in truth.voxels.indices where body.voxels[voxel] {
            error += Double(abs(map.voxels[voxel] - truth.voxels[voxel]))
            sum += Double(truth.voxels[voxel])
            inside.append(truth.voxels[voxel])
        }
        guard sum > 0 else { throw .notFinite }
        relativeMAE = error / sum
        inside.sort()
        func percentile(_ part: Double) -> Float { inside[Int(part * Double(inside.count - 1))] }
        let ranges = [inside[inside.count - 1], percentile(0.999), percentile(0.99)]
        let whole = [Bool](repeating: true, count: truth.voxels.count)
        let indices = ranges.map { StructuralSimilarityIndex(map, truth: truth, range: Swift.max($0, 1e-20)) }
        func similarity(_ mask: [Bool]) -> Similarity {
            Similarity(
                max: indices[0].mean(over: mask), p999: indices[1].mean(over: mask), p99: indices[2].mean(over: mask))
        }
        self.similarity = Similarities(
            whole: similarity(whole), body: similarity(body.voxels), organs: similarity(organs.voxels))
        let threshold = 0.4 * percentile(0.999)
        let found = map.map { $0 > threshold }
        let real = truth.map { $0 > threshold }
        dice = Self.dice(found, real)
        hausdorff95Millimetres = Self.hausdorff95(found, real)
    }

    private static func dice(_ first: Volume<Bool>, _ second: Volume<Bool>) -> Double {
        var both = 0
        var sum = 0
        for (a, b) in zip(first.voxels, second.voxels) {
            sum += (a ? 1 : 0) + (b ? 1 : 0)
            both += a && b ? 1 : 0
        }
        return sum > 0 ? 2 * Double(both) / Double(sum) : 1
    }

    /// Distances beyond this are not measured, in millimetres.
    private static let distanceLimit = 60.0

    private static func hausdorff95(_ first: Volume<Bool>, _ second: Volume<Bool>) -> Double {
        let distances = surfaceDistances(first, second) + surfaceDistances(second, first)
        guard !distances.isEmpty else { return 0 }
        return distances.sorted()[Int(0.95 * Double(distances.count - 1))]
    }

    /// From each surface voxel of one mask to the nearest of the other.
    private static func surfaceDistances(_ from: Volume<Bool>, _ to: Volume<Bool>) -> [Double] {
        let grid = from.grid
        let targets = surface(to)
        // Cells as large as the limit, so that only neighbours are looked at.
        var cells: [SIMD3<Int>: [SIMD3<Double>]] = [:]
        func cell(_ position: SIMD3<Double>) -> SIMD3<Int> {
            let scaled = (position - grid.origin) / distanceLimit
            return SIMD3(Int(scaled.x.rounded(.down)), Int(scaled.y.rounded(.down)), Int(scaled.z.rounded(.down)))
        }
        for position in targets { cells[cell(position), default: []].append(position) }
        return surface(from).map { position in
            let home = cell(position)
            var best = distanceLimit * distanceLimit
            for x in -1...1 {
                for y in -1...1 {
                    for z in -1...1 {
                        for target in cells[home &+ SIMD3(x, y, z)] ?? [] {
                            let away = target - position
                            best = Swift.min(best, (away * away).sum())
                        }
                    }
                }
            }
            return best.squareRoot()
        }
    }

    private static func surface(_ mask: Volume<Bool>) -> [SIMD3<Double>] {
        let grid = mask.grid
        var positions: [SIMD3<Double>] = []
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where mask[x, y, z] {
                    let isInner =
                        x > 0 && y > 0 && z > 0 && x + 1 < grid.columns && y + 1 < grid.rows && z + 1 < grid.slices
                        && mask[x - 1, y, z] && mask[x + 1, y, z] && mask[x, y - 1, z] && mask[x, y + 1, z]
                        && mask[x, y, z - 1] && mask[x, y, z + 1]
                    if !isInner { positions.append(grid.position(x: Double(x), y: Double(y), z: Double(z))) }
                }
            }
        }
        return positions
    }
}

import Imaging

/// Regions of uptake in a PET: the hills of its landscape, each up to a height of its own.
///
/// Every voxel belongs to the summit that steepest ascent leads to (a watershed). Two hills are one when the saddle
/// between them is nearly as high as both. Of each hill the part above a threshold between its surroundings and its own
/// mean is kept; what the slope of a much hotter neighbour has taken from it is given back.
///
/// - Units: Bq/mL.
struct UptakeSegmentation {
    /// What decides where regions begin and end.
    struct Parameters {
        /// Smoothing of the PET before summits are looked for, in millimetres.
        var smoothingMillimetres = 4.0
        /// A summit is higher than this many times the body's median.
        var summitOverBody: Float = 2.5
        /// Two hills beside or above each other are joined when their saddle is at least this part of the lower summit.
        /// Two views tell such hills apart, so they are joined when they are nearly one.
        var saddleSideBySide: Float = 0.8
        /// The same of two hills behind each other, which opposed views cannot tell apart.
        var saddleInDepth: Float = 0.55
        /// A saddle is at least this part of the higher summit too, so that a plain beside a peak stays a plain.
        var saddleOverHigher: Float = 0.5
        /// Where between the surroundings and the mean of a region its border lies.
        var borderShare: Float = 0.5
        /// A region's mean is at least this many times its surroundings.
        var contrast: Float = 2
        var leastMillilitres = 0.4
    }

    /// One region: its voxels, and the means of the PET over them.
    struct Uptake {
        var voxels: [Int]
        let threshold: Float
        fileprivate(set) var activity: Double
        fileprivate(set) var millilitres: Double
    }

    /// By decreasing activity.
    let regions: [Uptake]

    /// Where regions may be looked for.
    struct Places {
        /// Where a region may lie: in the body, and in no contour.
        let allowed: [Bool]
        /// Where its summit may be: not so near to a contour that it could be the contour's own uptake.
        let summits: [Bool]
    }

    /// - Parameters:
    ///   - pet: on the grid of the reconstruction.
    ///   - body: what the median is taken over.
    init(pet: Volume<Float>, body: Volume<Bool>, places: Places, parameters: Parameters = Parameters()) {
        let smooth = pet.smoothed(deviation: parameters.smoothingMillimetres)
        let inside = body.voxels.indices.filter { body.voxels[$0] }
        guard let median = Self.quantile(0.5, of: inside.map { smooth.voxels[$0] }), median > 0 else {
            regions = []
            return
        }
        let floor = parameters.summitOverBody * median
        var found: [Uptake] = []
        var ground = body
        var allowed = places.allowed
        // What a hot spot's hill held beside the spot, such as the organ around it, has summits of its own once the spot
        // is taken away.
        for _ in 0..<Self.passLimit {
            let hills = Landscape(smooth, body: ground).joinedHills(above: floor, parameters)
            let new = hills.filter { places.summits[$0.summit] }.compactMap { hill in
                Self.uptake(of: hill, pet, allowed, parameters, floor: floor)
            }
            if new.isEmpty { break }
            found += new
            for voxel in new.flatMap(\.voxels) { allowed[voxel] = false }
            ground = Self.without(new, ground)
        }
        Self.giveBack(to: &found, pet, places.allowed)
        let millilitres = pet.grid.voxelMillilitres
        for index in found.indices {
            found[index].activity = found[index].voxels.reduce(0) { $0 + Double(pet.voxels[$1]) } * millilitres
            found[index].millilitres = Double(found[index].voxels.count) * millilitres
        }
        regions = found.filter { $0.millilitres >= parameters.leastMillilitres }
            .sorted { ($1.activity, $0.voxels[0]) < ($0.activity, $1.voxels[0]) }
    }

    private static let passLimit = 3
    /// How far a hot region's slope reaches into its neighbour, in voxels.
    private static let slopeVoxels = 2

    /// The ground without regions and their slopes.
    private static func without(_ regions: [Uptake], _ ground: Volume<Bool>) -> Volume<Bool> {
        var left = ground
        var front = regions.flatMap(\.voxels)
        for voxel in front { left.voxels[voxel] = false }
        for _ in 0..<slopeVoxels {
            var next: [Int] = []
            for voxel in front {
                BodyOutline.forEachNeighbour(of: voxel, ground.grid) { neighbour in
                    guard left.voxels[neighbour] else { return }
                    left.voxels[neighbour] = false
                    next.append(neighbour)
                }
            }
            front = next
        }
        return left
    }

    /// The part of a hill above its border, when that stands out.
    private static func uptake(
        of hill: Landscape.Hill, _ pet: Volume<Float>, _ allowed: [Bool], _ parameters: Parameters, floor: Float
    ) -> Uptake? {
        let values = hill.voxels.map { pet.voxels[$0] }
        guard let foot = quantile(0.05, of: values), let top = quantile(0.95, of: values) else { return nil }
        // A summit of few voxels is higher than nineteen of twenty voxels of its foot.
        let start = max(top, pet.voxels[hill.summit] * 0.7)
        // A hill among others of its height does not reach down to its surroundings.
        var base = foot > 0.5 * start ? floor / parameters.summitOverBody : foot
        guard var (threshold, mean) = border(of: values, base: base, start: start, parameters, floor: floor) else {
            return nil
        }
        // What lies around the region is nearer to the truth than the hill's foot: a spot may lie in a warm organ.
        let ring = surroundings(of: hill, above: threshold, pet)
        if let around = quantile(0.5, of: ring), ring.count >= leastRing, around > base, around < 0.5 * mean {
            base = around
            guard let nearer = border(of: values, base: base, start: start, parameters, floor: floor) else {
                return nil
            }
            (threshold, mean) = nearer
        }
        guard mean >= parameters.contrast * base else { return nil }
        var isCore: Set<Int> = []
        for (voxel, value) in zip(hill.voxels, values) where value >= threshold && allowed[voxel] {
            isCore.insert(voxel)
        }
        guard isCore.contains(hill.summit) else { return nil }
        let connected = filled(reachable(from: hill.summit, within: isCore, pet.grid), pet.grid).filter { allowed[$0] }
        return Uptake(voxels: connected.sorted(), threshold: threshold, activity: 0, millilitres: 0)
    }

    /// The height above which a region lies, and the region's mean: each follows from the other.
    private static func border(
        of values: [Float], base: Float, start: Float, _ parameters: Parameters, floor: Float
    ) -> (threshold: Float, mean: Float)? {
        var (threshold, mean) = (floor / 2, start)
        for _ in 0..<4 {
            threshold = max(base + parameters.borderShare * (mean - base), floor / 2)
            let core = values.filter { $0 >= threshold }
            guard !core.isEmpty else { return nil }
            mean = core.reduce(0, +) / Float(core.count)
        }
        return (threshold, mean)
    }

    /// A ring of fewer voxels tells nothing.
    private static let leastRing = 20

    /// Values of a hill's voxels that are just beyond the slope of what lies above a height.
    private static func surroundings(
        of hill: Landscape.Hill, above threshold: Float, _ pet: Volume<Float>
    ) -> [Float] {
        let members = Set(hill.voxels)
        var front = hill.voxels.filter { pet.voxels[$0] >= threshold }
        var reached = Set(front)
        for _ in 0..<slopeVoxels + 1 {
            var next: [Int] = []
            for voxel in front {
                BodyOutline.forEachNeighbour(of: voxel, pet.grid) { neighbour in
                    if members.contains(neighbour), reached.insert(neighbour).inserted { next.append(neighbour) }
                }
            }
            front = next
        }
        return front.map { pet.voxels[$0] }
    }

    private static func reachable(from start: Int, within allowed: Set<Int>, _ grid: VoxelGrid) -> Set<Int> {
        var reached: Set<Int> = [start]
        var queue = [start]
        while let voxel = queue.popLast() {
            BodyOutline.forEachNeighbour(of: voxel, grid) { neighbour in
                if allowed.contains(neighbour), reached.insert(neighbour).inserted { queue.append(neighbour) }
            }
        }
        return reached
    }

    /// With the holes that a kidney's inside leaves on axial planes.
    private static func filled(_ voxels: Set<Int>, _ grid: VoxelGrid) -> Set<Int> {
        var filled = voxels
        let plane = grid.columns * grid.rows
        let bySlice = Dictionary(grouping: voxels) { $0 / plane }
        for (slice, members) in bySlice {
            let xs = members.map { $0 % grid.columns }
            let ys = members.map { $0 / grid.columns % grid.rows }
            // A margin of one voxel around the region is outside.
            let (left, top) = ((xs.min() ?? 0) - 1, (ys.min() ?? 0) - 1)
            let (width, height) = ((xs.max() ?? 0) - left + 2, (ys.max() ?? 0) - top + 2)
            var outside = [Bool](repeating: false, count: width * height)
            var queue = [0]
            outside[0] = true
            while let pixel = queue.popLast() {
                let (x, y) = (pixel % width, pixel / width)
                for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
                    let (nextX, nextY) = (x + dx, y + dy)
                    guard nextX >= 0, nextY >= 0, nextX < width, nextY < height else { continue }
                    let next = nextY * width + nextX
                    let voxel = slice * plane + (top + nextY) * grid.columns + left + nextX
                    if outside[next] || voxels.contains(voxel) { continue }
                    outside[next] = true
                    queue.append(next)
                }
            }
            for y in 1..<max(height - 1, 1) {
                for x in 1..<max(width - 1, 1) where !outside[y * width + x] {
                    filled.insert(slice * plane + (top + y) * grid.columns + left + x)
                }
            }
        }
        return filled
    }

    /// Voxels on the slope of a hotter region go to the neighbour whose border they are above.
    private static func giveBack(
        to regions: inout [Uptake], _ pet: Volume<Float>, _ allowed: [Bool]
    ) {
        var owner = [Int](repeating: -1, count: pet.voxels.count)
        for (index, region) in regions.enumerated() {
            for voxel in region.voxels { owner[voxel] = index }
        }
        var front = regions.map(\.voxels)
        for _ in 0..<slopeVoxels {
            // Hotter regions first: a voxel above two borders belongs to the higher one.
            for index in regions.indices.sorted(by: { regions[$0].threshold > regions[$1].threshold }) {
                var added: [Int] = []
                for voxel in front[index] {
                    BodyOutline.forEachNeighbour(of: voxel, pet.grid) { neighbour in
                        guard owner[neighbour] < 0, allowed[neighbour],
                            pet.voxels[neighbour] >= regions[index].threshold
                        else { return }
                        owner[neighbour] = index
                        added.append(neighbour)
                    }
                }
                regions[index].voxels += added
                front[index] = added
            }
        }
    }

    static func quantile(_ part: Double, of values: [Float]) -> Float? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[min(Int(part * Double(sorted.count)), sorted.count - 1)]
    }
}

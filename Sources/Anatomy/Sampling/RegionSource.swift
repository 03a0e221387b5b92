import Imaging

/// A region's coverage and its uptake relative to the mean, ready to be pulled to where the region is now.
///
/// - Shape: pairs of coverage and coverage times texture, `[z, y, x]` over the template's box.
struct RegionSource: Sendable {
    private let lower: SIMD3<Float>
    private let counts: SIMD3<Int>
    private let pairs: [SIMD2<Float>]
    /// Bq/mL.
    let level: Float
    /// The region's own motion, in voxels.
    let shift: SIMD3<Float>
    private let lastSlice: Float

    /// Below this part of the mean nothing takes up.
    private static let leastUptake: Float = 0.1

    init(
        _ template: RegionTemplate, texture: UptakeDraw.Texture, level: Double, shift: SIMD3<Double>, grid: VoxelGrid
    ) {
        lower = SIMD3(Float(template.lower.x), Float(template.lower.y), Float(template.lower.z))
        counts = template.counts
        self.level = Float(level)
        self.shift = SIMD3<Float>(shift / grid.spacing)
        lastSlice = Float(grid.slices - 1)
        pairs = Self.pairs(template, texture, grid)
    }

    private static func pairs(
        _ template: RegionTemplate, _ texture: UptakeDraw.Texture, _ grid: VoxelGrid
    ) -> [SIMD2<Float>] {
        var uptake = texture.keepsPET ? template.petTexture : [Float](repeating: 1, count: template.coverage.count)
        if texture.cortexToMedulla != 1, !template.medulla.isEmpty {
            let inner = Float(1 / texture.cortexToMedulla)
            for voxel in uptake.indices where template.medulla[voxel] { uptake[voxel] *= inner }
        }
        if let unevenness = texture.unevenness { multiply(&uptake, by: unevenness, template, grid) }
        // The level is the region's mean, whatever its texture.
        var sum = 0.0
        var weight = 0.0
        for (value, coverage) in zip(uptake, template.coverage) {
            sum += Double(value * coverage)
            weight += Double(coverage)
        }
        let norm = Float(weight / sum)
        return zip(uptake, template.coverage).map { SIMD2($1, $1 * $0 * norm) }
    }

    private static func multiply(
        _ uptake: inout [Float], by unevenness: UptakeDraw.Field, _ template: RegionTemplate, _ grid: VoxelGrid
    ) {
        let counts = template.counts
        func corner(_ index: SIMD3<Int>) -> SIMD3<Double> {
            grid.position(x: Double(index.x), y: Double(index.y), z: Double(index.z))
        }
        let field = GaussianField(
            lower: corner(template.lower), upper: corner(template.lower &+ counts), length: unevenness.length,
            voxel: grid.spacing, seed: unevenness.seed)
        let first = SIMD3<Float>(corner(template.lower))
        let spacing = SIMD3<Float>(grid.spacing)
        let deviation = Float(unevenness.deviation)
        var voxel = 0
        for z in 0..<counts.z {
            for y in 0..<counts.y {
                for x in 0..<counts.x {
                    if template.coverage[voxel] > 0 {
                        let position = first + spacing * SIMD3(Float(x), Float(y), Float(z))
                        uptake[voxel] *= max(1 + deviation * field.value(at: position), leastUptake)
                    }
                    voxel += 1
                }
            }
        }
    }

    /// Whether a row of pulled places can touch the region.
    func reaches(from low: SIMD3<Float>, to high: SIMD3<Float>) -> Bool {
        let (low, high) = (held(low - shift) - lower, held(high - shift) - lower)
        return high.x >= 0 && high.y >= 0 && high.z >= 0 && low.x <= Float(counts.x - 1)
            && low.y <= Float(counts.y - 1) && low.z <= Float(counts.z - 1)
    }

    /// Coverage and coverage times texture at a fractional index of the grid, before the region's own motion.
    @inline(__always)
    func value(at place: SIMD3<Float>) -> SIMD2<Float> {
        let local = held(place - shift) - lower
        guard local.x >= 0, local.y >= 0, local.z >= 0 else { return .zero }
        let (x, y, z) = (Int(local.x), Int(local.y), Int(local.z))
        guard x < counts.x - 1, y < counts.y - 1, z < counts.z - 1 else { return .zero }
        let part = local - SIMD3(Float(x), Float(y), Float(z))
        let first = (z * counts.y + y) * counts.x + x
        let plane = counts.x * counts.y
        return pairs.withUnsafeBufferPointer { pairs in
            @inline(__always) func line(_ offset: Int) -> SIMD2<Float> {
                pairs[offset] + (pairs[offset + 1] - pairs[offset]) * part.x
            }
            let near = line(first) + (line(first + counts.x) - line(first)) * part.y
            let far = line(first + plane) + (line(first + plane + counts.x) - line(first + plane)) * part.y
            return near + (far - near) * part.z
        }
    }

    /// The patient goes on beyond the first and last slice as they are.
    @inline(__always)
    private func held(_ place: SIMD3<Float>) -> SIMD3<Float> {
        SIMD3(place.x, place.y, min(max(place.z, 0), lastSlice))
    }
}

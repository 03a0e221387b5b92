public import Anatomy
public import Imaging

/// A patient of a few ellipsoids, small enough to be drawn hundreds of times.
public struct SmallPatient {
    public let regions: [Region]
    public let pet: Volume<Float>
    public let hounsfield: Volume<Float>

    public static let names = [
        "lesion_liver", "lesion_bone", "kidney_left", "kidney_right", "liver", "bladder", "bone", "remainder",
    ]
    /// Bq/mL of the PET, in the order of the names.
    static let uptake: [Float] = [30_000, 24_000, 40_000, 42_000, 6_000, 20_000, 900, 700]

    public init(spacing: Double = 6) throws {
        let counts = SIMD3((300 / spacing).rounded(), (180 / spacing).rounded(), (300 / spacing).rounded())
        let grid = try VoxelGrid(
            columns: Int(counts.x), rows: Int(counts.y), slices: Int(counts.z), spacing: SIMD3(repeating: spacing),
            origin: -SIMD3(counts.x - 1, counts.y - 1, counts.z - 1) / 2 * spacing)
        let solids: [(Region.Kind, Organ?, (SIMD3<Double>) -> Bool)] = [
            (.lesion, nil, { Self.inside($0, SIMD3(-70, -10, 60), SIMD3(12, 12, 12)) }),
            (.lesion, nil, { Self.inside($0, SIMD3(0, 50, -60), SIMD3(11, 11, 14)) }),
            (.organ, .kidneyLeft, { Self.inside($0, SIMD3(60, 40, 0), SIMD3(24, 20, 45)) }),
            (.organ, .kidneyRight, { Self.inside($0, SIMD3(-60, 40, -8), SIMD3(24, 20, 45)) }),
            (.organ, .liver, { Self.inside($0, SIMD3(-60, -10, 65), SIMD3(60, 45, 50)) }),
            (.organ, .bladder, { Self.inside($0, SIMD3(0, -30, -110), SIMD3(30, 25, 25)) }),
            (.background, .bone, { Self.inside($0, SIMD3(0, 50, 0), SIMD3(16, 16, 1000)) }),
            (.background, .remainder, { Self.inside($0, .zero, SIMD3(130, 75, 100_000)) }),
        ]
        var coverages = solids.map { _ in Volume<Float>(grid: grid, repeating: 0) }
        var pet = Volume<Float>(grid: grid, repeating: 0)
        var hounsfield = Volume<Float>(grid: grid, repeating: -1000)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    let position = grid.position(x: Double(x), y: Double(y), z: Double(z))
                    guard let own = solids.firstIndex(where: { $0.2(position) }) else { continue }
                    coverages[own][x, y, z] = 1
                    // A gradient along x, so that there is a texture to keep.
                    pet[x, y, z] = Self.uptake[own] * Float(1 + position.x / 400)
                    hounsfield[x, y, z] = solids[own].1 == .bone ? 400 : 30
                }
            }
        }
        regions = zip(zip(Self.names, solids), coverages).map { named, coverage in
            Region(name: named.0, organ: named.1.1, kind: named.1.0, coverage: coverage)
        }
        (self.pet, self.hounsfield) = (pet, hounsfield)
    }

    public func sampler(_ world: UptakeWorld) throws -> UptakeSampler {
        try UptakeSampler(regions: regions, pet: pet, world: world)
    }

    private static func inside(_ point: SIMD3<Double>, _ centre: SIMD3<Double>, _ axes: SIMD3<Double>) -> Bool {
        let away = (point - centre) / axes
        return (away * away).sum() <= 1
    }
}

extension UptakeWorld {
    /// No ingredient at all: the PET's levels where the CT saw them.
    public static var still: UptakeWorld {
        var world = UptakeWorld.narrow
        (world.levels, world.pose) = (nil, nil)
        return world
    }
}

/// Moments of a series of numbers.
public struct Moments {
    public let mean, deviation: Double

    public init(_ values: [Double]) {
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    public static func correlation(_ first: [Double], _ second: [Double]) -> Double {
        let (one, two) = (Moments(first), Moments(second))
        let product = zip(first, second).reduce(0) { $0 + ($1.0 - one.mean) * ($1.1 - two.mean) }
        return product / Double(first.count) / (one.deviation * two.deviation)
    }
}

import Glibc
import Imaging
import TestSupport
import Testing
import Tomography

@Suite struct ProjectorTests {
    static let energy = 208.37

    static func heads(
        _ grid: VoxelGrid, gap: Double = 30, pixel: Double = 4.8, gain: Double = 1
    ) -> [CameraHead] {
        let width = Double(grid.columns) * grid.spacing.x
        let length = Double(grid.slices) * grid.spacing.z
        let detector = DetectorGrid(
            columns: Int(width / pixel), rows: Int(length / pixel), spacing: SIMD2(pixel, pixel),
            origin: SIMD2(
                grid.origin.x - grid.spacing.x / 2 + pixel / 2, grid.origin.z - grid.spacing.z / 2 + pixel / 2))
        let front = grid.origin.y - grid.spacing.y / 2 - gap
        let back = grid.origin.y + (Double(grid.rows) - 0.5) * grid.spacing.y + gap
        return [(ViewDirection.anterior, front), (.posterior, back)].map {
            CameraHead(
                direction: $0.0, facePosition: $0.1, detector: detector, collimator: .siemensMediumEnergy,
                energy: energy, gain: gain)
        }
    }

    static func grid(_ columns: Int, _ rows: Int, _ slices: Int, spacing: Double = 4.8) throws -> VoxelGrid {
        try VoxelGrid(
            columns: columns, rows: rows, slices: slices, spacing: SIMD3(repeating: spacing),
            origin: SIMD3(-Double(columns - 1) / 2 * spacing, -Double(rows - 1) / 2 * spacing, 0))
    }

    /// An attenuation map without symmetry, so that a mixed-up axis shows.
    static func unevenAttenuation(_ grid: VoxelGrid) -> Volume<Float> {
        var generator = SplitMix64(seed: 3)
        return Volume<Float>(grid: grid, repeating: 0).map { _ in Float.random(in: 0...0.2, using: &generator) }
    }

    @Test(arguments: [(24, 11, 18), (16, 12, 20), (7, 1, 5)])
    func adjointOfTheFastProjectorIsExact(columns: Int, rows: Int, slices: Int) throws {
        let grid = try Self.grid(columns, rows, slices)
        let projector = try OpposedViewProjector(
            heads: Self.heads(grid, pixel: 2.4), attenuation: [Self.energy: Self.unevenAttenuation(grid)])
        expectAdjoint(
            domainCount: projector.domainCount, rangeCount: projector.rangeCount,
            forward: projector.forward, adjoint: projector.adjoint)
    }

    @Test func adjointHoldsForTwoEnergiesAndForOneHead() throws {
        let grid = try Self.grid(12, 9, 14)
        let map = Self.unevenAttenuation(grid)
        let heads = Self.heads(grid)
        let second = heads.map {
            CameraHead(
                direction: $0.direction, facePosition: $0.facePosition, detector: $0.detector,
                collimator: $0.collimator, energy: 112.95, gain: 0.7)
        }
        for set in [heads + second, [heads[1]], [heads[0], heads[1], second[0]]] {
            let projector = try OpposedViewProjector(heads: set, attenuation: [Self.energy: map, 112.95: map])
            expectAdjoint(
                domainCount: projector.domainCount, rangeCount: projector.rangeCount,
                forward: projector.forward, adjoint: projector.adjoint)
        }
    }

    @Test func adjointOfTheDirectProjectorIsExact() throws {
        let grid = try Self.grid(12, 8, 10)
        let projector = try DirectProjector(
            heads: Self.heads(grid), attenuation: Self.unevenAttenuation(grid),
            tails: .init(share: 0.1, widthFactor: 3))
        expectAdjoint(
            domainCount: projector.domainCount, rangeCount: projector.rangeCount,
            forward: projector.forward, adjoint: projector.adjoint)
    }

    @Test(arguments: [2.4, 4.8])
    func agreesWithTheDirectProjector(spacing: Double) throws {
        let count = spacing == 2.4 ? 64 : 40
        let grid = try Self.grid(count, count / 2, count, spacing: spacing)
        let map = Self.unevenAttenuation(grid)
        var generator = SplitMix64(seed: 9)
        var activity = [Float](repeating: 0, count: grid.voxelCount)
        // Blocks of four voxels, about the size of the smallest thing that a camera resolves.
        let blocks = (0..<4096).map { _ in Float.random(in: 0...1, using: &generator) }
        for z in 12..<count - 12 {
            for y in 0..<grid.rows {
                for x in 12..<count - 12 {
                    activity[grid.offset(x: x, y: y, z: z)] = blocks[((z / 4) * 16 + y / 4) * 16 + x / 4]
                }
            }
        }
        let heads = Self.heads(grid)
        let fast = try OpposedViewProjector(heads: heads, attenuation: [Self.energy: map]).forward(activity)
        let direct = try DirectProjector(heads: heads, attenuation: map).forward(activity)
        let peak = direct.max() ?? 0
        let worst = zip(fast, direct).map { abs($0 - $1) }.max() ?? .infinity
        // What is left is the loss over the grid's edge and the third cumulant of the three-tap steps.
        #expect(peak > 0)
        #expect(worst < 0.015 * peak)
    }

    @Test(arguments: [2, 9, 17])
    func aPointInWaterIsAttenuatedAndBlurredByTheFormula(plane: Int) throws {
        let grid = try Self.grid(65, 20, 65, spacing: 4)
        let water: Float = 0.1352
        var activity = [Float](repeating: 0, count: grid.voxelCount)
        activity[grid.offset(x: 32, y: plane, z: 32)] = 1
        let heads = Self.heads(grid, pixel: 2, gain: 1000)
        let projector = try OpposedViewProjector(
            heads: heads, attenuation: [Self.energy: Volume(grid: grid, repeating: water)])
        let views = projector.forward(activity)
        for (index, head) in heads.enumerated() {
            let view = Array(views[projector.viewOffsets[index]..<projector.viewOffsets[index + 1]])
            let y = grid.position(x: 0, y: Double(plane), z: 0).y
            let distance = abs(y - head.facePosition)
            let depth = (distance - 30) / 10
            let total = view.reduce(0, +)
            #expect(abs(Double(total) / (1000 * exp(-Double(water) * depth)) - 1) < 2e-3)

            // Variance across x: the Gaussian's, plus those of a voxel's and a pixel's width.
            let columns = head.detector.columns
            var first = 0.0
            var second = 0.0
            for (pixel, value) in view.enumerated() {
                let x = Double(pixel % columns) * head.detector.spacing.x + head.detector.origin.x
                first += Double(value) * x
                second += Double(value) * x * x
            }
            let mean = first / Double(total)
            let expected = head.collimator.variance(atDistance: distance, energy: Self.energy) + (16.0 + 4.0) / 12
            #expect(abs(mean) < 0.01)
            #expect(abs((second / Double(total) - mean * mean) / expected - 1) < 5e-3)
        }
    }

    @Test func aUniformSlabGivesTheClosedForm() throws {
        let grid = try Self.grid(60, 25, 60, spacing: 4)
        let water: Float = 0.15
        let heads = Self.heads(grid, pixel: 4, gain: 1)
        let projector = try OpposedViewProjector(
            heads: heads, attenuation: [Self.energy: Volume(grid: grid, repeating: water)])
        let views = projector.forward([Float](repeating: 1, count: grid.voxelCount))
        // Sum over planes of exp(-mu (k + 1/2) d), a geometric series; the middle sees no edge.
        let mu = Double(water) * 0.4
        let expected = exp(-mu / 2) * (1 - exp(-mu * 25)) / (1 - exp(-mu))
        for offset in projector.viewOffsets.dropLast() {
            #expect(abs(Double(views[offset + 30 * 60 + 30]) / expected - 1) < 1e-3)
        }
    }

    @Test func movedDetectorsSeeTheImageMoved() throws {
        let grid = try Self.grid(40, 6, 40)
        let heads = Self.heads(grid)
        let projector = try OpposedViewProjector(
            heads: heads, attenuation: [Self.energy: Volume(grid: grid, repeating: 0)])
        var activity = [Float](repeating: 0, count: grid.voxelCount)
        activity[grid.offset(x: 20, y: 3, z: 22)] = 1
        let still = projector.forward(activity)
        let movedHeads = heads.map { $0.with(detector: $0.detector.moved(by: SIMD2(4.8, -9.6))) }
        let moved = try projector.withHeads(movedHeads).forward(activity)
        // The detector stands one pixel further to the left side and two lower: the point appears one pixel less along
        // x and two pixels more along z.
        #expect(abs(still[22 * 40 + 20] - moved[24 * 40 + 19]) < 1e-6)
        #expect(still[22 * 40 + 20] > 0.01)
    }

    @Test func multipliedAttenuationIsThatOfMultipliedCoefficients() throws {
        let grid = try Self.grid(12, 20, 10)
        let heads = Self.heads(grid)
        var coefficients = Volume<Float>(grid: grid, repeating: 0)
        for voxel in coefficients.voxels.indices where voxel % 3 != 0 {
            coefficients.voxels[voxel] = 0.05 * Float(voxel % 7)
        }
        let projector = try OpposedViewProjector(heads: heads, attenuation: [Self.energy: coefficients])
        let expected = try OpposedViewProjector(
            heads: heads, attenuation: [Self.energy: coefficients.map { $0 * 1.07 }])
        let activity = (0..<grid.voxelCount).map { Float(1 + $0 % 5) }
        let changed = try projector.withHeads(heads, attenuatedBy: 1.07).forward(activity)
        let real = expected.forward(activity)
        let plain = projector.forward(activity)
        for pixel in real.indices { #expect(abs(changed[pixel] / real[pixel] - 1) < 1e-4) }
        #expect(plain.reduce(0, +) > 1.015 * real.reduce(0, +))
        #expect(try projector.withHeads(heads, attenuatedBy: 1).forward(activity) == plain)
    }

    @Test func refusesAHeadInsideTheVoxels() throws {
        let grid = try Self.grid(8, 8, 8)
        #expect(throws: TomographyError.self) {
            try OpposedViewProjector(
                heads: Self.heads(grid, gap: -10), attenuation: [Self.energy: Volume(grid: grid, repeating: 0)])
        }
    }
}

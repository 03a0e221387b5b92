import Glibc
import Imaging
import Testing

struct RasterisationTests {
    let grid: VoxelGrid

    init() throws {
        grid = try VoxelGrid(columns: 40, rows: 36, slices: 30, spacing: SIMD3(2, 2.5, 3), origin: SIMD3(-39, -44, -45))
    }

    private func circle(radius: Double, centre: SIMD3<Double>, points: Int = 360) -> [SIMD3<Double>] {
        (0..<points).map { index in
            let angle = 2 * Double.pi * Double(index) / Double(points)
            return centre + SIMD3(radius * cos(angle), radius * sin(angle), 0)
        }
    }

    private func millilitres(_ coverage: Volume<Float>) -> Double {
        coverage.voxels.reduce(0) { $0 + Double($1) } * coverage.grid.voxelMillilitres
    }

    @Test func boxOffTheGridHasItsVolumeAndItsFractions() throws {
        // x from -5.5 to 8.3, y from -3 to 7, planes 2 mm apart from z = -4 to 4: slabs from -5 to 5.
        let contours = stride(from: -4.0, through: 4, by: 2).map { z in
            [SIMD3(-5.5, -3, z), SIMD3(8.3, -3, z), SIMD3(8.3, 7, z), SIMD3(-5.5, 7, z)]
        }
        let coverage = try StructureSet.Region(name: "box", contours: contours).coverage(on: grid)
        // y edges lie off the sampling lines by at most half a line, 1/16 of a voxel: 0.16 mm of 10 mm.
        #expect(abs(millilitres(coverage) - 13.8 * 10 * 10 / 1000) < 0.016 * 1.38)
        #expect(coverage.voxels.allSatisfy { $0 >= 0 && $0 <= 1.0001 })
        // The voxel of x from -6 to -4 is covered from -5.5: three quarters of it.
        let inside = coverage[Int((-5.0 + 39) / 2), Int((1.0 + 44) / 2.5), 15]
        #expect(abs(inside - 0.75) < 1e-4)
    }

    @Test func stackedDisksMakeABall() throws {
        let radius = 20.0
        let contours = stride(from: -19.5, through: 19.5, by: 1).map { z in
            circle(radius: (radius * radius - z * z).squareRoot(), centre: SIMD3(1.3, 0.4, z))
        }
        let region = StructureSet.Region(name: "ball", contours: contours)
        let truth = 4 / 3 * Double.pi * radius * radius * radius / 1000
        // Midpoint slabs of 1 mm miss 0.03 % of a ball, 360 corners 0.01 %, eight lines the rest.
        #expect(abs(millilitres(try region.coverage(on: grid)) / truth - 1) < 0.003)
        let voxels = try region.mask(on: grid).voxels.count(where: { $0 })
        #expect(abs(Double(voxels) * grid.voxelMillilitres / truth - 1) < 0.03)
    }

    @Test func contourWithinAContourIsAHole() throws {
        let contours = [-3.0, 0, 3].flatMap { z in
            [circle(radius: 15, centre: SIMD3(0, 0, z)), circle(radius: 6, centre: SIMD3(2, 1, z))]
        }
        let coverage = try StructureSet.Region(name: "ring", contours: contours).coverage(on: grid)
        #expect(abs(millilitres(coverage) / (Double.pi * (225 - 36) * 9 / 1000) - 1) < 0.003)
        #expect(coverage[20, 18, 15] == 0)
    }

    @Test func aWideGapSeparatesAndASkippedSliceDoesNot() throws {
        let square = { (z: Double) in [SIMD3(-10, -10, z), SIMD3(10, -10, z), SIMD3(10, 10, z), SIMD3(-10.0, 10, z)] }
        let skipped = StructureSet.Region(name: "skipped", contours: [0.0, 3, 6, 12, 15].map(square))
        #expect(abs(millilitres(try skipped.coverage(on: grid)) - 0.4 * 18) < 0.02 * 7.2)
        let apart = StructureSet.Region(name: "apart", contours: [-30.0, -27, -24, 15, 18].map(square))
        #expect(abs(millilitres(try apart.coverage(on: grid)) - 0.4 * 15) < 0.02 * 6)
    }

    @Test func partsOutsideTheGridAreLeftOut() throws {
        let far = StructureSet.Region(name: "far", contours: [circle(radius: 5, centre: SIMD3(0, 0, 400))])
        #expect(millilitres(try far.coverage(on: grid)) == 0)
        let wide = StructureSet.Region(name: "wide", contours: [circle(radius: 500, centre: SIMD3(0, 0, 0))])
        #expect(try wide.mask(on: grid).voxels.count(where: { $0 }) == 40 * 36)
    }

    @Test func refusesWhatEnclosesNothing() throws {
        let none = StructureSet.Region(name: "none", contours: [])
        #expect(throws: ImagingError.emptyContour(region: "none")) { try none.coverage(on: grid) }
        let line = StructureSet.Region(name: "line", contours: [[SIMD3(0, 0, 0), SIMD3(1, 0, 0)]])
        #expect(throws: ImagingError.emptyContour(region: "line")) { try line.coverage(on: grid) }
        let tilted = StructureSet.Region(
            name: "tilted", contours: [[SIMD3(0, 0, 0), SIMD3(1, 0, 0), SIMD3(1, 1, 0.5)]])
        #expect(throws: ImagingError.contourNotAxial(region: "tilted")) { try tilted.mask(on: grid) }
    }

    @Test func outlinesGiveTheMaskBack() throws {
        var mask = Volume<Bool>(grid: grid, repeating: false)
        var state: UInt64 = 11
        for index in mask.voxels.indices where index / (40 * 36) % 3 != 0 {
            // Knuth's linear congruential generator: holes, islands and corners that touch.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            mask.voxels[index] = state >> 40 % 5 < 3
        }
        // Slices on both sides of an empty one are one and a half slices apart from it: fill to keep every plane.
        for slice in stride(from: 0, to: 30, by: 3) { mask[3, 4, slice] = true }
        let region = try StructureSet.Region(name: "noise", outlining: mask)
        #expect(try region.mask(on: grid) == mask)
    }

    @Test func outlinesOfAnEmptyMaskAreRefused() {
        #expect(throws: ImagingError.emptyContour(region: "void")) {
            try StructureSet.Region(name: "void", outlining: Volume(grid: grid, repeating: false))
        }
    }
}

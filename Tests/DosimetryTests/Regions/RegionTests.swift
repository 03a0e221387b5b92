import Dosimetry
import Glibc
import Imaging
import Testing

@Suite struct RegionTests {
    private static func grid(_ columns: Int) throws -> VoxelGrid {
        try VoxelGrid(
            columns: columns, rows: 1, slices: 1, spacing: SIMD3(repeating: 10), origin: SIMD3(repeating: 0))
    }

    @Test func aHistogramOfTenVoxelsIsCountedByHand() throws {
        let grid = try Self.grid(11)
        let dose = try Volume(grid: grid, voxels: (1...11).map { Float($0) })
        var coverage = Volume<Float>(grid: grid, repeating: 1)
        coverage.voxels[10] = 0
        let histogram = try DoseVolumeHistogram(dose: dose, coverage: coverage)
        #expect(histogram.millilitres == 10 && abs(histogram.mean - 5.5) < 1e-9)
        #expect(histogram.maximum == 10 && histogram.minimum == 1)
        #expect(histogram.dose(toPercent: 98) == 1 && histogram.dose(toPercent: 2) == 10)
        #expect(histogram.dose(toPercent: 50) == 6)
        #expect(histogram.millilitres(above: 7.5) == 3 && histogram.millilitres(above: 10.5) == 0)
        let curve = histogram.cumulative(binCount: 10)
        #expect(curve.width == 1 && curve.millilitres == [10, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    }

    @Test func halfAVoxelIsHalfItsVolume() throws {
        let grid = try Self.grid(2)
        let dose = try Volume<Float>(grid: grid, voxels: [2, 4])
        let coverage = try Volume<Float>(grid: grid, voxels: [1, 0.5])
        let histogram = try DoseVolumeHistogram(dose: dose, coverage: coverage)
        #expect(histogram.millilitres == 1.5 && abs(histogram.mean - 8.0 / 3) < 1e-9)
        #expect(throws: DosimetryError.massMissing) {
            try DoseVolumeHistogram(dose: dose, coverage: Volume(grid: grid, repeating: 0))
        }
    }

    @Test func smallRegionsAreLessCertain() {
        let assumptions = UncertaintyBudget.Assumptions()
        let small = UncertaintyBudget(millilitres: 3, counts: 0.05, fit: 0.08, assumptions: assumptions)
        let large = UncertaintyBudget(millilitres: 1500, counts: 0.05, fit: 0.08, assumptions: assumptions)
        #expect(small.volume > 3 * large.volume && small.recovery > 3 * large.recovery)
        #expect(large.counts == 0 && large.fit == 0.08)
        #expect(
            abs(large.total * large.total - (0.0025 + 0.0064 + pow(large.volume, 2) + pow(large.recovery, 2))) < 1e-12)
        // 3 sqrt(2.4²/6 + 2²/(4 ln 2)) / 17.89 mm.
        #expect(abs(small.volume - 0.2597) < 5e-4)
    }

    /// - Source: Wessels 2008: 1 + D/2.6 * 2.8/(2.8 + T).
    @Test func fastRepairMakesASlowDoseMild() {
        let kidney = BiologicalDose.kidney
        #expect(abs(kidney.effectiveDose(gray: 20, effectiveHalfLifeHours: 53.2) - 20 * (1 + 20 / 2.6 * 0.05)) < 1e-9)
        #expect(kidney.effectiveDose(gray: 20, effectiveHalfLifeHours: 1) > 60)
    }

    @Test func limitsAreFoundByTheNameOfTheRegion() {
        #expect(DoseLimit.of(region: "kidney_left")?.gray == 23)
        #expect(DoseLimit.of(region: "marrow")?.gray == 2)
        #expect(DoseLimit.of(region: "liver") == nil && DoseLimit.of(region: "kidneystone") == nil)
    }

    /// - Source: 147.9 keV over 310 g with the photons on top: MIRD's adult kidneys have 2.8e-4 Gy/(MBq h) of
    ///   electrons.
    @Test func aSphereTakesItsElectronsAndSomePhotons() {
        let sphere = SphereDose(.lutetium177)
        let electrons = LocalDeposition(.lutetium177).graysPerMegabecquerelHourPerGram / 310
        #expect(sphere.sValue(grams: 310) > electrons * 1.01 && sphere.sValue(grams: 310) < electrons * 1.06)
        #expect(abs(sphere.sValue(grams: 0.001) * 0.001 / (electrons * 310) - 1) < 0.003)
    }

    @Test func voxelsAddUpToTheIntegralsOfTheirRegions() throws {
        let grid = try Self.grid(4)
        let maps = try [[1, 3, 5, 5], [2, 2, 1, 3]].map { try Volume<Float>(grid: grid, voxels: $0) }
        let integration = try TimeIntegration(maps: maps)
        let (left, right) = (
            try Volume<Float>(grid: grid, voxels: [1, 1, 0, 0]), try Volume<Float>(grid: grid, voxels: [0, 0, 1, 0.5])
        )
        #expect(integration.activities(coverage: left) == [4, 4])
        let found = integration.integrated([(left, 100), (right, 40)])
        // Left: the mean of 1/4, 3/4 and 1/2, 1/2.
        #expect(abs(found.voxels[0] - 37.5) < 1e-4 && abs(found.voxels[1] - 62.5) < 1e-4)
        #expect(abs(found.voxels[2] + found.voxels[3] - 40) < 1e-4)
    }
}

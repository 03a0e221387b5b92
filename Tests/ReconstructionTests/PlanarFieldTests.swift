import Anatomy
import Imaging
import Reconstruction
import Testing

/// What a planar image shows of a patient.
@Suite struct PlanarFieldTests {
    private static func patient() throws -> SyntheticPatient {
        var recipe = SyntheticPatient.Recipe(seed: 3)
        recipe.resolution = .init(ct: 4.6875, simulation: SIMD3(repeating: 8), pixel: 9.6)
        recipe.field = .oneBed(centreMillimetres: 340)
        return try SyntheticPatient(recipe)
    }

    @Test func kidneysAreInsideOrNot() throws {
        let patient = try Self.patient()
        let view = patient.views[0]
        for withContours in [true, false] {
            let anatomy = try patient.anatomy(withContours: withContours)
            let here = PlanarField(view, offset: patient.planarOffset)
            #expect(abs((here.z.lowerBound + here.z.upperBound) / 2 - 340) < 5)
            #expect(here.essentialRegionsOutside(of: anatomy).isEmpty)
            let head = PlanarField(view, offset: patient.planarOffset + SIMD2(0, 420))
            let outside = head.essentialRegionsOutside(of: anatomy)
            #expect(!outside.isEmpty)
            if withContours { #expect(outside.sorted() == ["kidney_left", "kidney_right"]) }
            let aside = PlanarField(view, offset: patient.planarOffset + SIMD2(300, 0))
            #expect(aside.essentialRegionsOutside(of: anatomy).contains("kidney_right") == withContours)
        }
    }

    @Test func sharesAreThoseOfTheVoxels() throws {
        let grid = try VoxelGrid(
            columns: 4, rows: 2, slices: 10, spacing: SIMD3(repeating: 10), origin: SIMD3(repeating: 5))
        let region = Region(name: "r", organ: nil, kind: .organ, coverage: Volume(grid: grid, repeating: 0.5))
        let view = try PlanarView(
            direction: .anterior, window: EnergyWindow(lower: 1, upper: 2), columns: 20, rows: 3,
            spacing: SIMD2(10, 10), origin: SIMD2(5, 5), dwellSeconds: 1, counts: [Float](repeating: 0, count: 60))
        #expect(abs(PlanarField(view, offset: .zero).share(of: region) - 0.3) < 1e-9)
        #expect(abs(PlanarField(view, offset: SIMD2(20, 80)).share(of: region) - 0.1) < 1e-9)
        #expect(PlanarField(view, offset: SIMD2(0, 500)).share(of: region) == 0)
    }
}

import Dosimetry
import Imaging
import Testing

@Suite struct LocalDepositionTests {
    private static func volume(_ values: [Float]) throws -> Volume<Float> {
        try Volume(
            grid: VoxelGrid(
                columns: values.count, rows: 1, slices: 1, spacing: SIMD3(repeating: 4), origin: SIMD3(repeating: 0)),
            voxels: values)
    }

    /// - Source: 147.9 keV x 1.602e-16 J/keV x 3.6e9 decays per MBq h, per gram: 0.0853 Gy g / (MBq h).
    @Test func theDoseConstantOfLutetiumIsThatOfItsElectrons() {
        #expect(abs(LocalDeposition.lutetium177.graysPerMegabecquerelHourPerGram - 0.0853) < 5e-5)
    }

    @Test func halfTheDensityIsTwiceTheRateAndAirHasNone() throws {
        let rate = try LocalDeposition.lutetium177.doseRate(
            activity: Self.volume([1e6, 1e6, 1e6, 0]), density: Self.volume([1, 0.5, 0, 1]))
        #expect(abs(rate.voxels[0] - 0.0853) < 1e-4)
        #expect(abs(rate.voxels[1] - 2 * rate.voxels[0]) < 1e-6)
        #expect(rate.voxels[2] == 0)
        #expect(rate.voxels[3] == 0)
    }

    @Test(arguments: [Float.nan, -1, .infinity])
    func refusesWhatIsNoActivity(value: Float) throws {
        let activity = try Self.volume([0, value])
        let density = try Self.volume([1, 1])
        #expect(throws: DosimetryError.notAnActivity(voxel: 1)) {
            try LocalDeposition.lutetium177.doseRate(activity: activity, density: density)
        }
    }
}

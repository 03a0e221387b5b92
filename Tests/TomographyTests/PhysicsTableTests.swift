import Imaging
import Testing
import Tomography

@Suite struct PhysicsTableTests {
    /// - Source: computed from the collimator formula for Siemens ME at 208 keV, as published widths round it.
    @Test(arguments: [(50.0, 7.4), (100, 11.0), (200, 18.4), (300, 25.9)])
    func collimatorWidensWithDistance(distance: Double, fwhm: Double) {
        let width = Collimator.siemensMediumEnergy.resolution(atDistance: distance, energy: 208.37)
        #expect(abs(width - fwhm) < 0.06)
    }

    @Test func attenuationIsBilinearAndNeverNegative() throws {
        let grid = try VoxelGrid(columns: 4, rows: 1, slices: 1, spacing: SIMD3(1, 1, 1), origin: SIMD3(0, 0, 0))
        let ct = try Volume<Float>(grid: grid, voxels: [-2000, -1000, 0, 1000])
        let mu = try Attenuation(energy: 208, tubeVoltage: 130).coefficients(of: ct).voxels
        #expect(mu[0] == 0)
        #expect(mu[1] == 0)
        #expect(abs(mu[2] - 0.1352) < 1e-6)
        #expect(abs(mu[3] - (0.1352 + 0.0879)) < 1e-6)
        let between = try Attenuation(energy: 208, tubeVoltage: 120).coefficients(of: ct).voxels
        #expect(abs(between[3] - (0.1352 + 0.0833)) < 1e-6)
    }

    @Test func refusesAnEnergyWithoutATable() {
        #expect(throws: TomographyError.unknownEnergy(kiloelectronvolts: 364)) {
            try Attenuation(energy: 364, tubeVoltage: 120)
        }
    }
}

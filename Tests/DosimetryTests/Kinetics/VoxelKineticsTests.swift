import Dosimetry
import Glibc
import Imaging
import Testing

@Suite struct VoxelKineticsTests {
    private static let hours = [24.0, 72, 144]
    private static let decay = DecayScheme.lutetium177.decayPerHour

    /// Maps on a line of voxels that fall with a rate each.
    private static func maps(
        rates: [Double], level: Double = 2, noise: Double = 0, seed: UInt64 = 1
    ) throws -> [Volume<Float>] {
        let grid = try VoxelGrid(
            columns: rates.count, rows: 1, slices: 1, spacing: SIMD3(5, 5, 5), origin: SIMD3(0, 0, 0))
        var generator = SeededGenerator(seed: seed)
        return try hours.map { hour in
            try Volume(
                grid: grid,
                voxels: rates.map { Float(level * exp(-$0 * hour) * exp(noise * generator.normal())) })
        }
    }

    private static func integrals(
        _ maps: [Volume<Float>], rate: Double, integral: Double, noise: Double = 0.3, rateSpread: Double = 0.2
    ) throws -> VoxelKinetics.Integrals {
        let count = maps[0].voxels.count
        return try VoxelKinetics(
            maps: maps, hours: Array(hours.prefix(maps.count)), decayPerHour: decay, noise: noise,
            rateSpread: rateSpread
        ).integrals(
            voxels: Array(0..<count), coverage: Array(repeating: 1, count: count), rate: rate, integral: integral)
    }

    /// Without noise and with a weak prior the voxels' own rates are found.
    @Test func voxelsClearAtTheirOwnRates() throws {
        let rates = [0.01, 0.015, 0.02, 0.03]
        let truth = rates.map { 2 / $0 }
        let volume = 0.125
        let found = try Self.integrals(
            Self.maps(rates: rates), rate: 0.018, integral: truth.reduce(0, +) * volume, noise: 1e-3, rateSpread: 1)
        for (value, expected) in zip(found.values, truth) { #expect(abs(Double(value) / expected - 1) < 1e-3) }
    }

    /// The region's integral is kept whatever the voxels say.
    @Test func theSumIsThatOfTheRegion() throws {
        let maps = try Self.maps(rates: Array(repeating: 0.02, count: 50), noise: 0.5)
        let found = try Self.integrals(maps, rate: 0.02, integral: 77)
        let sum = found.values.reduce(0) { $0 + Double($1) } * 0.125
        #expect(abs(sum / 77 - 1) < 1e-5)
    }

    /// One map, or much noise: the region's rate holds.
    @Test func theRegionHoldsNoisyVoxels() throws {
        let one = Array(try Self.maps(rates: [0.02, 0.02], level: 3).prefix(1))
        let found = try Self.integrals(one, rate: 0.02, integral: 2 * 3 / 0.02 * 0.125)
        for value in found.values { #expect(abs(Double(value) / (3 / 0.02) - 1) < 1e-5) }
        let tight = try Self.integrals(
            Self.maps(rates: [0.01, 0.04]), rate: 0.02, integral: 1, noise: 0.3, rateSpread: 0.01)
        let shares = [0.01, 0.04].map { rate in
            // With the region's rate alone each voxel's integral goes with its mean logarithm.
            exp(-(rate - 0.02) * Self.hours.reduce(0, +) / 3)
        }
        #expect(abs(Double(tight.values[0] / tight.values[1]) / (shares[0] / shares[1]) - 1) < 0.02)
    }

    /// What is printed is what draws show.
    @Test func deviationsAreThoseOfDraws() throws {
        let (rate, noise, count) = (0.018, 0.1, 4000)
        let maps = try Self.maps(rates: Array(repeating: rate, count: count), noise: noise)
        let truth = 2 / rate
        let found = try Self.integrals(
            maps, rate: rate, integral: truth * 0.125 * Double(count), noise: noise, rateSpread: 1)
        let within = zip(found.values, found.deviations).filter { abs(log(Double($0) / truth)) <= Double($1) }.count
        #expect(abs(Double(within) / Double(count) - 0.683) < 0.04)
    }

    @Test func nothingStaysNothingAndNothingIsClearedMoreSlowlyThanItDecays() throws {
        var maps = try Self.maps(rates: [0.02, 0.0001])
        for index in maps.indices { maps[index].voxels[0] = 0 }
        let found = try Self.integrals(maps, rate: 0.01, integral: 1, noise: 1e-3, rateSpread: 10)
        #expect(found.values[0] == 0 && abs(Double(found.values[1]) * 0.125 - 1) < 1e-5)
    }

    @Test func refusesWhatIsNoSeriesOfMaps() throws {
        let maps = try Self.maps(rates: [0.02])
        #expect(throws: DosimetryError.timesOutOfOrder) {
            try VoxelKinetics(maps: maps, hours: [24, 20, 144], decayPerHour: Self.decay)
        }
        #expect(throws: DosimetryError.noSamples) {
            try VoxelKinetics(maps: maps, hours: [24], decayPerHour: Self.decay)
        }
    }
}

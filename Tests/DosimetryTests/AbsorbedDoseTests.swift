import Dosimetry
import Glibc
import Imaging
import Testing

/// Doses that have closed forms.
@Suite struct AbsorbedDoseTests {
    private static let joule = 1.602_176_634e-16
    private static let scheme = DecayScheme.lutetium177
    /// Decays per mL of 1 MBq h/mL.
    private static let decays = 3.6e9

    private static func grid(_ count: Int, _ spacing: Double = 4.8) throws -> VoxelGrid {
        let half = Double(count - 1) / 2 * spacing
        return try VoxelGrid(
            columns: count, rows: count, slices: count, spacing: SIMD3(repeating: spacing),
            origin: SIMD3(repeating: -half))
    }

    private static func dose(_ activity: Volume<Float>, density: Float = 1.04) throws -> AbsorbedDose {
        let calculator = try DoseCalculator(scheme, grid: activity.grid)
        return try calculator.dose(integrated: activity, density: Volume(grid: activity.grid, repeating: density))
    }

    /// In the middle of an even medium every voxel absorbs what it emits, but for photons from beyond the kernel.
    @Test func anEvenMediumAbsorbsWhatItEmits() throws {
        let grid = try Self.grid(61)
        let dose = try Self.dose(Volume(grid: grid, repeating: 2))
        let kernel = try VoxelKernel(Self.scheme, spacing: grid.spacing)
        let energy = Self.scheme.chargedEnergy + Self.scheme.photonEnergy - kernel.photonEnergyBeyond
        let expected = 2 * Self.decays * energy * Self.joule / 1.04e-3
        #expect(abs(Double(dose.volume[30, 30, 30]) / expected - 1) < 0.001)
    }

    @Test func aPointSourceFallsWithTheSquareOfTheDistance() throws {
        let grid = try Self.grid(41)
        var activity = Volume<Float>(grid: grid, repeating: 0)
        activity[20, 20, 20] = 1
        let dose = try Self.dose(activity)
        let profile = PhotonProfile(Self.scheme)
        for (x, y, z) in [(30, 20, 20), (20, 34, 20), (27, 28, 13), (20, 20, 5)] {
            let step = SIMD3(Double(x - 20), Double(y - 20), Double(z - 20)) * grid.spacing
            let square = (step * step).sum()
            // Decays of the voxel, keV per mm³, J, kg per mm³.
            let expected =
                Self.decays * grid.voxelMillilitres * profile.energyPerMillimetre(at: square.squareRoot())
                / (4 * .pi * square) * Self.joule / 1.04e-6
            #expect(abs(Double(dose.volume[x, y, z]) / expected - 1) < 0.01)
        }
    }

    /// At the centre of an active sphere arrives the energy of photons within its radius.
    @Test(arguments: [30.0, 60.0]) func theCentreOfASphere(radius: Double) throws {
        let grid = try Self.grid(45)
        var activity = Volume<Float>(grid: grid, repeating: 0)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    activity[x, y, z] = Self.part(of: grid, x, y, z, within: radius)
                }
            }
        }
        let dose = try Self.dose(activity)
        let energy = Self.scheme.chargedEnergy + PhotonProfile(Self.scheme).energy(within: radius)
        let expected = Self.decays * energy * Self.joule / 1.04e-3
        #expect(abs(Double(dose.volume[22, 22, 22]) / expected - 1) < 0.01)
        // The photons alone, which are some percent of it, have to be right as well.
        let photons = Double(dose.volume[22, 22, 22]) - Self.decays * Self.scheme.chargedEnergy * Self.joule / 1.04e-3
        #expect(abs(photons / (expected * PhotonProfile(Self.scheme).energy(within: radius) / energy) - 1) < 0.02)
    }

    @Test(arguments: ["177Lu", "131I", "90Y"]) func theBalanceOfEnergyCloses(name: String) throws {
        let scheme = try DecayScheme.named(name)
        let grid = try Self.grid(61)
        var activity = Volume<Float>(grid: grid, repeating: 0)
        for offset in 0..<125 {
            activity[28 + offset % 5, 28 + offset / 5 % 5, 28 + offset / 25] = Float(1 + offset % 7)
        }
        let calculator = try DoseCalculator(scheme, grid: grid)
        let dose = try calculator.dose(integrated: activity, density: Volume(grid: grid, repeating: 1.04))
        let balance = dose.balance
        #expect(abs((balance.absorbed + balance.beyondKernel) / balance.emitted - 1) < 0.005)
        // The same energy, counted from the doses.
        let kilograms = grid.voxelMillilitres * 1.04e-3
        let deposited = dose.volume.voxels.reduce(0) { $0 + Double($1) } * kilograms
        #expect(abs(deposited / balance.absorbed - 1) < 1e-4)
    }

    @Test func thinTissueTakesMoreFromElectronsAndAirTakesNone() throws {
        let grid = try Self.grid(31)
        var activity = Volume<Float>(grid: grid, repeating: 0)
        activity[15, 15, 15] = 1
        let calculator = try DoseCalculator(Self.scheme, grid: grid)
        func dose(_ density: Float) throws -> Float {
            try calculator.dose(integrated: activity, density: Volume(grid: grid, repeating: density))
                .volume[15, 15, 15]
        }
        let photons = try dose(1e6)
        let (tissue, lung) = (try dose(1.04) - photons, try dose(0.26) - photons)
        #expect(abs(lung / tissue - 4) < 0.001)
        #expect(try dose(0.01) == 0)
    }

    @Test func localDepositionIsTheKernelDrawnTogether() throws {
        let grid = try Self.grid(9)
        let activity = Volume<Float>(grid: grid, repeating: 1)
        let density = Volume<Float>(grid: grid, repeating: 1)
        let dose = try DoseCalculator(.actinium225, grid: grid, method: .localDeposition)
            .dose(integrated: activity, density: density)
        #expect(abs(dose.volume[4, 4, 4] / Float(28_050 * 1.602_176_634e-16 * 3.6e9 / 1e-3) - 1) < 1e-5)
        #expect(throws: DosimetryError.noKernel(.daughtersLeave)) { try DoseCalculator(.actinium225, grid: grid) }
    }

    @Test(arguments: [Float.nan, -1, .infinity]) func refusesWhatIsNoActivity(value: Float) throws {
        let grid = try Self.grid(3)
        var activity = Volume<Float>(grid: grid, repeating: 1)
        activity.voxels[4] = value
        #expect(throws: DosimetryError.notAnActivity(voxel: 4)) { try Self.dose(activity) }
    }

    /// The part of a voxel within a sphere, by 5^3 points.
    private static func part(of grid: VoxelGrid, _ x: Int, _ y: Int, _ z: Int, within radius: Double) -> Float {
        var inside = 0
        for point in 0..<125 {
            let part = SIMD3(Double(point % 5), Double(point / 5 % 5), Double(point / 25)) * 0.2 - 0.4
            let place = grid.position(x: Double(x) + part.x, y: Double(y) + part.y, z: Double(z) + part.z)
            if (place * place).sum() <= radius * radius { inside += 1 }
        }
        return Float(inside) / 125
    }
}

import Anatomy
import Imaging
import Testing

/// People of the varied population.
@Suite struct PopulationTests {
    /// Wide and coarse: trunk, head and arms.
    private static func grid() throws -> VoxelGrid {
        try VoxelGrid(
            columns: 90, rows: 44, slices: 170, spacing: SIMD3(8, 8, 8), origin: SIMD3(-356, -172, -300))
    }

    private static func millilitres(_ labels: Volume<StructureLabel>, _ organ: Organ) -> Double {
        Double(labels.voxels.count { $0.organ == organ }) * labels.grid.voxelMillilitres
    }

    @Test func volumesStayInTheRangesOfAdults() throws {
        let ranges: [(Organ, ClosedRange<Double>)] = [
            (.liver, 900...3200), (.kidneyLeft, 75...320), (.spleen, 80...400), (.bladder, 30...560),
            (.lungs, 1800...6500),
        ]
        let grid = try Self.grid()
        for seed in 1...24 as ClosedRange<UInt64> {
            let phantom = StylisedPhantom(seed: seed, population: .varied)
            let labels = phantom.labels(on: grid)
            for (organ, range) in ranges where organ != phantom.missingKidney {
                #expect(range.contains(Self.millilitres(labels, organ)), "\(organ) of seed \(seed)")
            }
            let index = try #require(phantom.bodyMassIndex)
            #expect(Population.bodyMassIndexRange.contains(index))
        }
    }

    /// Mass over length squared, with water's density, from the voxels.
    @Test func buildFollowsTheBodyMassIndex() throws {
        let grid = try VoxelGrid(
            columns: 70, rows: 44, slices: 230, spacing: SIMD3(8, 8, 8), origin: SIMD3(-276, -172, -860))
        for seed in 1...10 as ClosedRange<UInt64> {
            var population = Population.varied
            population.armsDown = nil
            let phantom = StylisedPhantom(seed: seed, population: population)
            let labels = phantom.labels(on: grid)
            let litres = Double(labels.voxels.count { $0 != .air && $0.organ != .lungs }) * grid.voxelMillilitres / 1000
            let occupied = (0..<grid.slices).filter { z in
                (0..<grid.columns * grid.rows).contains { labels.voxels[z * grid.columns * grid.rows + $0] != .air }
            }
            let metres = Double(occupied.count) * 0.008
            let index = try #require(phantom.bodyMassIndex)
            // The head does not grow, and the bending adds a few percent.
            #expect(abs(litres / (metres * metres) / index - 1) < 0.2, "seed \(seed)")
        }
    }

    @Test func someHaveOneKidneyWhichIsLarger() throws {
        var population = Population.varied
        let all = (1...400 as ClosedRange<UInt64>).map { StylisedPhantom(seed: $0, population: population) }
        let single = all.count { $0.missingKidney != nil }
        // Five percent of four hundred, give or take three deviations.
        #expect((7...34).contains(single))
        #expect(Set(all.compactMap(\.missingKidney)) == [.kidneyLeft, .kidneyRight])

        population.singleKidneyShare = 1
        let grid = try VoxelGrid(
            columns: 80, rows: 50, slices: 80, spacing: SIMD3(repeating: 4), origin: SIMD3(-158, -60, 180))
        let phantom = StylisedPhantom(seed: 9, population: population)
        let missing = try #require(phantom.missingKidney)
        let other = missing == .kidneyLeft ? Organ.kidneyRight : .kidneyLeft
        let alone = phantom.labels(on: grid)
        population.singleKidneyShare = 0
        let both = StylisedPhantom(seed: 9, population: population).labels(on: grid)
        #expect(Self.millilitres(alone, missing) == 0)
        #expect(abs(Self.millilitres(alone, other) / Self.millilitres(both, other) - 1.405) < 0.05)
    }

    @Test func armsLieBesideTheBodyOrAboveTheHead() throws {
        let grid = try Self.grid()
        var population = Population.varied
        func litres(_ share: Double?) -> (beside: Double, above: Double) {
            population.armsDown = share.map { .init(petct: $0, planar: $0) }
            let labels = StylisedPhantom(seed: 3, population: population).labels(on: grid)
            let filled = labels.voxels.indices.filter { labels.voxels[$0] != .air }
            let heights = filled.map { Double($0 / (grid.columns * grid.rows)) * 8 - 300 }
            return (
                Double(heights.count { (0...600).contains($0) }) * grid.voxelMillilitres / 1000,
                Double(heights.count { $0 > 720 }) * grid.voxelMillilitres / 1000
            )
        }
        let (absent, down, up) = (litres(nil), litres(1), litres(0))
        #expect((3...9).contains(down.beside - absent.beside))
        #expect(abs(down.above - absent.above) < 0.3)
        #expect(abs(up.beside - absent.beside) < 0.5)
        #expect((2...8).contains(up.above - absent.above))
    }

    @Test func theBladderFillsAndEmptiesBetweenTheScans() throws {
        let grid = try VoxelGrid(
            columns: 50, rows: 50, slices: 50, spacing: SIMD3(repeating: 4), origin: SIMD3(-98, -140, -20))
        var changes: [Double] = []
        for seed in 1...12 as ClosedRange<UInt64> {
            let phantom = StylisedPhantom(seed: seed, population: .varied)
            let before = Self.millilitres(phantom.labels(on: grid), .bladder)
            let after = Self.millilitres(phantom.moved(millimetres: 0, seed: seed).labels(on: grid), .bladder)
            changes.append(after / before)
        }
        #expect(changes.contains { $0 > 1.2 } && changes.contains { $0 < 0.83 })
    }

    @Test func theStandardPopulationIsAsItWas() throws {
        let phantom = StylisedPhantom(seed: 2)
        #expect(phantom.arms == .absent && phantom.missingKidney == nil && phantom.bodyMassIndex == nil)
        #expect(phantom.moved(millimetres: 3, seed: 2).arms == .absent)
    }

    @Test func unseenLesionsLieInsideTheBodyAndClearOfOrgans() throws {
        let grid = try VoxelGrid(
            columns: 170, rows: 90, slices: 330, spacing: SIMD3(repeating: 3), origin: SIMD3(-253.5, -133.5, 0))
        let person = StylisedPhantom(seed: 5, population: .varied)
        let later = person.withUnseenLesions(mean: 8, seed: 5)
        let before = person.labels(on: grid)
        let after = later.labels(on: grid)
        let unseen = person.lesions.count..<later.lesions.count
        try #require(unseen.count > 3)
        for voxel in after.voxels.indices where after.voxels[voxel] != before.voxels[voxel] {
            #expect(after.voxels[voxel].lesion.map { unseen.contains($0) } ?? false)
            let organ = before.voxels[voxel].organ
            #expect(organ == .bone || organ == .remainder || organ == .lungs)
        }
        for lesion in unseen {
            let millilitres = Double(after.voxels.count { $0.lesion == lesion }) * grid.voxelMillilitres
            #expect((0.35...36).contains(millilitres))
        }
    }
}

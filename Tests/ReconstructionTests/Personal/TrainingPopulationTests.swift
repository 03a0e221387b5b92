import Anatomy
import Imaging
import Reconstruction
import Testing

struct PopulationTests {
    init() { #expect(TinyStudy.configured) }

    private let population: TrainingPopulation = {
        var settings = TrainingPopulation.Settings()
        settings.spacing = 12
        return TrainingPopulation(settings, site: .phantom)
    }()

    @Test func eachSeedIsAPersonOfItsOwn() throws {
        let (one, again, other) = try (
            population.person(seed: 7), population.person(seed: 7), population.person(seed: 8)
        )
        #expect(one.sampler.regions == again.sampler.regions)
        #expect(one.sampler.regions != other.sampler.regions)
        let first = try one.makeCase(seed: 3)
        #expect(first.truth.activity == (try again.makeCase(seed: 3).truth.activity))
        #expect(first.scan.counts == (try again.makeCase(seed: 3).scan.counts))
    }

    @Test func regionsAreDisjointAndOfHumanSize() throws {
        let person = try population.person(seed: 11)
        let grid = person.sampler.grid
        var sum = [Float](repeating: 0, count: grid.voxelCount)
        for region in person.sampler.regions {
            for voxel in sum.indices { sum[voxel] += region.coverage.voxels[voxel] }
        }
        #expect(sum.allSatisfy { $0 >= 0 && $0 <= 1.0001 })
        let liver = try #require(person.sampler.regions.first { $0.organ == .liver })
        #expect(1000...3000 ~= liver.millilitres)
        let whole = sum.reduce(0.0) { $0 + Double($1) } * grid.voxelMillilitres
        #expect(25_000...90_000 ~= whole)
        // Air on both sides, so that the blur is not cut.
        for z in 0..<grid.slices {
            let ends = [sum[grid.offset(x: 0, y: 5, z: z)], sum[grid.offset(x: grid.columns - 1, y: 5, z: z)]]
            #expect(ends == [0, 0])
        }
    }
}

/// The shortcut of the training is fair only when drawn maps are as far from the truth as solved ones.
struct InitialEstimateTests {
    init() { #expect(TinyStudy.configured) }

    @Test func drawnMapsAreAboutAsWrongAsSolvedOnes() throws {
        var settings = TrainingPopulation.Settings()
        settings.spacing = 9.6
        settings.extent = UptakeWorld.Bounds(120, 600)
        let population = TrainingPopulation(settings, site: .phantom)
        let (drawn, solved) = try (population.person(seed: 3), population.person(seed: 3, solved: true))
        var errors = (drawn: 0.0, solved: 0.0)
        for seed in UInt64(1)...3 {
            let (one, other) = try (drawn.makeCase(seed: seed), solved.makeCase(seed: seed))
            #expect(one.truth.activity == other.truth.activity && one.scan.counts == other.scan.counts)
            errors.drawn += TinyStudy.error(one.scan.initial, one.truth.activity)
            errors.solved += TinyStudy.error(other.scan.initial, other.truth.activity)
        }
        print(
            "initial estimates, relative error of three cases: drawn \(errors.drawn / 3), solved \(errors.solved / 3)")
        #expect(errors.drawn > 0.6 * errors.solved && errors.drawn < 1.7 * errors.solved)
    }
}

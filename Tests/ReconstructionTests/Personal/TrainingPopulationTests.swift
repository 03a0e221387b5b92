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

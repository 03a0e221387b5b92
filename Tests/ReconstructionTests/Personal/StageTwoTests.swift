import Imaging
import Learning
import Reconstruction
import Testing

struct StageTwoTests {
    init() { #expect(TinyStudy.configured) }

    private static func model(consistency steps: Int, after stageOne: StageOne? = nil) throws -> StageTwo {
        var settings = StageTwo.Settings(.small)
        TinyStudy.shrink(&settings.network)
        settings.precision = .float32
        settings.sampler = HeunSampler(stepCount: 4, sigmaMaximum: 3, sigmaMinimum: 0.05)
        (settings.consistencySteps, settings.anchorWeight, settings.sampleCount) = (steps, 1, 2)
        return try StageTwo(settings, after: stageOne, seed: 1)
    }

    /// `2 mean(e - n + n ln(n / e))` of the reprojection.
    static func deviance(_ map: Volume<Float>, _ scan: PlanarScan) throws -> Float {
        let expected = zip(scan.projector.forward(map.voxels), scan.scatter).map(+)
        let shape = [expected.count]
        return try TrainingLoss.poissonDeviance(
            expected: Tensor(expected, shape: shape), counts: Tensor(scan.counts, shape: shape)
        ).scalar
    }

    @Test func sameSeedSameMap() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 2).scan
        let model = try Self.model(consistency: 1)
        let map = try model.reconstruct(scan, dataset.patient, seed: 5)
        #expect(try model.reconstruct(scan, dataset.patient, seed: 5) == map)
        #expect(try model.reconstruct(scan, dataset.patient, seed: 6) != map)
        #expect(map.voxels.allSatisfy { $0.isFinite && $0 >= 0 })
    }

    /// Each sample is drawn on one thread: how many there are is no matter.
    @Test func samplesDoNotDependOnTheNumberOfThreads() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 2).scan
        let model = try Self.model(consistency: 1)
        let before = Device.threadCount
        defer { Device.threadCount = before }
        let samples = try [1, 2, 3].map { threads in
            Device.threadCount = threads
            let found = try model.estimate(scan, dataset.patient, seed: 5, sampleCount: 5).samples
            #expect(Device.threadCount == threads)
            return found
        }
        #expect(samples[0] == samples[1] && samples[0] == samples[2])
        #expect(Set(samples[0]).count == 5)
    }

    @Test func samplesArePulledTowardsTheCounts() throws {
        let dataset = try TinyStudy.dataset(.full.registered, .matched)
        let scan = try dataset.makeCase(seed: 3).scan
        func sample(consistency steps: Int) throws -> Volume<Float> {
            var map = scan.initial
            map.voxels = try Self.model(consistency: steps).estimate(scan, dataset.patient, seed: 1).samples[0]
            return map
        }
        let (free, pulled) = (try sample(consistency: 0), try sample(consistency: 4))
        #expect(try Self.deviance(pulled, scan) < 0.5 * Self.deviance(free, scan))
        // So is the map.
        func map(consistency steps: Int) throws -> Volume<Float> {
            try Self.model(consistency: steps).reconstruct(scan, dataset.patient, seed: 1)
        }
        #expect(try Self.deviance(map(consistency: 4), scan) < 0.7 * Self.deviance(map(consistency: 0), scan))
    }

    @Test func theSpreadIsThatOfTheSamples() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 2).scan
        let model = try Self.model(consistency: 0)
        let one = try model.estimate(scan, dataset.patient, seed: 5, sampleCount: 1)
        #expect(one.deviation == nil && one.mean.voxels == one.samples[0])
        let many = try model.estimate(scan, dataset.patient, seed: 5, sampleCount: 6)
        let deviation = try #require(many.deviation)
        #expect(many.samples.count == 6)
        #expect(zip(deviation.voxels, dataset.patient.body.voxels).contains { $0 > 0 && $1 > 0 })
        // An untrained network denoises to nothing but noise of the assumed deviation: 0.4 in the logarithm.
        let voxel = dataset.patient.grid.offset(x: 12, y: 7, z: 12)
        #expect(deviation.voxels[voxel] < 3 * many.mean.voxels[voxel])
    }

    /// The map is the mean of samples, and changes less from seed to seed than a mean over a few.
    @Test(arguments: [0, 2]) func theMeanIsKnownBetterThanFromItsSamples(steps: Int) throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 2).scan
        let model = try Self.model(consistency: steps)
        let found = try [5, 6].map { try model.estimate(scan, dataset.patient, seed: $0, sampleCount: 8) }
        let averages = found.map { found in
            found.mean.voxels.indices.map { voxel in
                found.samples.reduce(0) { $0 + $1[voxel] } / Float(found.samples.count)
            }
        }
        func difference(_ maps: [[Float]]) -> Float { zip(maps[0], maps[1]).reduce(0) { $0 + abs($1.0 - $1.1) } }
        #expect(difference(found.map(\.mean.voxels)) < 0.6 * difference(averages))
        let (mean, average) = (found[0].mean.voxels.reduce(0, +), averages[0].reduce(0, +))
        // Samples are pulled at every step, the map once.
        #expect(abs(mean / average - 1) < (steps == 0 ? 0.03 : 0.06), "\(mean) \(average)")
    }

    @Test func learnsTheResidualOfACase() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        let model = try Self.model(consistency: 0)
        let trainer = try Trainer(
            model.module, settings: .init(schedule: CosineSchedule(peak: 4e-3, warmUpSteps: 5, stepCount: 400)), seed: 1
        )
        var losses: [Float] = []
        for _ in 0..<400 {
            var generator = trainer.nextGenerator
            losses.append(try trainer.descend(model.loss(training, dataset.patient, using: &generator)).loss)
        }
        let (early, late) = (losses.prefix(20).reduce(0, +), losses.suffix(20).reduce(0, +))
        #expect(late < 0.75 * early)
        let learnt = try model.validationError(training, dataset.patient, seed: 1)
        let untrained = try Self.model(consistency: 0).validationError(training, dataset.patient, seed: 1)
        #expect(abs(untrained.found - 1) < 1e-3 && learnt.initial == 1)
        #expect(learnt.found < 0.8, "\(learnt.found)")
        // What it draws is nearer to the truth than what it began with.
        let found = try model.estimate(training.scan, dataset.patient, seed: 1, sampleCount: 6).mean
        let before = TinyStudy.error(training.scan.initial, training.truth.activity)
        let after = TinyStudy.error(found, training.truth.activity)
        #expect(after < 0.9 * before, "\(after) of \(before)")
    }

    @Test func standsOnStageOne() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        let stageOne = try TinyStudy.stageOne()
        // Untrained, Stage 1 returns Stage 0's map: the two bases are the same to rounding.
        var first = StepGenerator(seed: 1)
        var second = StepGenerator(seed: 1)
        let without = try Self.model(consistency: 0).loss(training, dataset.patient, using: &first).scalar
        let with = try Self.model(consistency: 0, after: stageOne).loss(training, dataset.patient, using: &second)
            .scalar
        #expect(abs(with - without) < 1e-4 * without)
    }
}

import Glibc
import Imaging
import Learning
import Reconstruction
import Testing

/// What becomes of Stage 0's organs when a network changes the map.
@Suite(.serialized) struct OrganBalanceTests {
    private static let patient = Result { try EvaluationCase(.evaluated(seed: 1020, suite: .hard)) }

    init() { #expect(TinyStudy.configured) }

    /// Stage 1 whose last layer is not zero any more: it changes every voxel, all of them upwards in the mean.
    private static func changed() throws -> StageOne {
        let model = try TinyStudy.stageOne()
        var stored = try model.module.stored()
        let weights = try #require(stored["head.weight"]?.floats())
        let shape = try #require(stored["head.weight"]?.shape)
        var generator = SeededGenerator(seed: 3, purpose: "test")
        stored["head.weight"] = StoredTensor(
            floats: weights.map { _ in Float(generator.normal()) * 0.02 }, shape: shape)
        let bias = try #require(stored["head.bias"]?.floats())
        stored["head.bias"] = StoredTensor(
            floats: bias.indices.map { $0 < bias.count / 2 ? 0.3 : 0 }, shape: [bias.count])
        try model.module.load(stored)
        return model
    }

    /// By how much a region's sum differs from Stage 0's, in percent, at most.
    private static func largestChange(_ refined: NetworkStudy.Refinement, _ study: NetworkStudy) throws -> Double {
        let balance = OrganBalance(study.initial, regions: try patient.get().anatomy.regions)
        let changes = balance.changePercent(refined.estimate.activity.voxels)
        return try ["liver", "spleen", "kidney_left", "kidney_right", "remainder"].map { try #require(changes[$0]) }
            .map(abs).max() ?? 100
    }

    @Test func aNetworkSharesOutWhatStageZeroFound() throws {
        let study = try Self.patient.get().networkStudy()
        let refined = try study.estimate(Self.changed(), seed: 1)
        #expect(refined.estimate.organs == study.initial.organs)
        let (before, after) = (study.initial.activity.voxels, refined.estimate.activity.voxels)
        let change = zip(before, after).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
        #expect(change > 0.02 * before.reduce(0) { $0 + Double($1) })
        for organ in ["liver", "spleen", "kidney_left", "kidney_right", "remainder"] {
            #expect(try #require(refined.organChangePercent[organ]) > 15, "\(organ)")
        }
        // The sums are Stage 0's again; what the network adds where no region lies is its own.
        #expect(try Self.largestChange(refined, study) < 1)
        let whole = (before.reduce(0) { $0 + Double($1) }, after.reduce(0) { $0 + Double($1) })
        #expect(abs(whole.1 / whole.0 - 1) < 0.08)
        #expect(refined.organSpreadPercent.isEmpty && refined.estimate.deviation == nil)
        // The views are the new map's.
        #expect(refined.estimate.views.map(\.expected) != study.initial.views.map(\.expected))
    }

    /// Samples and the mean that they scatter about have Stage 0's sums alike, and their spread is said before that.
    @Test func samplesShareOutTheSameSums() throws {
        let study = try Self.patient.get().networkStudy()
        var settings = StageTwo.Settings(.small)
        TinyStudy.shrink(&settings.network)
        (settings.precision, settings.sampleCount) = (.float32, 3)
        settings.sampler = HeunSampler(stepCount: 3, sigmaMaximum: 3, sigmaMinimum: 0.05)
        let refined = try study.estimate(StageTwo(settings, after: nil, seed: 1), seed: 1)
        #expect(refined.estimate.organs == study.initial.organs)
        let deviation = try #require(refined.estimate.deviation)
        #expect(deviation.voxels.contains { $0 > 0 })
        #expect(try Self.largestChange(refined, study) < 1)
        // What is uncertain of an organ's sum is uncertain of its voxels, with the spread of the samples.
        let regions = try Self.patient.get().anatomy.regions
        let liver = try #require(regions.first { $0.name == "liver" })
        let percent = try #require(study.initial.organs.first { $0.name == "liver" }).deviationPercent
        let within = liver.coverage.voxels.indices.filter { liver.coverage.voxels[$0] > 0.999 }
        let whole = refined.estimate.standardDeviation(over: regions)
        #expect(within.count > 1000)
        for voxel in within {
            let own = Float(percent / 100) * refined.estimate.activity.voxels[voxel]
            let expected = (own * own + deviation.voxels[voxel] * deviation.voxels[voxel]).squareRoot()
            #expect(abs(whole.voxels[voxel] - expected) <= 1e-3 * expected)
        }
        #expect(try #require(refined.organSpreadPercent["liver"]) > 0)
        let (before, after) = (study.initial.activity.voxels, refined.estimate.activity.voxels)
        #expect(before != after)
        let sums = (before.reduce(0) { $0 + Double($1) }, after.reduce(0) { $0 + Double($1) })
        #expect(abs(sums.1 / sums.0 - 1) < 0.08)
    }

    @Test func aRivalBringsItsOwnSums() throws {
        let study = try Self.patient.get().networkStudy()
        var settings = PaperUNet.Settings(.small)
        TinyStudy.shrink(&settings.network)
        let model = try PaperUNet(settings, seed: 1)
        let refined = try study.estimate(model, seed: 1)
        // An untrained one spreads the liver over the whole depth, and nobody fills it up with what Stage 0 knows.
        #expect(try #require(refined.organChangePercent["liver"]) < -20)
        let found = try model.reconstruct(study.scan, study.patient, seed: 1)
        #expect(refined.estimate.activity == found)
    }
}

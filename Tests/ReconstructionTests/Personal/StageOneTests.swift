import Imaging
import Learning
import Reconstruction
import Testing

struct StageOneTests {
    init() { #expect(TinyStudy.configured) }

    @Test func untrainedItReturnsStageZero() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 4)
        let found = try TinyStudy.stageOne().reconstruct(training.scan, dataset.patient, seed: 1)
        let initial = training.scan.initial
        // Divided and multiplied by the unit in single precision.
        #expect(zip(found.voxels, initial.voxels).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
        #expect(initial.voxels.contains { $0 > 0 })
    }

    /// What Stage 0 found to be even stays as it is, whatever the network has learnt of uneven patients.
    @Test func changesAsMuchAsUptakeIsUneven() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        let model = try TinyStudy.stageOne()
        let schedule = CosineSchedule(peak: 4e-3, warmUpSteps: 2, stepCount: 20)
        let trainer = try Trainer(model.module, settings: .init(schedule: schedule), seed: 1)
        for _ in 0..<20 {
            var generator = trainer.nextGenerator
            _ = try trainer.descend(model.loss(training, dataset.patient, using: &generator))
        }
        let initial = training.scan.initial
        func change(_ unevenness: Float) throws -> Double {
            let scan = PlanarScan(
                projector: training.scan.projector, counts: training.scan.counts, scatter: training.scan.scatter,
                initial: initial, unevenness: unevenness)
            return TinyStudy.error(try model.reconstruct(scan, dataset.patient, seed: 1), initial)
        }
        let most = try change(0.35)
        #expect(most > 0.01)
        #expect(try change(0) < 1e-6)
        let half = try change(0.175)
        #expect(half > 0.3 * most && half < 0.7 * most, "\(half) of \(most)")
    }

    @Test func learnsTwoCasesByHeart() throws {
        let dataset = try TinyStudy.dataset()
        let cases = [try dataset.makeCase(seed: 1), try dataset.makeCase(seed: 2)]
        let model = try TinyStudy.stageOne()
        let schedule = CosineSchedule(peak: 4e-3, warmUpSteps: 5, stepCount: 320)
        let trainer = try Trainer(model.module, settings: .init(schedule: schedule), seed: 1)
        var losses: [Float] = []
        for step in 0..<320 {
            var generator = trainer.nextGenerator
            losses.append(try trainer.descend(model.loss(cases[step % 2], dataset.patient, using: &generator)).loss)
        }
        #expect((losses.last ?? 1) < 0.6 * losses[0])
        for training in cases {
            let found = try model.reconstruct(training.scan, dataset.patient, seed: 1)
            let before = TinyStudy.error(training.scan.initial, training.truth.activity)
            let after = TinyStudy.error(found, training.truth.activity)
            #expect(after < 0.75 * before, "\(before) became \(after)")
        }
    }
}

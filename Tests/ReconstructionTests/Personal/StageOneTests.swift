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

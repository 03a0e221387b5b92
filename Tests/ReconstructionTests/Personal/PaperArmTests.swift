import Imaging
import Learning
import Reconstruction
import Testing

/// The two rivals learn what they can, so that beating them means something.
struct PaperArmTests {
    init() { #expect(TinyStudy.configured) }

    private func train(
        _ model: any TrainableModel, _ cases: [TrainingCase], _ patient: PatientChannels, steps: Int, rate: Double
    ) throws -> [Float] {
        let schedule = CosineSchedule(peak: rate, warmUpSteps: 5, stepCount: steps)
        let trainer = try Trainer(model.module, settings: .init(schedule: schedule), seed: 1)
        return try (0..<steps).map { step in
            var generator = trainer.nextGenerator
            return try trainer.descend(
                model.loss(cases[step % cases.count], patient, using: &generator)
            ).loss
        }
    }

    /// bfloat16 takes a hundred times as long as float32 on processors that have no products for it.
    @Test func everyNetworkComputesInBFloat16OnlyWhereItIsFast() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        var unet = StageOne.Settings(.small)
        var diffusion = StageTwo.Settings(.small)
        var rivalUNet = PaperUNet.Settings(.small)
        var rivalDiffusion = PaperDiffusion.Settings(.small)
        TinyStudy.shrink(&unet.network)
        TinyStudy.shrink(&diffusion.network)
        TinyStudy.shrink(&rivalUNet.network)
        TinyStudy.shrink(&rivalDiffusion.network)
        func lastLosses(_ type: DataType) throws -> [Float] {
            (unet.precision, diffusion.precision) = (type, type)
            (rivalUNet.precision, rivalDiffusion.precision) = (type, type)
            let models: [any TrainableModel] = try [
                StageOne(unet, seed: 1), StageTwo(diffusion, after: nil, seed: 1), PaperUNet(rivalUNet, seed: 1),
                PaperDiffusion(rivalDiffusion, seed: 1),
            ]
            return try models.map { try #require(train($0, [training], dataset.patient, steps: 7, rate: 1e-3).last) }
        }
        for (exact, asked) in zip(try lastLosses(.float32), try lastLosses(.bfloat16)) {
            #expect((asked != exact) == Device.cpu.multipliesBFloat16)
            #expect(abs(asked - exact) < 0.05 * abs(exact))
        }
    }

    @Test func untrainedTheSupervisedArmGivesBothImagesAtEveryDepth() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 1).scan
        var settings = PaperUNet.Settings(.small)
        TinyStudy.shrink(&settings.network)
        let found = try PaperUNet(settings, seed: 1).reconstruct(scan, dataset.patient, seed: 1)
        let (grid, body) = (dataset.patient.grid, dataset.patient.body)
        var columns: [Float] = []
        for z in 0..<grid.slices {
            for x in 0..<grid.columns {
                let inside = (0..<grid.rows).filter { body[x, $0, z] > 0 }.map { found[x, $0, z] / body[x, $0, z] }
                guard let least = inside.min(), let most = inside.max() else { continue }
                #expect(least > 0 && most < 1.001 * least)
                columns.append(most)
            }
        }
        let mean = columns.reduce(0, +) / Float(columns.count)
        // What the images show stands out before anything is learnt.
        #expect((columns.max() ?? 0) > 3 * mean && (columns.min() ?? mean) < mean / 2)
    }

    @Test func theSupervisedArmLearnsTwoCasesByHeart() throws {
        let dataset = try TinyStudy.dataset()
        let cases = [try dataset.makeCase(seed: 1), try dataset.makeCase(seed: 2)]
        var settings = PaperUNet.Settings(.small)
        TinyStudy.shrink(&settings.network)
        settings.precision = .float32
        let model = try PaperUNet(settings, seed: 1)
        let losses = try train(model, cases, dataset.patient, steps: 300, rate: 5e-3)
        #expect((losses.last ?? 1) < 0.5 * losses[0])
        for training in cases {
            let found = try model.reconstruct(training.scan, dataset.patient, seed: 1)
            #expect(TinyStudy.error(found, training.truth.activity) < 0.5)
        }
    }

    @Test func theGenerativeArmDrawsMapsThatFitTheCounts() throws {
        let dataset = try TinyStudy.dataset(.narrow.registered, .matched)
        let training = try dataset.makeCase(seed: 1)
        func model(consistency steps: Int) throws -> PaperDiffusion {
            var settings = PaperDiffusion.Settings(.small)
            TinyStudy.shrink(&settings.network)
            settings.precision = .float32
            settings.sampler = HeunSampler(stepCount: 5, sigmaMaximum: 5, sigmaMinimum: 0.05)
            (settings.consistencySteps, settings.sampleCount) = (steps, 1)
            return try PaperDiffusion(settings, seed: 1)
        }
        let untrained = try model(consistency: 0)
        let pulled = try model(consistency: 6)
        let free = try untrained.reconstruct(training.scan, dataset.patient, seed: 1)
        let found = try pulled.reconstruct(training.scan, dataset.patient, seed: 1)
        #expect(try pulled.reconstruct(training.scan, dataset.patient, seed: 1) == found)
        let (near, far) = try (
            StageTwoTests.deviance(found, training.scan), StageTwoTests.deviance(free, training.scan)
        )
        #expect(near < 0.5 * far)
        // The same noise before and after.
        func loss() throws -> Float {
            try (0..<12).reduce(0) { sum, index in
                var generator = StepGenerator(seed: 99, step: index)
                return try sum + pulled.loss(training, dataset.patient, using: &generator).scalar
            }
        }
        let before = try loss()
        #expect(abs(try pulled.validationError(training, dataset.patient, seed: 3).found - 1) < 1e-4)
        _ = try train(pulled, [training], dataset.patient, steps: 300, rate: 4e-3)
        let after = try loss()
        #expect(after < 0.85 * before)
        #expect(try pulled.validationError(training, dataset.patient, seed: 3).found < 0.9)
        let learnt = try pulled.reconstruct(training.scan, dataset.patient, seed: 1)
        let errors = [found, learnt].map { TinyStudy.error($0, training.truth.activity) }
        #expect(errors[1] < 0.95 * errors[0])
    }
}

import Imaging
import Learning
import Reconstruction
import Testing

struct SliceWindowTests {
    init() { #expect(TinyStudy.configured) }

    private static func model(window: Int) throws -> StageOne {
        var settings = StageOne.Settings(.small)
        TinyStudy.shrink(&settings.network)
        settings.precision = .float32
        settings.windowSlices = window
        return try StageOne(settings, seed: 1)
    }

    /// An untrained network adds nothing in any piece, so that the pieces must join to Stage 0's map.
    @Test(arguments: [8, 12, 16, 24])
    func piecesJoinToTheWhole(window: Int) throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 4).scan
        let found = try Self.model(window: window).reconstruct(scan, dataset.patient, seed: 1)
        #expect(zip(found.voxels, scan.initial.voxels).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
    }

    @Test func aTrainedNetworkIsSmoothAcrossPieces() throws {
        let dataset = try TinyStudy.dataset()
        let training = try dataset.makeCase(seed: 1)
        let model = try Self.model(window: 16)
        let schedule = CosineSchedule(peak: 4e-3, warmUpSteps: 5, stepCount: 120)
        let trainer = try Trainer(model.module, settings: .init(schedule: schedule), seed: 1)
        for _ in 0..<120 {
            var generator = trainer.nextGenerator
            _ = try trainer.descend(model.loss(training, dataset.patient, using: &generator))
        }
        let found = try model.reconstruct(training.scan, dataset.patient, seed: 1)
        let before = TinyStudy.error(training.scan.initial, training.truth.activity)
        #expect(TinyStudy.error(found, training.truth.activity) < 0.75 * before)
    }
}

import Imaging
import Learning
import Reconstruction
import Synchronization
import Testing

struct ModelTrainingTests {
    init() { #expect(TinyStudy.configured) }

    private static func plan(_ steps: Int, rate: Double = 2e-3) -> ModelTraining.Plan {
        var plan = ModelTraining.Plan()
        (plan.stepCount, plan.learningRate, plan.warmUpSteps) = (steps, rate, 2)
        (plan.validationInterval, plan.validationCaseCount, plan.averageDecay) = (3, 2, 0.9)
        return plan
    }

    private static func training(
        _ model: StageOne, _ dataset: PersonalDataset, _ plan: ModelTraining.Plan, from state: TrainingState? = nil
    ) throws -> ModelTraining {
        let source: CaseSource = { (_, seed) throws(ReconstructionError) in try dataset.draw(seed: seed) }
        return try ModelTraining(model, plan: plan, resuming: state, heldBack: source, source: source)
    }

    private static func bytes(interruptedAt interruption: Int?) throws -> [UInt8] {
        let dataset = try TinyStudy.dataset()
        var training = try training(TinyStudy.stageOne(), dataset, plan(8))
        while !training.isFinished {
            if training.step == interruption {
                let bytes = try training.state(metadata: ["recipe": "test"]).file.encoded()
                // Another start: everything must come from the bytes.
                let state = try TrainingState(Safetensors(decoding: bytes))
                #expect(state.metadata["recipe"] == "test")
                training = try Self.training(TinyStudy.stageOne(seed: 77), dataset, plan(8), from: state)
            }
            _ = try training.advance()
        }
        return try training.state().file.encoded()
    }

    /// Two are made at a time, the one that is asked for and another.
    @Test func everyCaseIsMadeOnceAndFailsOnlyWhenItIsDrawn() throws {
        let dataset = try TinyStudy.dataset()
        var plan = Self.plan(6)
        (plan.pool.first, plan.pool.stepsPerCase, plan.validationCaseCount) = (2, 100, 3)
        let made = Mutex<[Int: Int]>([:])
        let heldBackNumbers = Mutex<Set<Int>>([])
        func source(failing: Int?) -> CaseSource {
            { (number, seed) throws(ReconstructionError) in
                made.withLock { $0[number, default: 0] += 1 }
                if number == failing { throw .noOverlap }
                return try dataset.draw(seed: seed)
            }
        }
        let heldBack: CaseSource = { (number, seed) throws(ReconstructionError) in
            heldBackNumbers.withLock { _ = $0.insert(number) }
            return try dataset.draw(seed: seed)
        }
        let training = try ModelTraining(
            TinyStudy.stageOne(), plan: plan, heldBack: heldBack, source: source(failing: nil))
        #expect(heldBackNumbers.withLock { $0 } == [0, 1, 2])
        _ = try training.advance()
        // Both that a step may draw, though one was drawn.
        #expect(made.withLock { $0 } == [0: 1, 1: 1])
        while !training.isFinished { _ = try training.advance() }
        #expect(made.withLock { $0 } == [0: 1, 1: 1])

        #expect(throws: ReconstructionError.noOverlap) {
            try ModelTraining(TinyStudy.stageOne(), plan: plan, heldBack: source(failing: 1), source: heldBack)
        }
        // Whichever of the two fails, a step that draws the other goes on; it is not tried again.
        var ends: [Int] = []
        for failing in 0..<2 {
            made.withLock { $0 = [:] }
            let stopped = try ModelTraining(
                TinyStudy.stageOne(), plan: plan, heldBack: heldBack, source: source(failing: failing))
            #expect(throws: ReconstructionError.noOverlap) { while !stopped.isFinished { _ = try stopped.advance() } }
            #expect(made.withLock { $0 } == [0: 1, 1: 1])
            ends.append(stopped.step)
        }
        #expect(ends.min() == 0 && ends.max() ?? 0 > 0)
    }

    @Test func resumesAsIfNeverInterrupted() throws {
        let whole = try Self.bytes(interruptedAt: nil)
        #expect(try Self.bytes(interruptedAt: 4) == whole)
        #expect(try Self.bytes(interruptedAt: 6) == whole)
    }

    @Test func improvesHeldBackCases() throws {
        let dataset = try TinyStudy.dataset()
        let model = try TinyStudy.stageOne()
        var plan = Self.plan(90)
        (plan.validationInterval, plan.patience) = (15, 100)
        let training = try Self.training(model, dataset, plan)
        var reports: [ModelTraining.StepReport] = []
        while !training.isFinished { reports.append(try training.advance()) }
        #expect(reports.map(\.step) == Array(1...90))
        #expect(reports.filter { $0.validation != nil }.count == 6 && training.validations.count == 7)
        let start = training.validations[0]
        #expect(start.step == 0 && abs(start.error / start.initialError - 1) < 1e-5)
        #expect(training.hasImproved)
        let gain = 1 - training.bestValidation.error / start.error
        #expect(gain > 0.02)
        // Less than a training is asked for is chance: it gives back what it began with, and counts on for its patience.
        var demanding = plan
        demanding.leastGain = 1.01 * gain
        let again = try TinyStudy.stageOne()
        let began = try again.module.stored()
        let refused = try Self.training(again, dataset, demanding)
        while !refused.isFinished { _ = try refused.advance() }
        #expect(refused.validations == training.validations && !refused.hasImproved)
        #expect(refused.bestValidation == refused.validations[0])
        try refused.finish()
        #expect(try again.module.stored() == began)
        demanding.leastGain = 0.99 * gain
        #expect(
            demanding.kept(of: training.validations) == training.bestValidation)
    }

    @Test func endsWhenNothingImprovesAndGivesBackTheStart() throws {
        let dataset = try TinyStudy.dataset()
        let model = try TinyStudy.stageOne()
        var plan = Self.plan(200, rate: 3)
        (plan.validationInterval, plan.patience, plan.averageDecay) = (1, 3, 0.1)
        let began = try model.module.stored()
        let training = try Self.training(model, dataset, plan)
        while !training.isFinished { _ = try training.advance() }
        #expect(training.step == 3 && !training.hasImproved)
        try training.finish()
        #expect(try model.module.stored() == began)
        let held = try dataset.makeCase(seed: 9)
        let found = try model.reconstruct(held.scan, dataset.patient, seed: 1)
        #expect(
            TinyStudy.error(found, held.truth.activity) < 1.2 * TinyStudy.error(held.scan.initial, held.truth.activity))
    }

    @Test func refusesAStateOfAnotherTraining() throws {
        let dataset = try TinyStudy.dataset()
        let training = try Self.training(TinyStudy.stageOne(), dataset, Self.plan(4))
        var state = try training.state()
        state.metadata["validation.x"] = "1 2"
        #expect(throws: ReconstructionError.learning(.metadataInvalid(key: "validation.x"))) {
            try Self.training(TinyStudy.stageOne(), dataset, Self.plan(4), from: state)
        }
        state = try training.state()
        state.seed = 5
        #expect(throws: ReconstructionError.learning(.metadataInvalid(key: "seed"))) {
            try Self.training(TinyStudy.stageOne(), dataset, Self.plan(4), from: state)
        }
    }
}

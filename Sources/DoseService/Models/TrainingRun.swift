import Foundation
import Learning
import Reconstruction

/// How far a training is, for people and machines.
public struct TrainingProgress: Codable, Sendable {
    public let step, stepCount: Int
    /// Mean of the steps since the last line.
    public let loss: Double
    public let secondsPerStep, secondsLeft: Double
    /// Error of the held-back cases, when they have just been looked at, beside that of the maps it starts from and the
    /// best so far.
    public let error, initialError, bestError: Double?

    /// One line.
    public var json: String { JSONText.encode(self) }
}

/// A training with its files: a checkpoint that outlives a kill, and the model at the end.
///
/// The checkpoint lies beside the model as `MODEL.training` and is gone when the model is written.
struct TrainingRun {
    let recipe: ModelRecipe
    let record: TrainingRecord
    /// The file that it begins with: the start of the network, and the parts that are passed on.
    let base: ModelFile
    let outputPath: String
    /// A kill loses no more work than this.
    let checkpointSeconds: Double
    /// Rewarded steps on a trained network, kept only when the held-back cases improve.
    var isReinforcement = false
    /// Begins anew where the checkpoint is another training's, instead of refusing.
    var replacesOtherCheckpoints = false
    let heldBack, source: CaseSource

    private static let reportSteps = 10

    private var checkpointPath: String { "\(outputPath).training" }

    /// - Throws: ``StudyProblem``; the checkpoint stays for the next attempt.
    func perform(report: (TrainingProgress) -> Void) throws(StudyProblem) -> ModelFile {
        let model = try recipe.make(seed: record.plan.seed, base: base)
        do {
            if let start = base[recipe.kind] { try model.module.load(start.parameters) }
            let training = try ModelTraining(
                isReinforcement ? Reinforcement(model) ?? model : model, plan: record.plan,
                resuming: try checkpoint(), heldBack: heldBack, source: source)
            try run(training, report: report)
            try training.finish()
            let file = try finished(training, model)
            try DurableFile.write(file.encoded(), to: outputPath)
            try? FileManager.default.removeItem(atPath: checkpointPath)
            return file
        } catch let error as ReconstructionError {
            throw StudyProblem(error)
        } catch let problem as StudyProblem {
            throw problem
        } catch is LearningError { throw .refused(code: "model-unreadable") } catch {
            throw .failed(code: "output-not-written")
        }
    }

    private func run(_ training: ModelTraining, report: (TrainingProgress) -> Void) throws {
        let clock = ContinuousClock()
        var saved = clock.now
        var since = clock.now
        var losses: [Float] = []
        while !training.isFinished {
            let step = try training.advance()
            losses.append(step.loss)
            if losses.count >= Self.reportSteps || step.validation != nil || training.isFinished {
                let seconds = (clock.now - since).inSeconds / Double(losses.count)
                let validation = step.validation
                report(
                    TrainingProgress(
                        step: step.step, stepCount: training.plan.stepCount,
                        loss: Double(losses.reduce(0, +)) / Double(losses.count), secondsPerStep: seconds,
                        secondsLeft: seconds * Double(training.plan.stepCount - step.step), error: validation?.error,
                        initialError: validation?.initialError,
                        bestError: validation == nil ? nil : training.bestValidation.error))
                (since, losses) = (clock.now, [])
            }
            if (clock.now - saved).inSeconds > checkpointSeconds {
                let state = try training.state(metadata: ["recipe": fingerprint])
                try DurableFile.write(state.file.encoded(), to: checkpointPath)
                saved = clock.now
            }
        }
    }

    /// Everything that decides the numbers of a training.
    private var fingerprint: String {
        var decisive = record
        // Another build goes on with the training of this one.
        decisive.commit = ""
        var text = recipe.kind.rawValue + (isReinforcement ? " reinforced" : "")
        // The same network elsewhere gives other numbers.
        if !Device.best.multipliesBFloat16 { text += " \(DataType.float32.rawValue)" }
        return Digest.hex(of: Array((text + recipe.settings + JSONText.encode(decisive)).utf8))
    }

    private func checkpoint() throws(StudyProblem) -> TrainingState? {
        guard let data = FileManager.default.contents(atPath: checkpointPath) else { return nil }
        let state: TrainingState
        do { state = try TrainingState(Safetensors(decoding: Array(data))) } catch {
            if replacesOtherCheckpoints { return nil }
            throw .refused(code: "checkpoint-unreadable")
        }
        guard state.metadata["recipe"] == fingerprint else {
            if replacesOtherCheckpoints { return nil }
            throw .needsInput(code: "checkpoint-of-another-recipe", fields: ["out"])
        }
        return state
    }

    private func finished(_ training: ModelTraining, _ model: any TrainableModel) throws -> ModelFile {
        var file = base
        var record = record
        if isReinforcement, let trained = base[recipe.kind]?.record {
            let plan = record.plan
            record = trained
            record.reinforcement = TrainingRecord.Reinforced(
                plan: plan, validations: training.validations, isKept: training.hasImproved)
        } else {
            record.validations = training.validations
            record.hasImproved = training.hasImproved
        }
        // Half precision halves the file; its error is a thousandth of what a step changes.
        file[recipe.kind] = ModelFile.Part(
            settings: recipe.settings, record: record, parameters: try model.module.stored(as: .float16))
        return file
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

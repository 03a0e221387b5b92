import Anatomy
import Foundation
import Learning
public import Reconstruction

/// A network in an evaluation: which one, and on whom it was trained.
public struct NetworkMethod: Hashable, Sendable {
    public let kind: ModelFile.Kind
    public let trainedOn: Training

    /// On whom a network was trained.
    public enum Training: String, CaseIterable, Sendable {
        case population = ""
        /// Each patient of the evaluation, from the population's model on.
        case patient = "-personal"
        /// And rewarded after that.
        case reinforced = "-reinforced"
    }

    public var name: String { kind.rawValue + trainedOn.rawValue }

    public init?(name: String) {
        for kind in ModelFile.Kind.allCases {
            for training in Training.allCases where name == kind.rawValue + training.rawValue {
                (self.kind, trainedOn) = (kind, training)
                return
            }
        }
        return nil
    }
}

/// The networks of an evaluation, and how they are trained on its patients.
public struct EvaluatedNetworks: Sendable {
    public var methods: [NetworkMethod]
    /// Of the population.
    public var model: ModelFile
    /// How a patient's own model is trained.
    public var plan: ModelTraining.Plan
    public var reinforcementSteps = 40
    /// Where the patients' models are kept: an evaluation that was killed goes on with them.
    public var folder: String
    public var threads = ProcessInfo.processInfo.activeProcessorCount

    public init(
        methods: [NetworkMethod], model: ModelFile, plan: ModelTraining.Plan, folder: String
    ) {
        (self.methods, self.model, self.plan) = (methods, model, plan)
        self.folder = folder
    }

    /// - Throws: ``StudyProblem`` with `model-part-missing` for a method that the file has no network of.
    func require() throws(StudyProblem) {
        for method in methods where model[method.kind] == nil {
            throw .needsInput(code: "model-part-missing", fields: [method.kind.rawValue])
        }
    }

    func trained(
        _ method: NetworkMethod, for evaluated: EvaluationCase, report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> any TrainableModel {
        switch method.trainedOn {
        case .population: try model.model(method.kind)
        case .patient: try personal(method.kind, evaluated, report).model(method.kind)
        case .reinforced: try reinforced(method.kind, evaluated, report).model(method.kind)
        }
    }

    /// The patient's own file; Stage 2 stands on the patient's Stage 1.
    private func personal(
        _ kind: ModelFile.Kind, _ evaluated: EvaluationCase, _ report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> ModelFile {
        let base = kind == .diffusion && model[.unet] != nil ? try personal(.unet, evaluated, report) : model
        return try train(request(kind, evaluated, .patient), base, evaluated, report)
    }

    private func reinforced(
        _ kind: ModelFile.Kind, _ evaluated: EvaluationCase, _ report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> ModelFile {
        _ = try personal(kind, evaluated, report)
        var request = request(kind, evaluated, .reinforced)
        request.reinforcementSteps = reinforcementSteps
        // The training before is taken over as it is.
        let path = request.outputPath
        if !FileManager.default.fileExists(atPath: path) {
            let trained = self.request(kind, evaluated, .patient).outputPath
            do { try FileManager.default.copyItem(atPath: trained, toPath: path) } catch {
                throw .failed(code: "output-not-written")
            }
        }
        let base = kind == .diffusion && model[.unet] != nil ? try personal(.unet, evaluated, report) : model
        return try train(request, base, evaluated, report)
    }

    private func request(
        _ kind: ModelFile.Kind, _ evaluated: EvaluationCase, _ training: NetworkMethod.Training
    ) -> TrainingRequest {
        let seed = evaluated.patient.recipe.seed
        let name = "\(kind.rawValue)\(training.rawValue)-\(seed).safetensors"
        var request = TrainingRequest(kind: kind, preset: "", outputPath: "\(folder)/\(name)")
        (request.plan, request.learningRate, request.threads) = (plan, plan.learningRate, threads)
        request.plan.seed = seed
        return request
    }

    private func train(
        _ request: TrainingRequest, _ base: ModelFile, _ evaluated: EvaluationCase,
        _ report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> ModelFile {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw .failed(code: "output-not-written")
        }
        let recipe = evaluated.patient.recipe
        // All methods are trained on the same possible maps of a patient: Stage 0 solves them once.
        let kept = KeptCases(
            folder: "\(folder)/cases",
            recipe: "\(recipe.seed) \(evaluated.isNarrow) \(AnatomyDigest.hex(of: evaluated.anatomy))")
        return try Personalisation(request).train(
            evaluated.anatomy, site: recipe.site, from: base, isNarrow: evaluated.isNarrow, kept: kept, report: report)
    }
}

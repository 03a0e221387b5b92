import Anatomy
import Foundation
import Learning
public import Reconstruction

/// A network in an evaluation: which one, and on whom it was trained.
public struct NetworkMethod: Hashable, Sendable {
    public let kind: ModelFile.Kind
    /// Trained on each patient of the evaluation, from the population's model on; otherwise the population's model itself.
    public let isPersonal: Bool

    public var name: String { isPersonal ? "\(kind.rawValue)\(Self.suffix)" : kind.rawValue }

    private static let suffix = "-personal"

    public init?(name: String) {
        isPersonal = name.hasSuffix(Self.suffix)
        guard let kind = ModelFile.Kind(rawValue: isPersonal ? String(name.dropLast(Self.suffix.count)) : name) else {
            return nil
        }
        self.kind = kind
    }
}

/// The networks of an evaluation, and how they are trained on its patients.
public struct EvaluatedNetworks: Sendable {
    public var methods: [NetworkMethod]
    /// Of the population.
    public var model: ModelFile
    /// How a patient's own model is trained.
    public var plan: ModelTraining.Plan
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
        guard method.isPersonal else { return try model.model(method.kind) }
        return try personal(method.kind, evaluated, report).model(method.kind)
    }

    /// The patient's own file; Stage 2 stands on the patient's Stage 1.
    private func personal(
        _ kind: ModelFile.Kind, _ evaluated: EvaluationCase, _ report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> ModelFile {
        let recipe = evaluated.patient.recipe
        let path = "\(folder)/\(kind.rawValue)-\(recipe.seed).safetensors"
        if FileManager.default.fileExists(atPath: path) { return try ModelFile(path: path) }
        let base = kind == .diffusion && model[.unet] != nil ? try personal(.unet, evaluated, report) : model
        var request = TrainingRequest(kind: kind, preset: "", outputPath: path)
        (request.plan, request.threads) = (plan, threads)
        request.plan.seed = recipe.seed
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw .failed(code: "output-not-written")
        }
        let training = Personalisation(request)
        return try training.train(
            evaluated.anatomy, site: recipe.site, from: base, isNarrow: evaluated.isNarrow, report: report)
    }
}

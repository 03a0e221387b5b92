/// What a site wants of networks.
public struct NetworkPolicy: Codable, Equatable, Sendable {
    /// How planar scans are reconstructed; Stage 0 needs no model.
    public var method = ReconstructionMethod.stage0
    /// Whether a patient gets a model of his own as soon as PET and CT are here.
    public var personalises = true
    /// Whether a reconstruction waits for the patient's model while it is trained, or goes on with the population's.
    public var waits = true
    /// Of the population; nil for the one that comes with the program.
    public var populationModel: String?
    /// Of the training of a patient's model, and of the rewarded part after it, which so far has improved nobody's.
    public var steps = 120
    public var rewardedSteps = 0
    /// A training that is killed loses at most what it did since.
    public var checkpointSeconds = 30.0
    /// A patient's model that no reconstruction has used for so long is removed.
    public var keepDays = 365.0

    public init() {}

    var populationPath: String? { populationModel ?? ModelFile.populationPath }

    /// Whether patients' models are trained.
    var trains: Bool { personalises && method.network != nil }
}

extension SiteConfiguration {
    static func networks(_ reader: ConfigurationReader) -> NetworkPolicy {
        var policy = NetworkPolicy()
        policy.method = reader.choice("method", ReconstructionMethod.self) ?? policy.method
        policy.personalises = reader.bool("personalise") ?? policy.personalises
        policy.waits = reader.bool("wait_for_model") ?? policy.waits
        policy.populationModel = reader.text("population_model")
        policy.steps = reader.integer("steps", in: 2...100_000) ?? policy.steps
        policy.rewardedSteps = reader.integer("rewarded_steps", in: 0...10_000) ?? policy.rewardedSteps
        policy.checkpointSeconds = reader.number("checkpoint_seconds", in: 1...3600) ?? policy.checkpointSeconds
        policy.keepDays = reader.number("keep_days", in: 1...36_500) ?? policy.keepDays
        guard policy.populationModel != nil || policy.method.network != nil else { return policy }
        let key = policy.populationModel == nil ? "method" : "population_model"
        guard let path = policy.populationPath else {
            reader.complain(
                key, "model-missing",
                "copy the folder scintivol_DoseService.resources to where the program lies, or name a population_model")
            return policy
        }
        do throws(StudyProblem) {
            let population = try ModelFile.population(at: path)
            guard let kind = policy.method.network else { return policy }
            if population[kind] == nil {
                reader.complain(
                    key, "model-part-missing",
                    "\(path) holds no \(kind.rawValue); pretrain --from \(path) --model \(kind.rawValue) adds it")
            } else {
                _ = try population.model(kind)
            }
        } catch {
            reader.complain(key, error.code, "\(path): \(StudyProblem.sentence(error.code) ?? "cannot be used")")
        }
        return policy
    }
}

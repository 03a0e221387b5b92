import Foundation
import Learning
import Reconstruction
import Tomography

/// The training of a patient's model in a job's child process: files to one file.
struct PersonalisationRun {
    /// What is asked for. It travels as JSON.
    struct Request: Codable, Equatable, Sendable {
        var anatomyPaths: [String]
        var site: CameraSite
        /// The same for every attempt: what one attempt has done the next one goes on with.
        var workFolder: String
        var policy: NetworkPolicy
        var threads = ProcessInfo.processInfo.activeProcessorCount
        /// Size of the networks where the population has none.
        var preset = TrainingRequest.standardPreset
    }

    /// One network.
    struct Part: Codable, Equatable, Sendable {
        let network: String
        let steps: Int
        /// Relative error of held-back cases: of what it ends with, and of the map that it starts from.
        let error, initialError: Double
        /// False: nothing was better than the start, and the start is what it is.
        let hasImproved: Bool
        /// Whether the rewarded steps improved it further.
        let isReinforced: Bool

        enum CodingKeys: String, CodingKey {
            case network, steps, error
            case initialError = "initial_error"
            case hasImproved = "improved"
            case isReinforced = "reinforced"
        }
    }

    /// What was made.
    struct Summary: Codable, Equatable, Sendable {
        let path, hash, recipeHash: String
        let networks: [Part]

        enum CodingKeys: String, CodingKey {
            case path, networks
            case hash = "sha256"
            case recipeHash = "recipe_sha256"
        }
    }

    let request: Request

    private var kinds: [ModelFile.Kind] { request.policy.method == .diffusion ? [.unet, .diffusion] : [.unet] }

    /// - Throws: ``StudyProblem``.
    func perform(progress: (Double, String) -> Void) throws(StudyProblem) -> Summary {
        progress(0, "read")
        var site = request.site
        let source = try StudyReader(sites: [site]).readAnatomy(request.anatomyPaths)
        if let voltage = source.ct.peakKilovolts { site.tubeVoltage = voltage }
        let anatomy = try source.patientAnatomy()
        do {
            try FileManager.default.createDirectory(atPath: request.workFolder, withIntermediateDirectories: true)
        } catch { throw .failed(code: "output-not-written") }
        let population = try request.policy.populationPath.map(ModelFile.population(at:)) ?? ModelFile()
        var file = population
        var path = ""
        // What one attempt has solved serves the next, and one network's cases the other's training.
        let kept = KeptCases(
            folder: "\(request.workFolder)/cases",
            recipe: "\(AnatomyDigest.hex(of: anatomy)) \(JSONText.encode(site))")
        for (index, kind) in kinds.enumerated() {
            path = "\(request.workFolder)/\(kind.rawValue).safetensors"
            var training = TrainingRequest(kind: kind, preset: request.preset, outputPath: path)
            training.threads = request.threads
            training.plan.stepCount = request.policy.steps
            training.reinforcementSteps = request.policy.rewardedSteps
            training.checkpointSeconds = request.policy.checkpointSeconds
            // One of an earlier version, whose work is of no use to this one.
            training.replacesOtherCheckpoints = true
            let share = 1 / Double(kinds.count)
            file = try Personalisation(training).train(anatomy, site: site, from: file, kept: kept) { step in
                let part = Double(step.step) / Double(max(step.stepCount, 1))
                progress(min(0.99, share * (Double(index) + part)), Self.stage(kind, step))
            }
        }
        progress(1, "done")
        let parts = kinds.compactMap { kind in file[kind].flatMap { Self.part(kind, $0.record) } }
        return Summary(path: path, hash: file.hash, recipeHash: recipeHash(site, population), networks: parts)
    }

    /// Losses, validation and time left, in the words of a stage.
    private static func stage(_ kind: ModelFile.Kind, _ step: TrainingProgress) -> String {
        var text = "\(kind.rawValue), step \(step.step) of \(step.stepCount), loss "
        text += String(format: "%.3f, %.0f min left", step.loss, (step.secondsLeft / 60).rounded(.up))
        if let error = step.error, let initial = step.initialError {
            text += String(format: ", validation %.3f of %.3f", error, initial)
        }
        return text
    }

    private static func part(_ kind: ModelFile.Kind, _ record: TrainingRecord) -> Part? {
        guard let best = record.left else { return nil }
        return Part(
            network: kind.rawValue, steps: record.validations.last?.step ?? 0, error: best.error,
            initialError: best.initialError, hasImproved: record.isBetterThanItsStart,
            isReinforced: record.reinforcement?.isKept == true)
    }

    private func recipeHash(_ site: CameraSite, _ population: ModelFile) -> String {
        let recipe = [
            JSONText.encode(request.policy), JSONText.encode(site), request.preset, population.hash,
            "\(PersonalDataset.revision)",
        ]
        return Digest.hex(of: Array(recipe.joined(separator: "\n").utf8))
    }
}

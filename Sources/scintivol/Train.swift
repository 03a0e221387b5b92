import Anatomy
public import ArgumentParser
public import DoseService
import Foundation
import Reconstruction

extension ModelFile.Kind: ExpressibleByArgument {}

/// What both trainings take.
struct TrainingOptions: ParsableArguments {
    @Option(help: "File to write the model to; a checkpoint lies beside it while it trains.") var out: String
    @Option(help: "unet, diffusion, paper-unet or paper-diffusion.") var model: ModelFile.Kind = .unet
    @Option(
        help:
            "Size of a network that does not go on with one: \(TrainingRequest.presets.joined(separator: ", ")); standard if not given."
    )
    var preset: String?
    @Option(name: .customLong("from"), help: "Model file to begin with.") var start: String?
    @Option(help: "Steps; 2000 for a population and \(NetworkPolicy().steps) for a patient if not given.") var steps:
        Int?
    @Option(help: "Highest learning rate; 0.001, or 0.0003 when --from holds this network, if not given.") var rate:
        Double?
    @Option(help: "Steps between validations.") var validateEvery = 50
    @Option(help: "Held-back cases.") var validationCases = 4
    @Option(help: "Steps after which a new case comes in: Stage 0 solves each, which takes seconds.")
    var stepsPerCase = CasePool.Size().stepsPerCase
    @Option(help: "Cases that steps draw from; each takes about 100 MB of memory.") var cases = 48
    @Option(help: "Which maps and noise; the same seed trains the same model.") var seed: UInt64 = 1
    @Option(help: "Distance between voxels in millimetres; reconstructions have \(PatientAnatomy.usualSpacing).")
    var spacing = PatientAnatomy.usualSpacing
    @Option(help: "Threads; results are equal only at equal counts.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "Seconds between checkpoints.") var checkpointSeconds = 30.0
    @Option(
        help:
            "Description of the camera whose scans are simulated, as JSON; that of the synthetic patients if not given."
    )
    var site: String?
    @Flag(help: "Print progress and result as JSON, a line each.") var json = false

    func validate() throws {
        guard preset.map(TrainingRequest.presets.contains) ?? true else {
            throw ValidationError("--preset is one of \(TrainingRequest.presets.joined(separator: ", "))")
        }
        guard steps.map({ $0 > 1 }) ?? true else { throw ValidationError("--steps is 2 or more") }
        guard rate.map({ $0 > 0 }) ?? true, validateEvery > 0, validationCases > 0, stepsPerCase > 0, cases > 0,
            threads > 0, checkpointSeconds >= 0, (2...20).contains(spacing)
        else {
            throw ValidationError("intervals, threads and rate are positive, the spacing from 2 to 20 mm")
        }
    }

    /// - Parameter startPath: where a training begins that is told neither a file nor a size.
    ///
    /// - Throws: ``OfflineProblem``.
    func request(steps usual: Int, startPath: String? = nil) throws -> TrainingRequest {
        try OfflineProblem.requireFile(out)
        var request = TrainingRequest(kind: model, preset: preset ?? TrainingRequest.standardPreset, outputPath: out)
        request.startPath = start ?? (preset == nil ? startPath : nil)
        if let site { request.site = try SiteFile.read(site) }
        request.spacingMillimetres = spacing
        (request.threads, request.checkpointSeconds) = (threads, checkpointSeconds)
        (request.plan.pool.stepsPerCase, request.plan.pool.cases) = (stepsPerCase, cases)
        request.plan.stepCount = steps ?? usual
        request.learningRate = rate
        request.plan.seed = seed
        request.plan.validationInterval = validateEvery
        request.plan.validationCaseCount = validationCases
        return request
    }

    /// Runs a training; a problem with one of the files of its options names it.
    func train(_ training: () throws -> TrainingSummary) throws {
        if !json {
            let earlier = "\(out).training"
            let goesOn = FileManager.default.fileExists(atPath: earlier)
            Terminal.say(goesOn ? "going on from \(earlier)" : "begins anew: there is no checkpoint \(earlier)")
            Terminal.say("\(validationCases) held-back cases are solved first, which takes minutes")
        }
        do { show(try training()) } catch let problem as StudyProblem {
            switch problem.code {
            case "checkpoint-unreadable", "checkpoint-of-another-recipe":
                throw OfflineProblem(problem, found: ["\(out).training"])
            case let code where code.hasPrefix("model-"):
                throw OfflineProblem(problem, found: start.map { ["--from \($0)"] } ?? [])
            case "output-not-written": throw OfflineProblem(problem, found: ["--out \(out)"])
            default: throw problem
            }
        }
    }

    func show(_ progress: TrainingProgress) {
        if json {
            Terminal.answer(progress.json)
            return
        }
        var line = String(
            format: "step %d/%d  loss %.4f  %.2f s/step  %.0f min left", progress.step, progress.stepCount,
            progress.loss, progress.secondsPerStep, (progress.secondsLeft / 60).rounded(.up))
        if let error = progress.error, let initial = progress.initialError, let best = progress.bestError {
            line += String(format: "  validation %.4f (without it %.4f, best %.4f)", error, initial, best)
        }
        Terminal.say(line)
    }

    func show(_ summary: TrainingSummary) {
        if json {
            Terminal.answer(summary.json)
            return
        }
        let change = String(
            format: "held-back error %.4f, without the network %.4f", summary.error, summary.initialError)
        Terminal.answer("wrote \(summary.model) after \(summary.steps) steps: \(change)")
        guard !summary.hasImproved else { return }
        let gain = summary.gain ?? 0
        Terminal.answer(
            gain > 0
                ? String(
                    format: "the best step was %.1f %% better than the network that it began with, which was kept: "
                        + "%.0f %% count", 100 * gain, 100 * summary.leastGain)
                : "no step was better than the network that it began with, which was kept")
    }
}

struct Pretrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train the population model on synthetic patients, one planar scan each. Goes on where it was killed."
    )

    @OptionGroup var options: TrainingOptions
    @Flag(help: "Only activity levels and a small rigid motion vary.") var narrow = false
    @Option(
        help:
            "Folder in which solved cases outlive this training, 75 MB each, for others with the same settings and site."
    )
    var keepCases: String?

    func validate() throws {
        // Further ones would train on the people who are held back.
        guard options.seed < 1 << 16 else { throw ValidationError("--seed is less than 65536") }
    }

    func run() throws {
        let training = Pretraining(
            try options.request(steps: 2000), narrow: narrow, keptCases: keepCases)
        try options.train { try training.perform { options.show($0) } }
    }
}

struct Personalise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train one patient's model from PET/CT and contours. Goes on where it was killed.",
        discussion: """
            It begins with the population's model that comes with the program, or with --from another; with --preset and no --from it \
            begins with nothing.
            """)

    @Option(help: "Folder with CT, PT and, if there are any, contours.") var anatomy: String
    @OptionGroup var options: TrainingOptions
    @Option(help: "Rewarded steps after the training; kept only when held-back cases improve.") var reinforce = 0

    func validate() throws {
        guard options.start != nil || options.preset != nil || ModelFile.populationPath != nil else {
            throw ValidationError(
                "no model lies beside this program: name one by --from, or begin with nothing by --preset")
        }
        guard reinforce >= 0 else { throw ValidationError("--reinforce is no negative number") }
    }

    func run() throws {
        var request = try options.request(steps: NetworkPolicy().steps, startPath: ModelFile.populationPath)
        request.reinforcementSteps = reinforce
        let training = Personalisation(request)
        try options.train { try training.perform(anatomyFolder: anatomy) { options.show($0) } }
    }
}

import Anatomy
import Foundation
import Learning
public import Reconstruction
public import Tomography

/// What `pretrain` and `personalise` are asked for.
public struct TrainingRequest: Sendable {
    public var kind: ModelFile.Kind
    public var preset: String
    public var outputPath: String
    /// A model file that it begins with.
    public var startPath: String?
    /// Camera of the scans that are simulated.
    public var site = CameraSite.phantom
    public var spacingMillimetres = PatientAnatomy.usualSpacing
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    /// A kill loses no more work than this.
    public var checkpointSeconds = 30.0
    /// Begins anew where a checkpoint is another training's, or no checkpoint, instead of refusing: nobody is asked.
    public var replacesOtherCheckpoints = false
    public var plan = ModelTraining.Plan()
    /// Highest rate, in place of the plan's; nil takes what suits a network that begins or one that goes on.
    public var learningRate: Double?
    /// Rewarded steps after the training of a patient's model, and their highest learning rate.
    public var reinforcementSteps = 0
    public var reinforcementRate = 3e-5

    /// Highest learning rate of a network that goes on from what another training made, and of one that begins.
    public static let rates = (goingOn: 3e-4, beginning: 1e-3)

    public static let presets = ResidualUNetConfiguration.Preset.allCases.map(\.rawValue)
    public static let standardPreset = ResidualUNetConfiguration.Preset.standard.rawValue

    public init(kind: ModelFile.Kind, preset: String, outputPath: String) {
        (self.kind, self.preset, self.outputPath) = (kind, preset, outputPath)
    }

    /// The settings of the network that it goes on with, or those of the preset.
    fileprivate func recipe(_ base: ModelFile) throws(StudyProblem) -> ModelRecipe {
        if let part = base[kind] { return ModelRecipe(kind: kind, settings: part.settings) }
        guard let row = ResidualUNetConfiguration.Preset(rawValue: preset) else {
            throw .needsInput(code: "preset-unknown", fields: ["preset"])
        }
        return ModelRecipe(kind: kind, preset: row)
    }

    fileprivate func plan(on base: ModelFile) -> ModelTraining.Plan {
        var plan = plan
        plan.learningRate = learningRate ?? (base[kind] == nil ? Self.rates.beginning : Self.rates.goingOn)
        return plan
    }

    fileprivate func configure() throws(StudyProblem) {
        do { try Device.configure(threadCount: threads) } catch { throw .failed(code: "model-failed") }
    }
}

/// What a training has made.
public struct TrainingSummary: Codable, Sendable {
    public let model: String
    public let hash: String
    public let steps: Int
    public let error, initialError: Double
    /// False: the model is what it began with.
    public let hasImproved: Bool
    /// By which part of its error the best step was better than that, and by how much it had to be; nil without a step.
    public let gain: Double?
    public let leastGain: Double

    /// One line.
    public var json: String { JSONText.encode(self) }

    fileprivate init(_ file: ModelFile, _ request: TrainingRequest) throws(StudyProblem) {
        guard let record = file[request.kind]?.record, let best = record.left, let last = record.validations.last
        else { throw .failed(code: "model-failed") }
        (model, hash, steps) = (request.outputPath, file.hash, last.step)
        (error, initialError, hasImproved) = (best.error, best.initialError, record.isBetterThanItsStart)
        let start = record.validations[0].error
        let later = record.validations.dropFirst() + (record.reinforcement?.validations.dropFirst() ?? [])
        gain = later.map { 1 - $0.error / start }.max()
        leastGain = record.plan.leastGain ?? 0
    }
}

/// The population model: scans of many sampled people.
public struct Pretraining {
    private let request: TrainingRequest
    private let settings: TrainingPopulation.Settings
    private let keptCases: String?

    /// - Parameter keptCases: a folder in which solved cases outlive the training, for others over the same people.
    public init(_ request: TrainingRequest, narrow: Bool, keptCases: String? = nil) {
        (self.request, self.keptCases) = (request, keptCases)
        var settings = TrainingPopulation.Settings()
        (settings.spacing, settings.isNarrow) = (request.spacingMillimetres, narrow)
        self.settings = settings
    }

    /// People of the training and of its validation; nobody who is evaluated has such a seed.
    private static let people: (training: UInt64, heldBack: UInt64) = (0x7472_0000_0000, 0x7661_0000_0000)

    /// - Throws: ``StudyProblem``.
    public func perform(report: (TrainingProgress) -> Void) throws(StudyProblem) -> TrainingSummary {
        try request.configure()
        let base = try request.startPath.map(ModelFile.population(at:)) ?? ModelFile()
        var settings = settings
        settings.site = request.site
        let population = TrainingPopulation(settings)
        let record = TrainingRecord(
            trainedOn: "population", spacingMillimetres: request.spacingMillimetres, threads: request.threads,
            plan: request.plan(on: base), population: settings,
            startedFrom: request.startPath == nil ? nil : base.hash, goesOn: base[request.kind] != nil)
        let kept = keptCases.map { KeptCases(folder: $0, recipe: JSONText.encode(settings)) }
        @Sendable func person(_ seed: UInt64) throws(ReconstructionError) -> DrawnCase {
            guard let kept else { return try population.person(seed: seed) }
            return try kept.person(population, seed: seed)
        }
        let first = Self.people.training + request.plan.seed << 24
        let run = TrainingRun(
            recipe: try request.recipe(base), record: record, base: base, outputPath: request.outputPath,
            checkpointSeconds: request.checkpointSeconds, replacesOtherCheckpoints: request.replacesOtherCheckpoints
        ) { (number, _) throws(ReconstructionError) in
            try person(Self.people.heldBack + UInt64(number))
        } source: { (number, _) throws(ReconstructionError) in
            try person(first + UInt64(number))
        }
        return try TrainingSummary(try run.perform(report: report), request)
    }
}

/// One patient's model from PET/CT and contours alone, before any planar scan exists.
public struct Personalisation {
    private let request: TrainingRequest

    /// Part of the population's error by which a patient's own network must be better on his held-back maps. What gained
    /// less on them was worse on the scan (docs/networks.md).
    static let leastGain = 0.01

    public init(_ request: TrainingRequest) { self.request = request }

    /// - Parameter anatomyFolder: CT, PET and contours as DICOM.
    /// - Throws: ``StudyProblem``.
    public func perform(
        anatomyFolder: String, report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> TrainingSummary {
        var site = request.site
        let base = try request.startPath.map(ModelFile.init(path:)) ?? ModelFile()
        let source = try StudyReader(sites: [site]).readAnatomy(FolderContents.paths(below: anatomyFolder))
        if let voltage = source.ct.peakKilovolts { site.tubeVoltage = voltage }
        let anatomy = try source.patientAnatomy(spacing: request.spacingMillimetres)
        let file = try train(anatomy, site: site, from: base, report: report)
        return try TrainingSummary(file, request)
    }

    /// - Parameters:
    ///   - base: what it begins with.
    ///   - isNarrow: only activity levels and a small rigid motion vary.
    ///   - kept: solved cases of a synthetic patient, for several methods' trainings on him.
    /// - Throws: ``StudyProblem``.
    func train(
        _ anatomy: PatientAnatomy, site: CameraSite, from base: ModelFile, isNarrow: Bool = false,
        kept: KeptCases? = nil, report: (TrainingProgress) -> Void
    ) throws(StudyProblem) -> ModelFile {
        try request.configure()
        let digest = AnatomyDigest.hex(of: anatomy)
        // The start is kept when no step is better: no other patient's, nor a network of another radionuclide's scans.
        guard base.fits(digest) else { throw .needsInput(code: "model-of-another-anatomy", fields: []) }
        let base = base.suiting(site.isotope)
        let dataset: PersonalDataset
        do {
            dataset = try PersonalDataset(
                anatomy: anatomy, site: site, world: isNarrow ? UptakeWorld.narrow.registered : .full.registered,
                acquisition: isNarrow ? .matched : .mismatched)
        } catch { throw StudyProblem(error) }
        var plan = request.plan(on: base)
        plan.leastGain = Self.leastGain
        let record = TrainingRecord(
            trainedOn: "patient", spacingMillimetres: anatomy.grid.spacing.x, threads: request.threads, plan: plan,
            anatomy: digest, site: site, isNarrow: isNarrow,
            startedFrom: base.isEmpty ? nil : base.hash, goesOn: base[request.kind] != nil)
        let draw: CaseSource = { (_, seed) throws(ReconstructionError) in
            guard let kept else { return try dataset.draw(seed: seed) }
            return try kept.draw(dataset, seed: seed)
        }
        func run(_ base: ModelFile, _ record: TrainingRecord, isReinforcement: Bool) throws(StudyProblem) -> ModelFile {
            var run = TrainingRun(
                recipe: try request.recipe(base), record: record, base: base, outputPath: request.outputPath,
                checkpointSeconds: request.checkpointSeconds, heldBack: draw, source: draw)
            run.isReinforcement = isReinforcement
            run.replacesOtherCheckpoints = request.replacesOtherCheckpoints
            return try run.perform(report: report)
        }
        var rewarded = record
        (rewarded.plan.stepCount, rewarded.plan.learningRate) = (request.reinforcementSteps, request.reinforcementRate)
        (rewarded.plan.validationInterval, rewarded.plan.patience) = (max(request.reinforcementSteps / 4, 1), 3)
        let reward = request.reinforcementSteps > 0 ? rewarded.plan : nil
        // A training that was killed after its first part goes on with the second.
        let trained: ModelFile
        if let earlier = finished(record, reward, try request.recipe(base)) {
            trained = earlier
        } else {
            trained = try run(base, record, isReinforcement: false)
        }
        guard reward != nil, trained[request.kind]?.record.reinforcement == nil else { return trained }
        (rewarded.startedFrom, rewarded.goesOn) = (trained.hash, true)
        return try run(trained, rewarded, isReinforcement: true)
    }

    /// The model of an earlier attempt at this very training, with this very reward or not yet rewarded.
    private func finished(
        _ record: TrainingRecord, _ reward: ModelTraining.Plan?, _ recipe: ModelRecipe
    ) -> ModelFile? {
        guard FileManager.default.fileExists(atPath: request.outputPath),
            let file = try? ModelFile(path: request.outputPath), let part = file[request.kind],
            case let made = part.record, part.settings == recipe.settings,
            made.trainedOn == record.trainedOn, made.plan == record.plan, made.anatomy == record.anatomy,
            made.startedFrom == record.startedFrom, made.version == record.version, made.site == record.site,
            made.isNarrow == record.isNarrow, made.caseRevision == record.caseRevision,
            made.reinforcement == nil || made.reinforcement?.plan == reward
        else { return nil }
        return file
    }
}

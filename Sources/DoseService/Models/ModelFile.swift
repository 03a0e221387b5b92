import Foundation
import Learning
public import Reconstruction
import Tomography

/// Trained networks in one safetensors file, each with its settings and the record of its training.
public struct ModelFile: Sendable {
    /// A method whose network the file may hold, by the name that `evaluate` gives it.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        case unet, diffusion
        case paperUNet = "paper-unet"
        case paperDiffusion = "paper-diffusion"
    }

    /// One network.
    struct Part: Sendable {
        /// JSON of the method's own settings.
        var settings: String
        var record: TrainingRecord
        var parameters: [String: StoredTensor]
    }

    private(set) var parts: [Kind: Part] = [:]

    init() {}

    var isEmpty: Bool { parts.isEmpty }

    package func record(of kind: Kind) -> TrainingRecord? { parts[kind]?.record }

    /// Without the networks that were trained for another radionuclide.
    func suiting(_ isotope: String) -> ModelFile {
        var file = self
        file.parts = parts.filter { $0.value.record.isotope ?? isotope == isotope }
        return file
    }

    subscript(kind: Kind) -> Part? {
        get { parts[kind] }
        set { parts[kind] = newValue }
    }

    private static let format = "scintivol-model-1"
    /// The largest file that is read.
    static let byteLimit = 256 << 20

    /// One of the population, which may be used for everybody.
    ///
    /// - Throws: as ``init(path:)``, or ``StudyProblem/refused(code:)`` with `model-of-a-patient`.
    public static func population(at path: String) throws(StudyProblem) -> ModelFile {
        let file = try ModelFile(path: path)
        guard file.fits(nil) else { throw .refused(code: "model-of-a-patient") }
        return file
    }

    /// A patient's own model when it holds the network and was trained on his anatomy, otherwise the population's, and what has
    /// to be said of the choice. That it is the population's, its record says.
    ///
    /// - Parameters:
    ///   - anatomy: its ``AnatomyDigest``.
    ///   - own: a path; without one the population's is taken.
    ///   - population: a path; without one his own has to do.
    /// - Throws: as ``population(at:)``, or ``StudyProblem/needsInput(code:fields:)`` with `model-of-another-anatomy` or
    ///   `model-missing`.
    package static func choice(
        of kind: Kind, for anatomy: String, own: String?, population: String?
    ) throws(StudyProblem) -> (file: ModelFile, finding: String?) {
        var finding: String?
        if let own {
            let file = try ModelFile(path: own)
            let fits = file.fits(anatomy)
            if fits, file[kind] != nil || population == nil { return (file, nil) }
            guard population != nil else { throw .needsInput(code: "model-of-another-anatomy", fields: ["model"]) }
            // One that was trained when the site asked for other networks is no other patient's.
            if !fits { finding = "model-of-another-anatomy" }
        }
        guard let population else { throw .needsInput(code: "model-missing", fields: ["model"]) }
        return (try ModelFile.population(at: population), finding)
    }

    /// Whether it may be used for an anatomy: no network of it is another patient's.
    ///
    /// - Parameter anatomy: its ``AnatomyDigest``; nil for whoever comes.
    package func fits(_ anatomy: String?) -> Bool {
        parts.values.allSatisfy { $0.record.anatomy == nil || $0.record.anatomy == anatomy }
    }

    /// - Throws: ``StudyProblem/refused(code:)`` with `model-missing`, `model-too-large` or `model-unreadable`.
    public init(path: String) throws(StudyProblem) {
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
        guard let size else { throw .refused(code: "model-missing") }
        guard size <= Self.byteLimit else { throw .refused(code: "model-too-large") }
        guard let data = FileManager.default.contents(atPath: path) else { throw .refused(code: "model-unreadable") }
        try self.init(decoding: Array(data))
    }

    init(decoding bytes: [UInt8]) throws(StudyProblem) {
        do {
            let file = try Safetensors(decoding: bytes)
            guard file.metadata["format"] == Self.format else { throw LearningError.metadataInvalid(key: "format") }
            for kind in Kind.allCases {
                guard let settings = file.metadata["settings.\(kind.rawValue)"] else { continue }
                let record = file.metadata["record.\(kind.rawValue)"] ?? ""
                let prefix = "\(kind.rawValue)."
                var parameters: [String: StoredTensor] = [:]
                for (name, tensor) in file.tensors where name.hasPrefix(prefix) {
                    parameters[String(name.dropFirst(prefix.count))] = tensor
                }
                parts[kind] = Part(
                    settings: settings, record: try JSONDecoder().decode(TrainingRecord.self, from: Data(record.utf8)),
                    parameters: parameters)
            }
        } catch { throw .refused(code: "model-unreadable") }
    }

    /// Equal content gives equal bytes.
    func encoded() -> [UInt8] {
        var file = Safetensors(metadata: ["format": Self.format], tensors: [:])
        for (kind, part) in parts {
            file.metadata["settings.\(kind.rawValue)"] = part.settings
            file.metadata["record.\(kind.rawValue)"] = JSONText.encode(part.record)
            for (name, tensor) in part.parameters { file.tensors["\(kind.rawValue).\(name)"] = tensor }
        }
        return file.encoded()
    }

    /// The population's networks that come with the program; nil where the program was installed without its folder of
    /// resources.
    public static var populationPath: String? {
        let folder = URL(fileURLWithPath: Service.program).deletingLastPathComponent().path
        let path = "\(folder)/scintivol_DoseService.resources/population.safetensors"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// A digest of everything in it.
    public var hash: String { Digest.hex(of: encoded()) }

    /// The method with its trained network.
    ///
    /// - Throws: ``StudyProblem/needsInput(code:fields:)`` with `model-part-missing`, or
    ///   ``StudyProblem/refused(code:)`` with `model-unreadable`.
    public func model(_ kind: Kind) throws(StudyProblem) -> any TrainableModel {
        guard let part = parts[kind] else { throw .needsInput(code: "model-part-missing", fields: [kind.rawValue]) }
        do {
            let made = try ModelRecipe(kind: kind, settings: part.settings).make(seed: 0, base: self)
            try made.module.load(part.parameters)
            return made
        } catch let problem as StudyProblem { throw problem } catch { throw .refused(code: "model-unreadable") }
    }
}

/// What made a network's parameters.
package struct TrainingRecord: Codable, Equatable, Sendable {
    var version = Version.number
    var commit = Version.commit
    /// `population` or `patient`.
    var trainedOn: String
    var spacingMillimetres: Double
    var threads: Int
    var plan: ModelTraining.Plan
    var population: TrainingPopulation.Settings?
    /// Of the patient it was trained on; ``AnatomyDigest``.
    var anatomy: String?
    /// The patient's camera, and whether only levels and a small rigid motion vary; the population's settings hold theirs.
    var site: CameraSite?
    var isNarrow: Bool?
    /// ``PersonalDataset/revision``; nil of before it was kept.
    var caseRevision: Int? = PersonalDataset.revision
    /// Hash of the file that the training began with.
    var startedFrom: String?
    /// Whether that file held this network, which goes on, or only others beside which it begins; nil of before it was kept.
    var goesOn: Bool?
    var validations: [ModelTraining.Validation] = []
    /// False when no step without reward made it better than its start.
    var hasImproved = false
    var reinforcement: Reinforced?

    /// Of the camera that it was trained for.
    package var isotope: String? { site?.isotope ?? population?.site.isotope }

    /// The validation of what the training before any reward left.
    var kept: ModelTraining.Validation? { plan.kept(of: validations) }

    /// The validation of what it left in the end.
    var left: ModelTraining.Validation? { reinforcement?.isKept == true ? reinforcement?.kept : kept }

    /// Whether steps with or without reward are in it.
    var isBetterThanItsStart: Bool { hasImproved || reinforcement?.isKept == true }

    /// What whoever uses the network is to know: a training that brought nothing leaves what it began with.
    package var findings: [String] {
        var findings: [String] = []
        if !isBetterThanItsStart, startedFrom == nil || goesOn == false {
            findings.append("model-untrained")
        } else if !isBetterThanItsStart || trainedOn != "patient" {
            findings.append("model-of-population")
        }
        if caseRevision != PersonalDataset.revision { findings.append("model-of-earlier-cases") }
        return findings
    }

    /// The rewarded steps after the training.
    struct Reinforced: Codable, Equatable, Sendable {
        let plan: ModelTraining.Plan
        let validations: [ModelTraining.Validation]
        /// False when the held-back cases did not improve: then the network is that of the training before.
        let isKept: Bool

        var kept: ModelTraining.Validation? { plan.kept(of: validations) }
    }
}

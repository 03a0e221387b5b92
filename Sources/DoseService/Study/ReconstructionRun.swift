import Anatomy
public import DICOM
import Foundation
import Imaging
import Reconstruction
public import Tomography

/// One reconstruction from files to files; the same for the offline command and for a job's child process.
public struct ReconstructionRun: Sendable {
    /// What is asked for. It travels as JSON.
    public struct Request: Codable, Equatable, Sendable {
        public var planarPaths, anatomyPaths: [String]
        public var sites: [CameraSite]
        /// What the site says of devices whose files are silent, and what was answered for this case.
        public var rules: [ReadingRule] = []
        package var answers = AnsweredFields()
        public var outputFolder: String
        public var method: ReconstructionMethod
        /// A file that holds the method's network: the patient's own, and the population's for when there is none, or when
        /// it was trained on another anatomy than this one.
        public var modelPath, populationModelPath: String?
        /// The same seed gives the same samples.
        public var seed: UInt64 = 1
        /// What has to be said of the choice of the method, as stable codes.
        public var findings: [String] = []
        /// Names the job; the same name gives the same UIDs.
        public var namespace: String
        public var createdAt: LocalTimestamp
        public var qualification: RTDoseContext.Qualification
        /// Whether the map is also written as PET images, of which there are many.
        public var writesPETCopy = false
        /// SHA-256 of the file that the camera's description came from, when it came from one.
        public var siteFileDigest: String?

        public init(
            planarPaths: [String], anatomyPaths: [String], sites: [CameraSite], outputFolder: String,
            method: ReconstructionMethod = .stage0, namespace: String, createdAt: LocalTimestamp,
            qualification: RTDoseContext.Qualification = .research
        ) {
            (self.planarPaths, self.anatomyPaths, self.sites) = (planarPaths, anatomyPaths, sites)
            (self.outputFolder, self.method, self.namespace) = (outputFolder, method, namespace)
            (self.createdAt, self.qualification) = (createdAt, qualification)
        }
    }

    public let request: Request

    public init(_ request: Request) { self.request = request }

    /// - Parameter progress: told how far it is, 0 to 1, and what is being done.
    /// - Returns: what `summary.json` holds.
    /// - Throws: ``StudyProblem``; nothing is left in the output folder that looks complete: the summary is written
    ///   last.
    public func perform(progress: (Double, String) -> Void = { _, _ in }) throws(StudyProblem) -> ResultSummary {
        progress(0, "read")
        let study = try StudyReader(
            sites: request.sites, siteRules: request.rules, answers: request.answers
        ).read(
            planar: request.planarPaths, anatomy: request.anatomyPaths)
        progress(0.4, "anatomy")
        let anatomy = try StudyReader.AnatomySource(ct: study.ct, pet: study.pet, contours: study.contours)
            .patientAnatomy()
        progress(0.6, "fit")
        let (made, simpler) = try reconstruct(study, anatomy)
        let estimate = made.estimate
        let provenance = Provenance(
            version: Version.number, commit: Version.commit, modelHash: made.modelHash,
            recipeHash: recipeHash(study.site), seed: request.seed)
        var summary = ResultSummary(
            estimate, simpler: simpler, method: made.method.rawValue, acquisition: .init(study), checks: made.checks,
            provenance: provenance, study: study)
        summary.note(request.findings + made.findings)
        summary.assume(
            ReconstructionAssumptions(
                study, choice: CalibrationChoice(sites: request.sites, for: study.planar),
                isCalibrated: estimate.isCalibrated, findings: estimate.findings,
                siteFileDigest: request.siteFileDigest))
        progress(0.8, "write")
        try write(estimate, summary, study, anatomy)
        progress(1, "done")
        return summary
    }

    private func reconstruct(
        _ study: StudyReader.Study, _ anatomy: PatientAnatomy
    ) throws(StudyProblem) -> (MethodRun.Result, SimplerEstimates?) {
        let stage = StageZero(anatomy: anatomy, site: study.site)
        let scan: PreparedScan
        do throws(ReconstructionError) { scan = try stage.prepare(study.planar.views) } catch .noOverlap {
            // An image of another part of the patient: its own coordinates, far as they may be off, tell why.
            do throws(ReconstructionError) {
                try requireKidneys(of: anatomy, in: study.planar, offsets: [-100, 0, 100].map { SIMD2(0, $0) })
            } catch { throw StudyProblem(error) }
            throw StudyProblem(ReconstructionError.noOverlap)
        } catch { throw StudyProblem(error) }
        let injected = injected(study)
        let halfLife = study.planar.radionuclide.halfLifeSeconds
        let (model, finding) = try model(for: anatomy)
        let run = MethodRun(method: request.method, model: model, seed: request.seed) {
            QualityCheck.checks(of: $0, injected: injected, halfLifeSeconds: halfLife)
        }
        var result = try run.perform(stage, scan)
        if let finding { result.findings.append(finding) }
        do throws(ReconstructionError) {
            try requireKidneys(of: anatomy, in: study.planar, offsets: [result.estimate.offset])
            return (result, try SimplerEstimates(scan))
        } catch { throw StudyProblem(error) }
    }

    private func model(for anatomy: PatientAnatomy) throws(StudyProblem) -> (ModelFile?, finding: String?) {
        guard let kind = request.method.network else { return (nil, nil) }
        let chosen = try ModelFile.choice(
            of: kind, for: AnatomyDigest.hex(of: anatomy), own: request.modelPath,
            population: request.populationModelPath)
        return (chosen.file, chosen.finding)
    }

    /// - Throws: ``ReconstructionError/regionsOutsideField`` with what none of the offsets brings into the image.
    private func requireKidneys(
        of anatomy: PatientAnatomy, in planar: PlanarStudy, offsets: [SIMD2<Double>]
    ) throws(ReconstructionError) {
        guard let view = planar.views.first else { return }
        let outside = offsets.map { Set(PlanarField(view, offset: $0).essentialRegionsOutside(of: anatomy)) }
        let always = outside.dropFirst().reduce(outside[0]) { $0.intersection($1) }
        if !always.isEmpty { throw .regionsOutsideField(always.sorted()) }
    }

    private func injected(_ study: StudyReader.Study) -> (megabecquerel: Double, secondsBefore: Double)? {
        guard let activity = study.administration.megabecquerels, let start = study.administration.startedAt else {
            return nil
        }
        return (activity, study.planar.startedAt.seconds(since: start))
    }

    /// A digest of everything that was set and not measured.
    private func recipeHash(_ site: CameraSite) -> String {
        struct Recipe: Encodable {
            let method: ReconstructionMethod
            let site: CameraSite
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let bytes = try? encoder.encode(Recipe(method: request.method, site: site)) else { return "unknown" }
        return Digest.hex(of: Array(bytes))
    }

    private func write(
        _ estimate: ActivityEstimate, _ summary: ResultSummary, _ study: StudyReader.Study, _ anatomy: PatientAnatomy
    ) throws(StudyProblem) {
        let folder = request.outputFolder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try ResultObjects(estimate: estimate, anatomy: anatomy, study: study, request: request).write(
                summary.provenance)
            let nifti = NIfTI.encode(estimate.activity, description: "activity \(summary.unit)")
            try DurableFile.write(nifti, to: "\(folder)/activity.nii.gz")
            try DurableFile.write(OverviewPicture(estimate: estimate).png(), to: "\(folder)/overview.png")
            try DurableFile.write(StoredViews(estimate).json(), to: "\(folder)/views.json")
            try DurableFile.write(summary.json(), to: "\(folder)/summary.json")
        } catch { throw .failed(code: "output-not-written") }
    }
}

extension ResultSummary {
    /// Sorted keys, so that the same result is the same bytes.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return Array(try encoder.encode(self))
    }
}

public import DICOM
public import Dosimetry
import Foundation
import Imaging

/// Absorbed dose from activity maps, files to files; the same for the offline command and for a job.
public struct DoseRun: Sendable {
    /// What is asked for. It travels as JSON.
    public struct Request: Codable, Equatable, Sendable {
        /// In the order of their times.
        public var activityPaths: [String]
        /// CT, and contours and PET when there are any.
        public var anatomyPaths: [String]
        /// `dose.json` of the cycles before.
        public var earlierPaths: [String]
        public var administeredMegabecquerel: Double
        public var administeredAt: LocalTimestamp
        /// For maps that do not name it.
        public var radionuclide: String?
        public var method: AbsorbedDose.Method
        /// Every voxel gets a curve of its own, held by that of its region.
        public var perVoxel = false
        /// A quantitative SPECT of the same administration, which says how much there is.
        public var spectPath: String?
        /// SPECT images that nobody has chosen: one that can be used says how much there is, and when none can, the dose is
        /// that of the planar images alone.
        public var tomographyPaths: [String] = []
        public var outputFolder: String
        /// Names the job; the same name gives the same UIDs.
        public var namespace: String
        public var createdAt: LocalTimestamp
        public var qualification: RTDoseContext.Qualification

        public init(
            activityPaths: [String], anatomyPaths: [String], earlierPaths: [String] = [],
            administeredMegabecquerel: Double, administeredAt: LocalTimestamp, radionuclide: String? = nil,
            method: AbsorbedDose.Method = .voxelKernel, outputFolder: String, namespace: String,
            createdAt: LocalTimestamp, qualification: RTDoseContext.Qualification = .research
        ) {
            (self.activityPaths, self.anatomyPaths, self.earlierPaths) = (activityPaths, anatomyPaths, earlierPaths)
            (self.administeredMegabecquerel, self.administeredAt) = (administeredMegabecquerel, administeredAt)
            (self.radionuclide, self.method, self.outputFolder) = (radionuclide, method, outputFolder)
            (self.namespace, self.createdAt, self.qualification) = (namespace, createdAt, qualification)
        }
    }

    public let request: Request

    public init(_ request: Request) { self.request = request }

    /// - Returns: what `dose.json` holds.
    /// - Throws: ``StudyProblem``; `dose.json` is written last, so a folder without it is not complete.
    public func perform(progress: (Double, String) -> Void = { _, _ in }) throws(StudyProblem) -> DoseSummary {
        guard request.administeredMegabecquerel > 0, request.administeredMegabecquerel.isFinite else {
            throw .needsInput(code: "administration-missing", fields: ["administered-mbq"])
        }
        let earlier = try earlierCycles()
        progress(0, "read")
        let input: DoseInput
        do { input = try DoseInput(request) } catch {
            // Without a calibration there is no dose, but the pattern is worth keeping.
            if error.code == "activity-uncalibrated" { try keepRelativeMaps() }
            throw error
        }
        progress(0.3, "dose")
        let dosimetry = try RegionDosimetry(input, request, earlier: earlier)
        let rows = try dosimetry.rows()
        let provenance = Provenance(
            version: Version.number, commit: Version.commit, modelHash: "none", recipeHash: recipeHash(), seed: 0)
        let summary = makeSummary(dosimetry, rows, try dosimetry.marrow(rows), earlier, provenance)
        progress(0.7, "write")
        try DoseFiles(dosimetry: dosimetry, summary: summary, request: request).write()
        progress(1, "done")
        return summary
    }

    private func makeSummary(
        _ dosimetry: RegionDosimetry, _ rows: [DoseSummary.Region], _ marrow: DoseSummary.Marrow?,
        _ earlier: [DoseSummary], _ provenance: Provenance
    ) -> DoseSummary {
        let input = dosimetry.input
        let balance = dosimetry.dose.balance
        var findings = dosimetry.anatomy.findings
        if input.points.count == 1 { findings.append("single-time-point") }
        if marrow != nil { findings.append("marrow-from-cancellous-bone") }
        findings += administrationFindings(input)
        if input.spect != nil { findings.append("spect-anchored") }
        findings += input.unusedTomographies.map { "spect-not-used-\($0)" }
        let cumulative = Self.cumulative(rows, marrow, earlier)
        if cumulative.contains(where: { $0.limitGray != nil && $0.cyclesWithout != nil }) {
            findings.append("cumulative-incomplete")
        }
        return DoseSummary(
            radionuclide: input.scheme.name, administeredMegabecquerel: request.administeredMegabecquerel,
            hours: RegionKinetics.hours(input, request), method: request.method.rawValue,
            kinetics: dosimetry.voxelDeviation == nil ? "region" : "voxel", regions: rows, marrow: marrow,
            cumulative: cumulative,
            balance: .init(
                emittedJoule: balance.emitted, absorbedJoule: balance.absorbed,
                beyondKernelJoule: balance.beyondKernel, beyondGridJoule: balance.beyondGrid),
            checks: DoseChecks(dosimetry: dosimetry, rows: rows).all(), assumptions: dosimetry.assumptions,
            findings: findings, provenance: provenance, sources: input.sources)
    }

    /// Files of one administration differ by no more than rounding, and by 1 % where a cycle takes them for one.
    private static let activityTolerance = 0.015
    private static let secondsTolerance = 60.0

    /// One activity and one time count; that a file says otherwise is for whoever signs.
    private func administrationFindings(_ input: DoseInput) -> [String] {
        let images = input.points.compactMap { $0.summary?.acquisition }
        let activities = images.compactMap(\.administeredMegabecquerel)
        let times = images.compactMap(\.administeredAt)
        var findings: [String] = []
        if activities.contains(where: {
            abs($0 / request.administeredMegabecquerel - 1) > Self.activityTolerance
        }) {
            findings.append("administered-activity-not-the-images")
        }
        if times.contains(where: { abs($0.seconds(since: request.administeredAt)) > Self.secondsTolerance }) {
            findings.append("administration-time-not-the-images")
        }
        return findings
    }

    /// Regions of the same name add up.
    private static func cumulative(
        _ rows: [DoseSummary.Region], _ marrow: DoseSummary.Marrow?, _ earlier: [DoseSummary]
    ) -> [DoseSummary.Cumulative] {
        let own = rows.filter { $0.kind != "background" }.map { ($0.name, $0.gray, $0.effectiveGray) }
        let estimated = marrow.map { [(DoseSummary.Marrow.name, $0.gray, $0.effectiveGray)] } ?? []
        return (own + estimated).map { name, gray, effectiveGray in
            let before = earlier.compactMap { $0.dose(named: name) }
            let limit = DoseLimit.of(region: name)
            return .init(
                name: name, cycles: before.count + 1,
                cyclesWithout: before.count < earlier.count ? earlier.count - before.count : nil,
                gray: before.reduce(gray) { $0 + $1.gray },
                effectiveGray: before.reduce(effectiveGray) { $0 + $1.effectiveGray }, limitGray: limit?.gray,
                limitSource: limit?.source,
                effectiveLimitGray: limit?.region == "kidney" ? DoseLimit.kidneyEffectiveGray : nil)
        }
    }

    private func earlierCycles() throws(StudyProblem) -> [DoseSummary] {
        try request.earlierPaths.map { path throws(StudyProblem) in
            // What went wrong does not matter: the file is not one of ours.
            guard let data = FileManager.default.contents(atPath: path),
                let summary = try? JSONDecoder().decode(DoseSummary.self, from: data)
            else { throw .needsInput(code: "earlier-cycle-unreadable", fields: ["earlier"]) }
            return summary
        }
    }

    /// A digest of everything that was set and not measured.
    private func recipeHash() -> String {
        struct Recipe: Encodable {
            let method, administeredAt: String
            let administered: Double
            let perVoxel: Bool
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let recipe = Recipe(
            method: request.method.rawValue,
            administeredAt: request.administeredAt.dicomDate + request.administeredAt.dicomTime,
            administered: request.administeredMegabecquerel, perVoxel: request.perVoxel)
        guard let bytes = try? encoder.encode(recipe) else { return "unknown" }
        return Digest.hex(of: Array(bytes))
    }

    private func keepRelativeMaps() throws(StudyProblem) {
        do {
            try FileManager.default.createDirectory(
                atPath: request.outputFolder, withIntermediateDirectories: true)
            for (index, path) in request.activityPaths.enumerated() {
                let map = try ActivityMapReader.read(Dataset(contentsOf: path))
                try DurableFile.write(
                    NIfTI.encode(map.volume, description: "relative activity"),
                    to: "\(request.outputFolder)/relative-\(index + 1).nii.gz")
            }
        } catch { throw .failed(code: "output-not-written") }
    }
}

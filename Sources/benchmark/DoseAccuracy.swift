import Anatomy
import DICOM
import DoseService
import Dosimetry
import Foundation
import Imaging
import Reconstruction

/// Doses of synthetic patients beside the true ones, from end to end: three planar studies as DICOM, each reconstructed,
/// and the dose of the three maps.
///
/// The true dose is that of the patient's true decays by the same kernels: what is tested is the way from counts to
/// decays.
struct DoseAccuracy {
    static let hours = [24.0, 72, 144]
    private static let lesionMillilitresLimit = 3.0
    private static let administered = LocalTimestamp(year: 2024, month: 3, day: 25, secondsOfDay: 10 * 3600)

    let patients: Int
    /// Whether camera and attenuation differ from what is described, by as much as the budget says that they may.
    let isCameraUncertain: Bool
    /// Where files are put while it runs.
    let folder: String

    /// A region's dose beside the true one.
    private struct Finding {
        let region: DoseSummary.Region
        let truth: Double

        var relativeError: Double { region.gray / truth - 1 }
        var deviation: Double { region.deviationPercent / 100 }
        /// Of the camera, counts and fit: the contours are exact here.
        var deviationWithoutContours: Double {
            let budget = region.budget
            return
                (budget.calibration * budget.calibration + budget.counts * budget.counts + budget.fit * budget.fit)
                .squareRoot()
        }
        var isKidney: Bool { region.name.hasPrefix("kidney") }
        var isLargeLesion: Bool {
            region.kind == Region.Kind.lesion.rawValue && region.volumeMillilitres > lesionMillilitresLimit
        }
    }

    func add(to report: inout Report) throws {
        var findings: [Finding] = []
        for seed in 1...UInt64(patients) {
            Progress.step("patient \(seed) of \(patients)")
            let found = try study(seed: seed)
            findings += found
            let shown = found.filter { $0.isKidney || $0.isLargeLesion }.map { finding in
                String(
                    format: "%@ %.2f Gy %+.1f %% (k = 1: %.1f)", finding.region.name, finding.region.gray,
                    100 * finding.relativeError, 100 * finding.deviation)
            }
            report.note("patient \(seed): " + shown.joined(separator: "; "))
        }
        let others = findings.filter { $0.region.kind == Region.Kind.organ.rawValue && !$0.isKidney }
        let groups: [(String, [Finding], Double)] = [
            ("kidney", findings.filter(\.isKidney), 7), ("lesion over 3 mL", findings.filter(\.isLargeLesion), 15),
            ("other organ", others, 15),
        ]
        for (label, members, limit) in groups where !members.isEmpty {
            let errors = members.map { 100 * abs($0.relativeError) }
            report.add(
                Figure(
                    "\(label) dose error, median of \(errors.count)", Timing.median(errors), "%", beside: "limit", limit
                ))
            report.add(
                Figure(
                    "\(label) dose error with sign, median", Timing.median(members.map { 100 * $0.relativeError }), "%",
                    beside: "limit", limit))
            report.add(Self.coverage("\(label) within k = 1 of the whole budget", members, \.deviation))
            report.add(
                Self.coverage("\(label) within k = 1 without contours", members, \.deviationWithoutContours))
            report.add(
                Self.coverage("\(label) within k = 2 without contours", members, \.deviationWithoutContours, times: 2))
        }
    }

    private static func coverage(
        _ label: String, _ members: [Finding], _ deviation: KeyPath<Finding, Double>, times factor: Double = 1
    ) -> Figure {
        let covered = members.filter { abs($0.relativeError) <= factor * $0[keyPath: deviation] }.count
        return Figure(
            label, 100 * Double(covered) / Double(members.count), "%", beside: "normal distribution",
            100 * erf(factor / 2.0.squareRoot()))
    }

    /// Standard deviations of what Stage 0 and the budget hold possible: sensitivity, attenuation, distance of the heads in
    /// millimetres, scatter that no window shows.
    private static let (sensitivity, attenuation, distance, scatter) = (0.05, 0.035, 17.0, 0.05)

    /// The same camera at every time.
    private func change(_ recipe: inout SyntheticPatient.Recipe) {
        guard isCameraUncertain else { return }
        var generator = SeededGenerator(seed: recipe.seed, purpose: "camera")
        recipe.sensitivityFactor = 1 + generator.normal(deviation: Self.sensitivity)
        recipe.attenuationFactor = 1 + generator.normal(deviation: Self.attenuation)
        recipe.faceErrorMillimetres = generator.normal(deviation: Self.distance)
        recipe.residualScatterShare = abs(generator.normal(deviation: Self.scatter))
    }

    private func study(seed: UInt64) throws -> [Finding] {
        let place = "\(folder)/\(seed)"
        // What can be removed no sooner is removed with the folder above.
        defer { try? FileManager.default.removeItem(atPath: place) }
        var first: PhantomFiles?
        var maps: [String] = []
        let anatomyFolder = "\(place)/\(Int(Self.hours[0]))"
        let anatomyPaths = { try ["ct", "pt", "rtstruct"].flatMap { try Self.files(in: "\(anatomyFolder)/\($0)") } }
        for hours in Self.hours {
            var recipe = SyntheticPatient.Recipe(seed: seed)
            (recipe.hours, recipe.resolution) = (hours, .swift)
            change(&recipe)
            let phantom = try PhantomFiles(recipe)
            try phantom.write(to: "\(place)/\(Int(hours))")
            if first == nil { first = phantom }
            let out = "\(place)/out-\(Int(hours))"
            _ = try ReconstructionRun(
                ReconstructionRun.Request(
                    planarPaths: try Self.files(in: "\(place)/\(Int(hours))/nm"), anatomyPaths: try anatomyPaths(),
                    sites: [recipe.site], outputFolder: out, namespace: "benchmark \(seed) \(hours)",
                    createdAt: Self.administered)
            ).perform()
            maps.append("\(out)/activity.dcm")
        }
        guard let first else { return [] }
        let summary = try DoseRun(
            DoseRun.Request(
                activityPaths: maps, anatomyPaths: try anatomyPaths(),
                administeredMegabecquerel: first.administeredMegabecquerels, administeredAt: Self.administered,
                outputFolder: "\(place)/dose", namespace: "benchmark \(seed)", createdAt: Self.administered)
        ).perform()
        let truth = try Self.trueDoses(first.patient)
        return summary.regions.compactMap { region in
            guard region.kind != Region.Kind.background.rawValue, let gray = truth[region.name], gray > 0 else {
                return nil
            }
            return Finding(region: region, truth: gray)
        }
    }

    private static func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
    }

    /// Voxels of the CT that a photon's energy is followed over: as far as the voxels of a dose are.
    private static let photonReach = 51

    /// Mean dose of every organ and lesion, in Gy.
    ///
    /// On the CT's voxels, of which each belongs to one structure: on coarser ones those at a border would share out the
    /// activity of one structure to the next, and the mean of a kidney would be a seventh too low.
    private static func trueDoses(_ patient: SyntheticPatient) throws -> [String: Double] {
        let grid = patient.labels.grid
        let dose = try DoseCalculator(.lutetium177, grid: grid, photonReach: photonReach).dose(
            integrated: patient.integratedTruth(), density: TissueDensity.map(patient.hounsfield))
        var means: [String: Double] = [:]
        for (name, mask) in patient.masks() {
            let corner = grid.index(of: mask.grid.origin).rounded(.toNearestOrEven)
            let first = SIMD3(Int(corner.x), Int(corner.y), Int(corner.z))
            var (sum, count) = (0.0, 0)
            for z in 0..<mask.grid.slices {
                for y in 0..<mask.grid.rows {
                    for x in 0..<mask.grid.columns where mask[x, y, z] {
                        sum += Double(dose.volume[first.x + x, first.y + y, first.z + z])
                        count += 1
                    }
                }
            }
            if count > 0 { means[name] = sum / Double(count) }
        }
        return means
    }
}

import Anatomy
import Dosimetry
import Glibc
import Imaging
import Reconstruction

/// Doses of synthetic patients from three planar scans each, beside the true ones.
///
/// The true dose of a structure is that of its true decays, which follow from its activity at 24 h and its half-life,
/// in a sphere of its mass; the estimated one uses the same mass, so that the errors are those of activity and time.
struct DoseAccuracy {
    private static let hours = [24.0, 72, 144]
    private static let lesionMillilitresLimit = 3.0

    let patients: Int

    /// A structure's dose error and how it compares with its stated deviation.
    private struct Finding {
        let name: String
        let isLesion: Bool
        let relativeError: Double
        let statedDeviation: Double
    }

    func add(to report: inout Report) throws {
        var findings: [Finding] = []
        for seed in 1...UInt64(patients) {
            Progress.step("patient \(seed) of \(patients)")
            findings += try study(seed: seed)
        }
        let kidneys = findings.filter { $0.name.hasPrefix("kidney") }
        let lesions = findings.filter(\.isLesion)
        for (label, members, limit) in [("kidney", kidneys, 7.0), ("lesion over 3 mL", lesions, 15.0)] {
            let errors = members.map { 100 * abs($0.relativeError) }
            report.add(
                Figure(
                    "\(label) dose error, median of \(errors.count)", Timing.median(errors), "%", beside: "limit", limit
                ))
            let covered = members.filter { abs($0.relativeError) <= $0.statedDeviation }.count
            report.add(
                Figure(
                    "\(label) errors within k = 1 of the fit", 100 * Double(covered) / Double(max(members.count, 1)),
                    "%",
                    beside: "normal distribution", 68))
        }
    }

    private func study(seed: UInt64) throws -> [Finding] {
        var samples: [String: [ActivitySample]] = [:]
        var first: SyntheticPatient?
        var regions: [Region] = []
        for hours in Self.hours {
            var recipe = SyntheticPatient.Recipe(seed: seed)
            recipe.hours = hours
            recipe.resolution = .swift
            let patient = try SyntheticPatient(recipe)
            let anatomy = try patient.anatomy()
            let estimate = try StageZero(anatomy: anatomy, site: recipe.site).reconstruct(patient.views)
            if first == nil { (first, regions) = (patient, anatomy.regions) }
            for organ in estimate.organs where organ.activity > 0 {
                samples[organ.name, default: []].append(
                    ActivitySample(
                        hours: hours, value: organ.activity,
                        deviation: max(organ.deviationPercent / 100, 1e-3) * organ.activity))
            }
        }
        guard let first else { return [] }
        return regions.compactMap { region in finding(region, samples[region.name] ?? [], first) }
    }

    private func finding(_ region: Region, _ samples: [ActivitySample], _ patient: SyntheticPatient) -> Finding? {
        let lesion = patient.lesions.firstIndex { $0.name == region.name }
        let half =
            region.organ.flatMap { patient.clearance.organHalfLives[$0] }
            ?? lesion.map { patient.clearance.lesionHalfLives[$0] }
        let isLarge = lesion.map { patient.lesions[$0].millilitres > Self.lesionMillilitresLimit } ?? true
        guard region.kind != .background, isLarge, let half, samples.count == Self.hours.count,
            let activity = patient.organActivities.first(where: { $0.name == region.name })?.megabecquerel,
            // A region whose noise rises has no curve of its own.
            let curve = try? TimeActivityCurve(
                fitting: samples, decayPerHour: DecayScheme.lutetium177.decayPerHour, prior: nil)
        else { return nil }
        let truth = activity * exp2(UptakePair.therapyHours / half) * half / log(2)
        return Finding(
            name: region.name, isLesion: region.kind == .lesion, relativeError: curve.integral / truth - 1,
            statedDeviation: curve.integralDeviation / curve.integral)
    }
}

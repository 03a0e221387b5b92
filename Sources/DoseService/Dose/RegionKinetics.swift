import Anatomy
import Dosimetry
import Foundation
import Imaging

/// What every region holds at every time, and the curve through it.
struct RegionKinetics {
    /// A region's activity in time and how its integral was got.
    struct Course {
        let curve: TimeActivityCurve?
        let prior: HalfLifePrior?
        /// MBq by time point.
        let activities: [Double]
        /// Relative deviation of a single map's activity.
        let counts: Double
        /// Activity of the SPECT over that of the curve at its time; nil without one.
        var anchor: Double?
        let findings: [String]
    }

    let input: DoseInput
    let request: DoseRun.Request
    let earlier: [DoseSummary]
    let regions: [Region]
    let unexplained: UnexplainedRegions
    let integration: TimeIntegration

    /// Relative deviation of an activity whose reconstruction said nothing about it.
    private static let assumedDeviation = 0.1
    /// Relative deviation of a quantitative SPECT's activity in a region, its calibration apart.
    private static let spectDeviation = 0.05

    static func hours(_ input: DoseInput, _ request: DoseRun.Request) -> [Double] {
        input.points.map { $0.time.seconds(since: request.administeredAt) / 3600 }
    }

    /// - Throws: ``DosimetryError``, ``StudyProblem``.
    func courses() throws -> [Course] {
        try checkFalling()
        let hours = Self.hours(input, request)
        var courses: [Course] = []
        for (region, own) in zip(regions, activities()) {
            courses.append(try anchored(try course(of: region, own, hours), region))
        }
        return courses
    }

    /// The whole body cannot gain activity.
    private func checkFalling() throws(DosimetryError) {
        guard input.points.count > 1 else { return }
        let sums = input.points.map { point in point.map.volume.voxels.reduce(0) { $0 + Double($1) } }
        let samples = zip(Self.hours(input, request), sums).map {
            ActivitySample(hours: $0, value: $1, deviation: 0.05 * abs($1))
        }
        _ = try TimeActivityCurve(fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: nil)
    }

    /// Activity of every region at every time, in MBq.
    ///
    /// What the reconstruction found of an organ counts, wherever it lay on the day: the map shows it there, and a part
    /// of it may lie beside the contour. The rest of the body is what is left of the whole map. Without the
    /// reconstruction's word the map within the contour is all there is.
    private func activities() -> [[Double]] {
        var activities = regions.map { integration.activities(coverage: $0.coverage) }
        let remainder = regions.firstIndex { $0.organ == .remainder }
        for (time, point) in input.points.enumerated() {
            guard let summary = point.summary, summary.isCalibrated else { continue }
            let whole = point.map.volume
            let total = whole.voxels.reduce(0) { $0 + Double($1) } * whole.grid.voxelMillilitres * 1e-6
            for index in regions.indices where index != remainder {
                if let found = found(regions[index].name, time)?.megabecquerel { activities[index][time] = found }
            }
            guard let remainder else { continue }
            let others = regions.indices.filter { $0 != remainder }.reduce(0) { $0 + activities[$1][time] }
            if total > others { activities[remainder][time] = total - others }
        }
        return activities
    }

    /// What a reconstruction says of a region. Of a place that it did not find it says that nothing is there.
    private func found(_ name: String, _ time: Int) -> (megabecquerel: Double?, deviation: Double)? {
        if let focus = unexplained.foci.first(where: { $0.name == name }) {
            return focus.activities[time].map { ($0.megabecquerel, $0.deviation) } ?? (0, Self.assumedDeviation)
        }
        return input.points[time].summary?.organs.first { $0.name == name }
            .map { ($0.activityMegabecquerel, $0.deviationPercent / 100) }
    }

    private func course(
        of region: Region, _ activities: [Double], _ hours: [Double]
    ) throws(DosimetryError) -> Course {
        var findings: [String] = []
        if unexplained.foci.contains(where: { $0.name == region.name }) { findings.append("outside-of-the-anatomy") }
        let said = input.points.indices.map { found(region.name, $0) }
        let deviations = said.map { $0?.deviation ?? Self.assumedDeviation }
        if said.contains(where: { $0 == nil }) { findings.append("activity-deviation-assumed") }
        let samples = zip(zip(hours, activities), deviations).filter { $0.0.1 > 0 }.map {
            ActivitySample(hours: $0.0, value: $0.1, deviation: max($1, 1e-3) * $0.1)
        }
        guard !samples.isEmpty else {
            return Course(
                curve: nil, prior: nil, activities: activities, counts: 0, findings: findings + ["no-activity"])
        }
        let prior = prior(of: region)
        var used = samples.count < 3 ? prior : nil
        let curve: TimeActivityCurve
        do {
            curve = try TimeActivityCurve(fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: used)
        } catch .negativeFit {
            // One region whose noise rises is held by what is known of such regions.
            findings.append(DosimetryError.negativeFit.reasonCode)
            used = prior
            curve = try TimeActivityCurve(fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: prior)
        }
        let counts = (deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)).squareRoot()
        return Course(
            curve: curve, prior: used, activities: activities, counts: counts, findings: findings + curve.findings)
    }

    /// The patient's own half-life of the latest cycle that determined one, or that of other patients.
    private func prior(of region: Region) -> HalfLifePrior {
        for cycle in earlier.reversed() where cycle.radionuclide == input.scheme.name {
            let curve = cycle.regions.first { $0.name == region.name }?.curve
            if let own = curve.flatMap(HalfLifePrior.earlierCycle) { return own }
        }
        let published = input.scheme.name == "177Lu" ? HalfLifePrior.lutetiumPSMA(region: region.name) : nil
        return published ?? .wide
    }

    /// The hybrid method: the SPECT says how much, the planar images how it goes on in time.
    private func anchored(_ course: Course, _ region: Region) throws(StudyProblem) -> Course {
        guard let spect = input.spect, let curve = course.curve else { return course }
        let hours = spect.time.seconds(since: request.administeredAt) / 3600
        guard hours > 0 else { throw .refused(code: DosimetryError.timesOutOfOrder.reasonCode) }
        guard let held = spect.activity(in: region) else {
            return Course(
                curve: curve, prior: course.prior, activities: course.activities, counts: course.counts,
                findings: course.findings + ["spect-does-not-cover"])
        }
        let expected = curve.activity(at: hours)
        guard held > 0, expected > 0 else { return course }
        let factor = held / expected
        // The level's error is the SPECT's. What the planar images leave open is the course: the integral over the
        // activity at one time is `exp(r t) / r`, whose logarithm changes by `r t - 1` for each of that of the rate.
        let rate = log(2) / curve.effectiveHalfLifeHours
        let own = curve.integralDeviation / curve.integral
        let shape =
            curve.rateDeviation.map { abs(rate * hours - 1) * $0 }
            ?? max(own * own - course.counts * course.counts, 0).squareRoot()
        let deviation = (shape * shape + Self.spectDeviation * Self.spectDeviation).squareRoot()
        return Course(
            curve: curve.scaled(by: factor, relativeDeviation: deviation, finding: "spect-anchored"),
            prior: course.prior, activities: course.activities.map { $0 * factor }, counts: Self.spectDeviation,
            anchor: factor, findings: course.findings + ["spect-anchored"])
    }
}

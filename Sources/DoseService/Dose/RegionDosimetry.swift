import Anatomy
import Dosimetry
import Foundation
import Imaging

/// The doses of all regions of one administration.
struct RegionDosimetry {
    let anatomy: PatientAnatomy
    let input: DoseInput
    let request: DoseRun.Request
    let assumptions: UncertaintyBudget.Assumptions
    /// MBq/mL on the anatomy's grid.
    let integration: TimeIntegration
    let curves: [RegionCurve]
    let integrated: Volume<Float>
    let density: Volume<Float>
    let dose, otherDose: AbsorbedDose

    /// A region's activity in time and how its integral was got.
    struct RegionCurve {
        let curve: TimeActivityCurve?
        let prior: HalfLifePrior?
        let activities: [Double]
        /// Relative deviation of a single map's activity.
        let counts: Double
        let findings: [String]
    }

    /// Relative deviation of an activity whose reconstruction said nothing about it.
    private static let assumedDeviation = 0.1

    init(_ input: DoseInput, _ request: DoseRun.Request) throws(StudyProblem) {
        (self.input, self.request) = (input, request)
        anatomy = try input.anatomy()
        let grid = anatomy.grid
        let ct = input.ct.volume.grid.spacing
        var assumptions = UncertaintyBudget.Assumptions()
        assumptions.contourSpacing = max(ct.x, ct.z)
        self.assumptions = assumptions
        density = TissueDensity.map(anatomy.hounsfield)
        do {
            integration = try TimeIntegration(
                maps: input.points.map { point in
                    let map = point.map.volume
                    return (map.grid == grid ? map : map.resampled(to: grid)).map { $0 * 1e-6 }
                })
            try Self.checkFalling(input, request)
            let activities = Self.activities(anatomy.regions, integration, input)
            var curves: [RegionCurve] = []
            for (region, own) in zip(anatomy.regions, activities) {
                curves.append(try Self.curve(region, activities: own, input, request))
            }
            self.curves = curves
            integrated = integration.integrated(
                zip(anatomy.regions, curves).map { ($0.coverage, $1.curve?.integral ?? 0) })
            dose = try DoseCalculator(input.scheme, grid: grid, method: request.method)
                .dose(integrated: integrated, density: density)
            let other: AbsorbedDose.Method = request.method == .voxelKernel ? .localDeposition : .voxelKernel
            // The second method is a check; without a kernel there is none.
            let otherMethod = input.scheme.kernelGap == nil ? other : .localDeposition
            otherDose = try DoseCalculator(input.scheme, grid: grid, method: otherMethod)
                .dose(integrated: integrated, density: density)
        } catch let error as DosimetryError {
            throw StudyProblem(error)
        } catch let problem as StudyProblem { throw problem } catch { throw .failed(code: "unexpected") }
    }

    static func hours(_ input: DoseInput, _ request: DoseRun.Request) -> [Double] {
        input.points.map { $0.time.seconds(since: request.administeredAt) / 3600 }
    }

    /// The whole body cannot gain activity.
    private static func checkFalling(_ input: DoseInput, _ request: DoseRun.Request) throws {
        guard input.points.count > 1 else { return }
        let sums = input.points.map { point in point.map.volume.voxels.reduce(0) { $0 + Double($1) } }
        let samples = zip(hours(input, request), sums).map {
            ActivitySample(hours: $0, value: $1, deviation: 0.05 * abs($1))
        }
        _ = try TimeActivityCurve(fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: nil)
    }

    /// Activity of every region at every time, in MBq.
    ///
    /// What the reconstruction found of an organ counts, wherever it lay on the day: the map shows it there, and a part
    /// of it may lie beside the contour. The rest of the body is what is left of the whole map. Without the
    /// reconstruction's word the map within the contour is all there is.
    private static func activities(
        _ regions: [Region], _ integration: TimeIntegration, _ input: DoseInput
    ) -> [[Double]] {
        var activities = regions.map { integration.activities(coverage: $0.coverage) }
        let remainder = regions.firstIndex { $0.organ == .remainder }
        for (time, point) in input.points.enumerated() {
            guard let summary = point.summary, summary.isCalibrated else { continue }
            let whole = point.map.volume
            let total = whole.voxels.reduce(0) { $0 + Double($1) } * whole.grid.voxelMillilitres * 1e-6
            for index in regions.indices where index != remainder {
                let organ = summary.organs.first { $0.name == regions[index].name }
                if let found = organ?.activityMegabecquerel { activities[index][time] = found }
            }
            guard let remainder else { continue }
            let others = regions.indices.filter { $0 != remainder }.reduce(0) { $0 + activities[$1][time] }
            if total > others { activities[remainder][time] = total - others }
        }
        return activities
    }

    private static func curve(
        _ region: Region, activities: [Double], _ input: DoseInput, _ request: DoseRun.Request
    ) throws(DosimetryError) -> RegionCurve {
        var findings: [String] = []
        let organs = input.points.map { point in point.summary?.organs.first { $0.name == region.name } }
        let deviations = organs.map { organ in organ.map { $0.deviationPercent / 100 } ?? assumedDeviation }
        if organs.contains(where: { $0 == nil }) { findings.append("activity-deviation-assumed") }
        let samples = zip(zip(hours(input, request), activities), deviations).filter { $0.0.1 > 0 }.map {
            ActivitySample(hours: $0.0, value: $0.1, deviation: max($1, 1e-3) * $0.1)
        }
        guard !samples.isEmpty else {
            return RegionCurve(curve: nil, prior: nil, activities: activities, counts: 0, findings: ["no-activity"])
        }
        let expected = HalfLifePrior.lutetiumPSMA(region: region.name)
        let prior = input.scheme.name == "177Lu" ? expected ?? .wide : .wide
        var used = samples.count < 3 ? prior : nil
        let curve: TimeActivityCurve
        do {
            curve = try TimeActivityCurve(
                fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: used)
        } catch .negativeFit {
            // One region whose noise rises is held by what is known of such regions.
            findings.append(DosimetryError.negativeFit.reasonCode)
            used = prior
            curve = try TimeActivityCurve(
                fitting: samples, decayPerHour: input.scheme.decayPerHour, prior: prior)
        }
        let counts = (deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)).squareRoot()
        return RegionCurve(
            curve: curve, prior: used, activities: activities, counts: counts, findings: findings + curve.findings)
    }

    // MARK: - The table

    func regions() throws(StudyProblem) -> [DoseSummary.Region] {
        let template = templateActivities()
        let sphere = SphereDose(input.scheme)
        var rows: [DoseSummary.Region] = []
        for (index, region) in anatomy.regions.enumerated() {
            do {
                rows.append(try row(region, curves[index], template: template?[index], sphere))
            } catch DosimetryError.massMissing { continue } catch let error as DosimetryError {
                throw StudyProblem(error)
            } catch { throw .failed(code: "unexpected") }
        }
        return rows
    }

    func histogram(_ region: Region) throws(DosimetryError) -> DoseVolumeHistogram {
        try DoseVolumeHistogram(dose: dose.volume, coverage: region.coverage)
    }

    private func row(
        _ region: Region, _ kinetics: RegionCurve, template: Double?, _ sphere: SphereDose
    ) throws -> DoseSummary.Region {
        let histogram = try histogram(region)
        let grams = mass(region)
        guard grams > 0 else { throw DosimetryError.massMissing }
        let integral = kinetics.curve?.integral ?? 0
        let fit = kinetics.curve.map { $0.integralDeviation / $0.integral } ?? 0
        let budget = UncertaintyBudget(
            millilitres: region.millilitres, counts: kinetics.counts, fit: fit, assumptions: assumptions)
        let administered = request.administeredMegabecquerel
        let biology: BiologicalDose =
            region.name.hasPrefix("kidney") ? .kidney : region.kind == .lesion ? .tumour : .lateTissue
        let half = kinetics.curve?.effectiveHalfLifeHours ?? input.scheme.halfLifeHours
        let summary = input.points[0].summary?.organs.first { $0.name == region.name }
        return DoseSummary.Region(
            name: region.name, kind: region.kind.rawValue, volumeMillilitres: region.millilitres, massGrams: grams,
            activityMegabecquerel: kinetics.activities[0],
            administeredPercent: 100 * kinetics.activities[0] / administered, templateMegabecquerel: template,
            dataShare: summary?.dataShare, integratedMegabecquerelHours: integral, gray: histogram.mean,
            grayPerGigabecquerel: histogram.mean / administered * 1000, deviationPercent: 100 * budget.total,
            expandedPercent: 200 * budget.total, budget: budget, nearMaximumGray: histogram.dose(toPercent: 2),
            nearMinimumGray: histogram.dose(toPercent: 98), minimumGray: histogram.minimum,
            maximumGray: histogram.maximum,
            effectiveGray: biology.effectiveDose(gray: histogram.mean, effectiveHalfLifeHours: half),
            otherMethodGray: try DoseVolumeHistogram(dose: otherDose.volume, coverage: region.coverage).mean,
            sphereGray: sphere.sValue(grams: grams) * integral, curve: kinetics.curve, prior: kinetics.prior,
            findings: kinetics.findings)
    }

    private func mass(_ region: Region) -> Double {
        region.coverage.voxels.indices.reduce(0) { sum, voxel in
            sum + Double(region.coverage.voxels[voxel] * density.voxels[voxel])
        } * anatomy.grid.voxelMillilitres
    }

    /// The whole activity shared out as the PET shows it: what a dose would be without looking at the planar image's
    /// distribution.
    private func templateActivities() -> [Double]? {
        guard input.pet != nil, let pattern = try? TimeIntegration(maps: [anatomy.pet]) else { return nil }
        let shares = anatomy.regions.map { pattern.activities(coverage: $0.coverage)[0] }
        let total = curves.reduce(0) { $0 + $1.activities[0] }
        let sum = shares.reduce(0, +)
        return sum > 0 ? shares.map { $0 / sum * total } : nil
    }

    /// One standard deviation of the dose in every voxel: that of the regions it belongs to.
    func deviation(_ rows: [DoseSummary.Region]) -> Volume<Float> {
        var map = Volume<Float>(grid: anatomy.grid, repeating: 0)
        for region in anatomy.regions {
            guard let row = rows.first(where: { $0.name == region.name }) else { continue }
            let relative = Float(row.deviationPercent / 100)
            for voxel in map.voxels.indices where region.coverage.voxels[voxel] > 0 {
                map.voxels[voxel] += region.coverage.voxels[voxel] * relative * dose.volume.voxels[voxel]
            }
        }
        return map
    }
}

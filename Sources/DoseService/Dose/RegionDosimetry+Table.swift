import Anatomy
import Dosimetry
import Foundation
import Imaging

extension RegionDosimetry {
    /// A row for every region that has a mass.
    func rows() throws(StudyProblem) -> [DoseSummary.Region] {
        let template = templateActivities()
        let sphere = SphereDose(input.scheme)
        var rows: [DoseSummary.Region] = []
        for (index, region) in regions.enumerated() {
            do {
                rows.append(try row(region, courses[index], template: template?[index], sphere))
            } catch DosimetryError.massMissing { continue } catch let error as DosimetryError {
                throw StudyProblem(error)
            } catch { throw .failed(code: "unexpected") }
        }
        return rows
    }

    private func row(
        _ region: Region, _ course: RegionKinetics.Course, template: Double?, _ sphere: SphereDose
    ) throws -> DoseSummary.Region {
        let histogram = try histogram(region)
        let grams = mass(region)
        guard grams > 0 else { throw DosimetryError.massMissing }
        let integral = course.curve?.integral ?? 0
        let fit = course.curve.map { $0.integralDeviation / $0.integral } ?? 0
        let budget = UncertaintyBudget(
            millilitres: region.millilitres, counts: course.counts, fit: fit, assumptions: assumptions)
        let administered = request.administeredMegabecquerel
        let biology: BiologicalDose =
            region.name.hasPrefix("kidney") ? .kidney : region.kind == .lesion ? .tumour : .lateTissue
        let half = course.curve?.effectiveHalfLifeHours ?? input.scheme.halfLifeHours
        let summary = input.points[0].summary?.organs.first { $0.name == region.name }
        return DoseSummary.Region(
            name: region.name, kind: region.kind.rawValue, volumeMillilitres: region.millilitres, massGrams: grams,
            activityMegabecquerel: course.activities[0],
            administeredPercent: 100 * course.activities[0] / administered,
            conjugateViewMegabecquerel: summary?.conjugateViewMegabecquerel,
            templateMegabecquerel: summary?.templateMegabecquerel ?? template, dataShare: summary?.dataShare,
            spectFactor: course.anchor, integratedMegabecquerelHours: integral, gray: histogram.mean,
            grayPerGigabecquerel: histogram.mean / administered * 1000, deviationPercent: 100 * budget.total,
            expandedPercent: 200 * budget.total, budget: budget, nearMaximumGray: histogram.dose(toPercent: 2),
            nearMinimumGray: histogram.dose(toPercent: 98), minimumGray: histogram.minimum,
            maximumGray: histogram.maximum,
            effectiveGray: biology.effectiveDose(gray: histogram.mean, effectiveHalfLifeHours: half),
            otherMethodGray: try DoseVolumeHistogram(dose: otherDose.volume, coverage: region.coverage).mean,
            sphereGray: sphere.sValue(grams: grams) * integral, curve: course.curve, prior: course.prior,
            findings: course.findings)
    }

    /// The whole activity shared out as the PET shows it: what a dose would be without looking at the planar image's
    /// distribution, for maps whose reconstruction did not say.
    private func templateActivities() -> [Double]? {
        guard input.pet != nil, let pattern = try? TimeIntegration(maps: [anatomy.pet]) else { return nil }
        let shares = regions.map { pattern.activities(coverage: $0.coverage)[0] }
        let total = courses.reduce(0) { $0 + $1.activities[0] }
        let sum = shares.reduce(0, +)
        return sum > 0 ? shares.map { $0 / sum * total } : nil
    }
}

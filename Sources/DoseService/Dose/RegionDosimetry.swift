import Anatomy
import Dosimetry
import Foundation
import Imaging

/// The doses of all regions of one administration.
struct RegionDosimetry {
    let anatomy: PatientAnatomy
    /// Those of the anatomy, and places of activity that it does not explain.
    let regions: [Region]
    let input: DoseInput
    let request: DoseRun.Request
    let assumptions: UncertaintyBudget.Assumptions
    let courses: [RegionKinetics.Course]
    /// Decays, in MBq h/mL on the anatomy's grid.
    let integrated: Volume<Float>
    /// Relative deviations of the voxels' own fits; nil when they follow their region.
    let voxelDeviation: Volume<Float>?
    let density: Volume<Float>
    let dose, otherDose: AbsorbedDose

    /// - Parameter earlier: doses of the cycles before, the earliest first.
    /// - Throws: ``StudyProblem``.
    init(_ input: DoseInput, _ request: DoseRun.Request, earlier: [DoseSummary]) throws(StudyProblem) {
        (self.input, self.request) = (input, request)
        anatomy = try input.anatomy()
        let unexplained = UnexplainedRegions(input.points)
        regions = unexplained.added(to: anatomy)
        let grid = anatomy.grid
        let ct = input.ct.volume.grid.spacing
        var assumptions = UncertaintyBudget.Assumptions()
        assumptions.contourSpacing = max(ct.x, ct.z)
        self.assumptions = assumptions
        density = TissueDensity.map(anatomy.hounsfield)
        do {
            let maps = input.points.map { point in
                let map = point.map.volume
                return (map.grid == grid ? map : map.resampled(to: grid)).map { $0 * 1e-6 }
            }
            let integration = try TimeIntegration(maps: maps)
            courses = try RegionKinetics(
                input: input, request: request, earlier: earlier, regions: regions, unexplained: unexplained,
                integration: integration
            ).courses()
            if request.perVoxel, maps.count > 1 {
                let kinetics = try VoxelKinetics(
                    maps: maps, hours: RegionKinetics.hours(input, request), decayPerHour: input.scheme.decayPerHour)
                (integrated, voxelDeviation) = Self.voxelwise(kinetics, regions, courses, grid)
            } else {
                integrated = integration.integrated(
                    zip(regions, courses).map { ($0.coverage, $1.curve?.integral ?? 0) })
                voxelDeviation = nil
            }
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

    /// Voxels with curves of their own, each held by that of its region.
    private static func voxelwise(
        _ kinetics: VoxelKinetics, _ regions: [Region], _ courses: [RegionKinetics.Course], _ grid: VoxelGrid
    ) -> (Volume<Float>, Volume<Float>) {
        var sum = Volume<Float>(grid: grid, repeating: 0)
        var deviation = Volume<Float>(grid: grid, repeating: 0)
        for (region, course) in zip(regions, courses) {
            guard let curve = course.curve, curve.effectiveHalfLifeHours.isFinite else { continue }
            let voxels = region.coverage.voxels.indices.filter { region.coverage.voxels[$0] > 0 }
            let coverage = voxels.map { region.coverage.voxels[$0] }
            let found = kinetics.integrals(
                voxels: voxels, coverage: coverage, rate: log(2) / curve.effectiveHalfLifeHours,
                integral: curve.integral)
            for (place, voxel) in voxels.enumerated() {
                sum.voxels[voxel] += coverage[place] * found.values[place]
                deviation.voxels[voxel] += coverage[place] * found.deviations[place]
            }
        }
        return (sum, deviation)
    }

    func histogram(_ region: Region) throws(DosimetryError) -> DoseVolumeHistogram {
        try DoseVolumeHistogram(dose: dose.volume, coverage: region.coverage)
    }

    func mass(_ region: Region) -> Double {
        region.coverage.voxels.indices.reduce(0) { sum, voxel in
            sum + Double(region.coverage.voxels[voxel] * density.voxels[voxel])
        } * anatomy.grid.voxelMillilitres
    }

    /// One standard deviation of the dose in every voxel: that of the regions it belongs to, and of its own fit when it has
    /// one.
    func deviation(_ rows: [DoseSummary.Region]) -> Volume<Float> {
        var map = Volume<Float>(grid: anatomy.grid, repeating: 0)
        for region in regions {
            guard let row = rows.first(where: { $0.name == region.name }) else { continue }
            let relative = Float(row.deviationPercent / 100)
            for voxel in map.voxels.indices where region.coverage.voxels[voxel] > 0 {
                let own = voxelDeviation?.voxels[voxel] ?? 0
                map.voxels[voxel] +=
                    region.coverage.voxels[voxel] * (relative * relative + own * own).squareRoot()
                    * dose.volume.voxels[voxel]
            }
        }
        return map
    }
}

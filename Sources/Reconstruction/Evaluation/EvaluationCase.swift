public import Anatomy
import Glibc
public import Imaging
import Tomography

/// One patient with a known truth, and the scores of methods on it.
///
/// - Units: activity in MBq, concentrations in Bq/mL.
public struct EvaluationCase: Sendable {
    /// What one method made of one patient.
    public struct Score: Sendable, Codable {
        public let seed: UInt64
        public let map: MapScores
        /// Signed, in percent, by name.
        public let organErrorPercent: [String: Double]
        /// Standard deviation that the method gives, in percent, by name; empty for a method that gives none.
        public let organDeviationPercent: [String: Double]
        /// Activity found in the spheres of the lesions over what they hold; lesions that the PET showed, and others.
        public let lesionRecovery: Double?
        public let unseenLesionRecovery: Double?
        public let detection: LesionDetection
        /// Whether the truth lies in the method's interval, organ by organ; empty for a method that gives none.
        public let within68, within95: [String: Bool]
        /// Poisson deviance of the reprojection per pixel; nil for maps that carry no camera.
        public let deviance: Double?
        public let seconds: Double

        enum CodingKeys: String, CodingKey {
            case seed, deviance, seconds, within68, within95, detection
            case map = "scores"
            case organErrorPercent = "organ_error_percent"
            case organDeviationPercent = "organ_deviation_percent"
            case lesionRecovery = "lesion_recovery"
            case unseenLesionRecovery = "unseen_lesion_recovery"
        }
    }

    /// A scored reconstruction.
    public struct Outcome: Sendable {
        public let score: Score
        public let map: Volume<Float>
        /// Views beside reprojections, for methods that make them.
        public let estimate: ActivityEstimate?
    }

    public let patient: SyntheticPatient
    /// Whether only levels and a small rigid motion vary.
    public let isNarrow: Bool
    public let anatomy: PatientAnatomy
    /// On the grid of the anatomy.
    public let truth: Volume<Float>
    /// What maps are compared with, on voxels of the usual size whatever those of the reconstruction are.
    private let scored: (truth: Volume<Float>, body: Volume<Bool>, organs: Volume<Bool>)
    private let scan: PreparedScan

    /// The organs whose errors are pooled.
    public static let scoredOrgans = ["liver", "spleen", "kidney_left", "kidney_right"]

    /// - Parameter spacing: wanted distance between the reconstruction's voxels, in millimetres.
    /// - Throws: ``ReconstructionError``; ``ReconstructionError/regionsOutsideField(_:)`` when the anatomy holds nothing.
    public init(
        _ recipe: SyntheticPatient.Recipe, spacing: Double = PatientAnatomy.usualSpacing, withContours: Bool = true
    ) throws(ReconstructionError) {
        patient = try SyntheticPatient(recipe)
        self.spacing = spacing
        isNarrow = recipe.motion == 0 && recipe.unevenness == 0
        do { anatomy = try patient.anatomy(spacing: spacing, withContours: withContours) } catch {
            throw .regionsOutsideField([])
        }
        truth = patient.truth.averaged(on: anatomy.grid)
        // The masks are those of the contours whether the reconstruction gets to see them or not.
        let (contoured, usual): (PatientAnatomy, PatientAnatomy)
        do {
            contoured = withContours ? anatomy : try patient.anatomy(spacing: spacing)
            usual = spacing == PatientAnatomy.usualSpacing ? contoured : try patient.anatomy()
        } catch { throw .regionsOutsideField([]) }
        var organs = Volume<Bool>(grid: usual.grid, repeating: false)
        for region in usual.regions where region.kind != .background {
            for voxel in organs.voxels.indices where region.coverage.voxels[voxel] > 0.5 { organs.voxels[voxel] = true }
        }
        scored = (patient.truth.averaged(on: usual.grid), usual.body, organs)
        self.contoured = contoured
        organOfRegion = withContours ? [:] : Self.owners(of: anatomy.regions, among: contoured.regions)
        scan = try StageZero(anatomy: anatomy, site: recipe.site).prepare(patient.views)
    }

    private let contoured: PatientAnatomy
    let spacing: Double
    private let organOfRegion: [String: String]

    /// - Parameter elapsed: seconds that a piece of work took; core modules have no clock of their own.
    public func outcome(
        of method: EvaluationMethod, elapsed: (() throws -> Void) throws -> Double
    ) throws -> Outcome {
        var made: (map: Volume<Float>, organs: [String: (activity: Double, deviation: Double?)])?
        var estimate: ActivityEstimate?
        let seconds = try elapsed {
            switch method.way {
            case .stageZero(let options):
                let stage = StageZero(anatomy: anatomy, site: patient.recipe.site, options: options)
                let result = try stage.reconstruct(scan)
                estimate = result
                made = (result.activity, organs(of: result))
            case .conjugateView: made = named(try RivalReconstructions(scan).conjugateView())
            case .maximumLikelihood: made = named(try RivalReconstructions(scan).maximumLikelihood())
            case .trueLevels: made = (try trueLevels(), trueOrgans)
            case .trueLevelsAndCounts: made = (try trueLevelsAndCounts(), trueOrgans)
            case .truePlaces:
                let result = try truePlaces()
                // Its contours are known whether the others' are or not.
                let rows = result.organs.map { ($0.name, ($0.activity, Optional($0.deviationPercent / 100))) }
                made = (result.activity.resampled(to: anatomy.grid), Dictionary(rows) { first, _ in first })
            case .template: made = named(try RivalReconstructions(scan).template())
            }
        }
        guard let made else { throw ReconstructionError.notFinite }
        return try outcome(made.map, made.organs, estimate, seconds: seconds)
    }

    /// The case as networks get it; Stage 0 solves it.
    ///
    /// - Parameter known: what Stage 0, as it comes, has already made of it.
    /// - Throws: ``ReconstructionError``.
    public func networkStudy(_ known: ActivityEstimate? = nil) throws(ReconstructionError) -> NetworkStudy {
        try NetworkStudy(StageZero(anatomy: anatomy, site: patient.recipe.site), scan, known: known)
    }

    /// What a network makes of the case.
    ///
    /// - Parameter elapsed: as for ``outcome(of:elapsed:)``; Stage 0's own time is not in it.
    public func outcome(
        of model: any TrainableModel, _ study: NetworkStudy, elapsed: (() throws -> Void) throws -> Double
    ) throws -> Outcome {
        var refinement: NetworkStudy.Refinement?
        let seconds = try elapsed { refinement = try study.estimate(model, seed: patient.recipe.seed) }
        guard let refinement else { throw ReconstructionError.notFinite }
        let rows = refinement.estimate.organs.map { organ -> (String, (activity: Double, deviation: Double?)) in
            guard !model.keepsOrganSums else { return (organ.name, (organ.activity, organ.deviationPercent / 100)) }
            let change = refinement.organChangePercent[organ.name] ?? 0
            let spread = refinement.organSpreadPercent[organ.name]
            return (organ.name, (organ.activity * (1 + change / 100), spread.map { $0 / 100 }))
        }
        let organs = merged(rows, refinement.estimate.activity)
        return try outcome(refinement.estimate.activity, organs, refinement.estimate, seconds: seconds)
    }

    private func outcome(
        _ map: Volume<Float>, _ organs: Organs, _ estimate: ActivityEstimate?, seconds: Double
    ) throws -> Outcome {
        let grid = scored.truth.grid
        let compared =
            map.grid == grid
            ? map : spacing < PatientAnatomy.usualSpacing ? map.averaged(on: grid) : map.resampled(to: grid)
        let score = Score(
            seed: patient.recipe.seed,
            map: try MapScores(compared, truth: scored.truth, body: scored.body, organs: scored.organs),
            organErrorPercent: errors(organs),
            organDeviationPercent: organs.compactMapValues { $0.deviation.map { 100 * $0 } },
            lesionRecovery: recovery(compared, .seen),
            unseenLesionRecovery: recovery(compared, .unseen),
            detection: LesionDetection(
                compared, truth: scored.truth, body: scored.body, organs: scored.organs,
                lesions: patient.lesions.filter { $0.kind != .gone }.map {
                    ($0.centreMillimetres, $0.millilitres, $0.kind == .unseen)
                }), within68: within(organs, 1),
            within95: within(organs, 1.96), deviance: estimate.map(Self.deviance), seconds: seconds)
        return Outcome(score: score, map: map, estimate: estimate)
    }

    private var trueOrgans: Organs {
        Dictionary(patient.organActivities.map { ($0.name, ($0.megabecquerel, nil)) }) { $1 }
    }

    private typealias Organs = [String: (activity: Double, deviation: Double?)]

    /// The table's row of each organ; without contours, of the uptake regions that lie mostly in the organ's outline and
    /// fill it, and of an organ without such regions what the map holds in its outline.
    private func organs(of estimate: ActivityEstimate) -> Organs {
        merged(estimate.organs.map { ($0.name, ($0.activity, Optional($0.deviationPercent / 100))) }, estimate.activity)
    }

    private func named(_ result: RivalReconstructions.Result) -> (Volume<Float>, Organs) {
        let rows = zip(anatomy.regions, result.activities).map { ($0.name, ($1 * 1e-6, Optional<Double>.none)) }
        return (result.map, merged(rows, result.map))
    }

    private func merged(_ rows: [(String, (activity: Double, deviation: Double?))], _ map: Volume<Float>) -> Organs {
        guard anatomy.findings.contains("no-contours") else { return Dictionary(rows) { first, _ in first } }
        var organs: Organs = [:]
        for (name, row) in rows {
            guard let organ = organOfRegion[name] else { continue }
            guard let before = organs[organ] else {
                organs[organ] = row
                continue
            }
            // What is uncertain of one region is uncertain of its neighbours in the same direction.
            let activity = before.activity + row.activity
            let deviation = before.deviation.flatMap { first in
                row.deviation.map { (first * before.activity + $0 * row.activity) / max(activity, 1e-12) }
            }
            organs[organ] = (activity, deviation)
        }
        for region in contoured.regions where region.kind != .background && organs[region.name] == nil {
            let sum = zip(map.voxels, region.coverage.voxels).reduce(0) { $0 + Double($1.0 * $1.1) }
            organs[region.name] = (sum * map.grid.voxelMillilitres * 1e-6, nil)
        }
        return organs
    }

    /// The contour that most of an uptake region lies in, by the region's name, for contours that regions fill by half.
    private static func owners(of regions: [Region], among contours: [Region]) -> [String: String] {
        var owners: [String: String] = [:]
        for contour in contours where contour.kind != .background {
            var filled: Float = 0
            var members: [String] = []
            for region in regions where region.kind != .background {
                let common = zip(region.coverage.voxels, contour.coverage.voxels).reduce(0) { $0 + $1.0 * $1.1 }
                guard common > 0.5 * region.coverage.voxels.reduce(0, +) else { continue }
                filled += common
                members.append(region.name)
            }
            guard filled > 0.5 * contour.coverage.voxels.reduce(0, +) else { continue }
            for name in members { owners[name] = contour.name }
        }
        return owners
    }

    private func errors(_ organs: Organs) -> [String: Double] {
        var errors: [String: Double] = [:]
        for (name, truth) in patient.organActivities where truth > 0 {
            if let found = organs[name] { errors[name] = 100 * (found.activity / truth - 1) }
        }
        return errors
    }

    private func within(_ organs: Organs, _ factor: Double) -> [String: Bool] {
        var within: [String: Bool] = [:]
        for name in Self.scoredOrgans {
            guard let truth = patient.organActivities.first(where: { $0.name == name })?.megabecquerel, truth > 0,
                let found = organs[name], let deviation = found.deviation, found.activity > 0
            else { continue }
            within[name] = abs(log(found.activity / truth)) <= factor * deviation
        }
        return within
    }

    /// Mean over lesions of at least a millilitre that hold activity.
    private func recovery(_ map: Volume<Float>, _ kind: SyntheticPatient.Lesion.Kind) -> Double? {
        let parts = patient.lesions.filter { $0.kind == kind && $0.millilitres >= 1 }.compactMap { lesion -> Double? in
            let radius = pow(lesion.millilitres * 1000 * 3 / (4 * .pi), 1 / 3.0) + map.grid.spacing.x
            let found = sum(map, around: lesion.centreMillimetres, radius)
            let real = sum(scored.truth, around: lesion.centreMillimetres, radius)
            return real > 0 ? found / real : nil
        }
        return parts.isEmpty ? nil : parts.reduce(0, +) / Double(parts.count)
    }

    private func sum(_ map: Volume<Float>, around centre: SIMD3<Double>, _ radius: Double) -> Double {
        let grid = map.grid
        var sum = 0.0
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    let away = grid.position(x: Double(x), y: Double(y), z: Double(z)) - centre
                    if (away * away).sum() <= radius * radius { sum += Double(map[x, y, z]) }
                }
            }
        }
        return sum
    }

    private static func deviance(_ estimate: ActivityEstimate) -> Double {
        var sum = 0.0
        var pixels = 0
        for view in estimate.views {
            for (count, value) in zip(view.measured, view.expected) {
                let mean = Double(max(value, PixelTrust.expectedFloor))
                let n = Double(count)
                sum += 2 * (mean - n + (n > 0 ? n * log(n / mean) : 0))
            }
            pixels += view.measured.count
        }
        return sum / Double(max(pixels, 1))
    }
}

public import Anatomy
import Glibc
public import Imaging
public import Tomography

/// A stylised patient from CT to planar scan: everything that the service gets to see, and the truth beside it.
///
/// PET/CT and planar scan are days apart: between them the organs move and the levels change. The planar images are drawn
/// on finer voxels and by another projector than the one that reconstructs.
public struct SyntheticPatient: Sendable {
    /// What to make.
    public struct Recipe: Sendable {
        public var seed: UInt64
        /// Standard deviation of the organs' motion along z between PET/CT and planar scan, in millimetres.
        public var motion = 3.0
        /// Standard deviation of the uptake inside an organ, as part of its mean.
        public var unevenness = 0.12
        /// Speed of the table of the whole-body scan, in mm/s.
        public var scanVelocity = 2.5
        public var site = CameraSite.phantom

        public init(seed: UInt64) { self.seed = seed }
    }

    public let recipe: Recipe
    /// - Units: HU
    public let hounsfield: Volume<Float>
    /// - Units: Bq/mL
    public let pet: Volume<Float>
    /// Structures on the CT's grid, at the time of the CT.
    public let labels: Volume<StructureLabel>
    public let lesionNames: [String]
    /// All windows and both directions.
    public let views: [PlanarView]
    /// True activity at the time of the planar scan in the CT's frame.
    ///
    /// - Units: Bq/mL
    public let truth: Volume<Float>
    /// True activity of each structure at the time of the planar scan.
    ///
    /// - Units: MBq
    public let organActivities: [(name: String, megabecquerel: Double)]
    /// What has to be added to the planar images' x and z to reach the CT's, in millimetres.
    public let planarOffset: SIMD2<Double>
    public let dwellSeconds: Double

    /// 177Lu: peak, lower and upper scatter window, in keV.
    public static let windows = [
        EnergyWindow(lower: 187.2, upper: 228.8), EnergyWindow(lower: 166.4, upper: 187.2),
        EnergyWindow(lower: 228.8, upper: 249.6),
    ]

    /// - Throws: ``ReconstructionError/tomography`` when a recipe's site cannot be a camera.
    public init(_ recipe: Recipe) throws(ReconstructionError) {
        self.recipe = recipe
        let phantom = StylisedPhantom(seed: recipe.seed)
        let later = phantom.moved(millimetres: recipe.motion, seed: recipe.seed)
        let lutetium = UptakePattern.lutetiumPSMA(
            seed: recipe.seed, lesionCount: phantom.lesions.count, deviation: recipe.unevenness)
        let tracer = UptakePattern.psmaPET(
            seed: recipe.seed, lesionCount: phantom.lesions.count, deviation: recipe.unevenness)
        var generator = SeededGenerator(seed: recipe.seed, purpose: "acquisition")
        do {
            labels = phantom.labels(on: try Self.ctGrid())
            hounsfield = Self.noisy(StylisedPhantom.hounsfield(of: labels), deviation: 12, &generator)
            let petLabels = phantom.labels(on: try Self.petGrid())
            pet = Self.blurredPET(tracer.activity(of: petLabels), &generator)
            lesionNames = phantom.lesions.map(\.name)

            let fine = try Self.simulationGrid()
            let fineLabels = later.labels(on: fine)
            let fineActivity = lutetium.activity(of: fineLabels)
            organActivities = Self.totals(fineActivity, fineLabels, phantom.lesions.map(\.name))
            truth = fineActivity.resampled(to: labels.grid)
            dwellSeconds = recipe.site.fieldOfViewMillimetres[1] / recipe.scanVelocity
            planarOffset = SIMD2(generator.uniform(-25...25), generator.uniform(-60...60))
            views = try Self.acquire(
                activity: fineActivity, labels: fineLabels, recipe: recipe, offset: planarOffset,
                dwellSeconds: dwellSeconds, &generator)
        } catch { throw .tomography }
    }

    /// The patient's anatomy as the reconstruction makes it from CT, PET and these contours.
    public func anatomy(spacing: Double = 4.8) throws(AnatomyError) -> PatientAnatomy {
        try PatientAnatomy(hounsfield: hounsfield, pet: pet, contours: contours(), spacing: spacing)
    }

    /// Masks of organs and lesions, each on a box of the CT's voxels, by name.
    public func masks() -> [(name: String, mask: Volume<Bool>)] {
        var masks: [(name: String, mask: Volume<Bool>)] = []
        for organ in Organ.allCases where ![.lungs, .bone, .remainder].contains(organ) {
            let (outer, inner) = (StructureLabel.organ(organ), StructureLabel.medulla(organ))
            if let mask = labels.boxed({ $0 == outer || $0 == inner }) { masks.append((organ.rawValue, mask)) }
        }
        for (index, name) in lesionNames.enumerated() {
            let lesion = StructureLabel.lesion(index)
            if let mask = labels.boxed({ $0 == lesion }) { masks.append((name, mask)) }
        }
        return masks
    }

    private func contours() -> [PatientAnatomy.Contour] {
        masks().map { PatientAnatomy.Contour(name: $0.name, mask: $0.mask) }
    }

    private static func name(of label: StructureLabel, _ lesions: [String]) -> String? {
        label.organ?.rawValue ?? label.lesion.map { lesions[$0] }
    }

    private static func totals(
        _ activity: Volume<Float>, _ labels: Volume<StructureLabel>, _ lesions: [String]
    ) -> [(name: String, megabecquerel: Double)] {
        var sums: [StructureLabel: Double] = [:]
        for z in 0..<activity.grid.slices {
            // Neighbouring voxels mostly share their label: one dictionary access per run.
            var run = (label: StructureLabel.air, sum: 0.0)
            let plane = activity.grid.rows * activity.grid.columns
            for voxel in z * plane..<(z + 1) * plane {
                if labels.voxels[voxel] != run.label {
                    if run.label != .air { sums[run.label, default: 0] += run.sum }
                    run = (labels.voxels[voxel], 0)
                }
                run.sum += Double(activity.voxels[voxel])
            }
            if run.label != .air { sums[run.label, default: 0] += run.sum }
        }
        var totals: [String: Double] = [:]
        for (label, sum) in sums {
            guard let name = name(of: label, lesions) else { continue }
            totals[name, default: 0] += sum * activity.grid.voxelMillilitres * 1e-6
        }
        return totals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

public import Anatomy
public import Imaging

/// A stylised patient from CT to planar scan: everything that the service gets to see, and the truth beside it.
///
/// PET/CT and planar scan are days apart: between them the organs move and the levels change. The planar images are drawn
/// on finer voxels and by another projector than the one that reconstructs.
public struct SyntheticPatient: Sendable {
    /// A lesion as it really was at the time of the planar scan.
    public struct Lesion: Sendable, Equatable {
        public enum Kind: String, Sendable, Codable {
            /// In contours and PET.
            case seen
            /// In contours and PET, but not hotter than its surroundings any more.
            case gone
            /// In neither.
            case unseen
        }

        public let name: String
        public let kind: Kind
        /// In the CT's frame.
        public let centreMillimetres: SIMD3<Double>
        public let millilitres: Double
        public let megabecquerel: Double
    }

    public let recipe: Recipe
    /// - Units: HU
    public let hounsfield: Volume<Float>
    /// - Units: Bq/mL
    public let pet: Volume<Float>
    /// Structures on the CT's grid, at the time of the CT.
    public let labels: Volume<StructureLabel>
    /// The person at the time of the CT and at that of the planar scan.
    public let phantom, laterPhantom: StylisedPhantom
    /// Lesions that PET and contours show.
    public let lesionNames: [String]
    /// All windows and both directions.
    public let views: [PlanarView]
    /// True activity at the time of the planar scan in the CT's frame.
    ///
    /// - Units: Bq/mL
    public let truth: Volume<Float>
    /// True activity of each structure at the time of the planar scan, by name, as far as the CT reaches.
    ///
    /// - Units: MBq
    public let organActivities: [(name: String, megabecquerel: Double)]
    /// Those that PET and contours show, then the others.
    public let lesions: [Lesion]
    /// Half-lives of the organs, and of the lesions that are seen before those that are not.
    public let clearance: Clearance
    /// How the planar images lie in the CT's frame.
    public let planarPose: PlanarPose
    public let dwellSeconds: Double

    /// What has to be added to the planar images' x and z to reach the CT's, in millimetres, but for a rotation.
    public var planarOffset: SIMD2<Double> { planarPose.offset }

    /// 177Lu around 208 keV: peak, lower and upper scatter window, in keV.
    public static let windows = [
        EnergyWindow(lower: 187.2, upper: 228.8), EnergyWindow(lower: 166.4, upper: 187.2),
        EnergyWindow(lower: 228.8, upper: 249.6),
    ]
    /// The same around 113 keV.
    public static let secondWindows = [
        EnergyWindow(lower: 101.7, upper: 124.3), EnergyWindow(lower: 90.4, upper: 101.7),
        EnergyWindow(lower: 124.3, upper: 135.6),
    ]

    /// - Throws: ``ReconstructionError/tomography`` when a recipe's site cannot be a camera.
    public init(_ recipe: Recipe) throws(ReconstructionError) {
        self.recipe = recipe
        let phantom = StylisedPhantom(seed: recipe.seed, population: recipe.population)
        let later = phantom.moved(millimetres: recipe.motion, seed: recipe.scanSeed)
            .withUnseenLesions(mean: recipe.unseenLesionMean, seed: recipe.seed)
        (self.phantom, laterPhantom) = (phantom, later)
        let uptake = UptakePair(
            seed: recipe.seed, lesions: later.lesions, seenCount: phantom.lesions.count, texture: recipe.texture,
            change: recipe.change)
        clearance = Clearance(seed: recipe.seed, lesionCount: later.lesions.count)
        let acquisition = Acquisition(recipe)
        (planarPose, dwellSeconds) = (acquisition.pose, acquisition.dwellSeconds)
        lesionNames = phantom.lesions.map(\.name)
        do {
            labels = phantom.labels(on: try Self.ctGrid(spacing: recipe.resolution.ct))
            hounsfield = Self.noisyCT(StylisedPhantom.hounsfield(of: labels), seed: recipe.seed)
            let petLabels = phantom.labels(on: try Self.petGrid())
            pet = Self.blurredPET(uptake.pet.activity(of: petLabels), seed: recipe.seed)

            let grid = try Self.simulationGrid(of: later, spacing: recipe.resolution.simulation)
            let fine = try Self.sampled(
                later, uptake.therapy(atHours: recipe.hours, clearance), within: grid, ct: labels.grid,
                points: recipe.resolution.pointsPerAxis)
            (organActivities, lesions) = Self.facts(
                fine.contents, on: grid, phantom: later, uptake: uptake, seenCount: phantom.lesions.count)
            truth = fine.activity.averaged(on: labels.grid)
            views = try acquisition.views(activity: fine.activity.averaged(on: grid), labels: later.labels(on: grid))
        } catch { throw .tomography }
    }

    /// The patient's anatomy as the reconstruction makes it from CT, PET and these contours.
    ///
    /// - Parameter withContours: without them regions come from CT and PET alone.
    public func anatomy(
        spacing: Double = PatientAnatomy.usualSpacing, withContours: Bool = true
    ) throws(AnatomyError) -> PatientAnatomy {
        try PatientAnatomy(
            hounsfield: hounsfield, pet: pet, contours: withContours ? contours() : [], spacing: spacing)
    }

    private static func facts(
        _ contents: [StructureLabel: Content], on grid: VoxelGrid, phantom: StylisedPhantom, uptake: UptakePair,
        seenCount: Int
    ) -> ([(name: String, megabecquerel: Double)], [Lesion]) {
        let megabecquerel = { (content: Content) in content.activity * grid.voxelMillilitres * 1e-6 }
        var totals: [String: Double] = [:]
        for (label, content) in contents {
            guard let name = label.organ?.rawValue ?? label.lesion.map({ phantom.lesions[$0].name }) else { continue }
            totals[name, default: 0] += megabecquerel(content)
        }
        let lesions = phantom.lesions.enumerated().compactMap { index, lesion -> Lesion? in
            guard let content = contents[.lesion(index)] else { return nil }
            let middle = content.moment / content.voxels
            return Lesion(
                name: lesion.name,
                kind: index >= seenCount ? .unseen : uptake.goneLesions.contains(index) ? .gone : .seen,
                centreMillimetres: grid.position(x: middle.x, y: middle.y, z: middle.z),
                millilitres: content.voxels * grid.voxelMillilitres, megabecquerel: megabecquerel(content))
        }
        return (totals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, lesions)
    }
}

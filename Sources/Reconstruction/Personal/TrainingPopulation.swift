public import Anatomy
import Glibc
import Imaging
public import Tomography

/// People to train on before any patient is known: stylised adults, each drawn by a seed, on voxels of one size.
///
/// Coverages are parts of voxels: the solids are looked up on a grid twice as fine.
public struct TrainingPopulation: Sendable {
    /// Which people, and how they are seen.
    public struct Settings: Codable, Equatable, Sendable {
        /// Millimetres.
        public var spacing = 4.8
        /// z of the first and the last slice, from the phantom's base of the trunk.
        public var extent = UptakeWorld.Bounds(-60, 700)
        /// Full width at half maximum of the PET's blur.
        public var petResolution = 6.0
        public var world = UptakeWorld.full.registered
        public var acquisition = AcquisitionWorld.mismatched

        public init() {}
    }

    public let settings: Settings
    public let site: CameraSite

    public init(_ settings: Settings, site: CameraSite) {
        (self.settings, self.site) = (settings, site)
    }

    /// The possible maps of one person.
    ///
    /// - Throws: ``ReconstructionError``.
    public func person(seed: UInt64) throws(ReconstructionError) -> PersonalDataset {
        try PersonalDataset(
            anatomy: try anatomy(seed: seed), site: site, world: settings.world, acquisition: settings.acquisition)
    }

    /// - Throws: ``ReconstructionError/notSampleable``.
    public func anatomy(seed: UInt64) throws(ReconstructionError) -> PatientAnatomy {
        let phantom = StylisedPhantom(seed: seed)
        let labels: Volume<StructureLabel>
        let grid: VoxelGrid
        do { (grid, labels) = try fineLabels(of: phantom) } catch { throw .notSampleable }
        let uptake = UptakePair(seed: seed, lesions: phantom.lesions, seenCount: phantom.lesions.count).pet
        let pet = blurred(uptake.activity(of: labels).resampled(to: grid))
        do {
            return try PatientAnatomy(
                regions: regions(labels, phantom, grid), pet: pet,
                hounsfield: StylisedPhantom.hounsfield(of: labels).resampled(to: grid, outside: -1000))
        } catch { throw .notSampleable }
    }

    private static let fineness = 2
    /// Air around the body, in voxels.
    private static let margin = SIMD3(6, 1, 0)

    private func fineLabels(
        of phantom: StylisedPhantom
    ) throws(ImagingError) -> (grid: VoxelGrid, labels: Volume<StructureLabel>) {
        let slices = Int(((settings.extent.upper - settings.extent.lower) / settings.spacing).rounded())
        let coarse = try VoxelGrid(
            columns: 128, rows: 80, slices: slices, spacing: SIMD3(repeating: settings.spacing),
            origin: SIMD3(-63.5 * settings.spacing, -39.5 * settings.spacing, settings.extent.lower))
        // Where the body is, from every voxel's centre.
        let outline = phantom.labels(on: coarse).boxed { $0 != .air }?.grid ?? coarse
        let grid = try VoxelGrid(
            columns: outline.columns + 2 * Self.margin.x, rows: outline.rows + 2 * Self.margin.y, slices: slices,
            spacing: coarse.spacing,
            origin: SIMD3(
                outline.origin.x - Double(Self.margin.x) * settings.spacing,
                outline.origin.y - Double(Self.margin.y) * settings.spacing, coarse.origin.z))
        let fine = try VoxelGrid(
            columns: grid.columns * Self.fineness, rows: grid.rows * Self.fineness, slices: slices * Self.fineness,
            spacing: grid.spacing / Double(Self.fineness), origin: grid.origin - grid.spacing / 4)
        return (grid, phantom.labels(on: fine))
    }

    private func regions(
        _ labels: Volume<StructureLabel>, _ phantom: StylisedPhantom, _ grid: VoxelGrid
    ) -> [Region] {
        func coverage(_ belongs: (StructureLabel) -> Bool) -> Volume<Float> {
            labels.map { belongs($0) ? 1 : 0 }.resampled(to: grid)
        }
        let lesions = phantom.lesions.indices.map { index in
            Region(
                name: phantom.lesions[index].name, organ: nil, kind: .lesion,
                coverage: coverage { $0 == .lesion(index) })
        }
        let organs = Organ.allCases.map { organ in
            Region(
                name: organ.rawValue, organ: organ,
                kind: [.lungs, .bone, .remainder].contains(organ) ? .background : .organ,
                coverage: coverage { $0.organ == organ })
        }
        return lesions + organs
    }

    /// Three taps per axis as often as the variance asks for.
    private func blurred(_ volume: Volume<Float>) -> Volume<Float> {
        let grid = volume.grid
        let variance = Float(pow(settings.petResolution / 2.355 / settings.spacing, 2))
        let passes = max(1, Int((variance / 0.4).rounded(.up)))
        let side = variance / Float(passes) / 2
        var values = volume.voxels
        for (stride, count) in [
            (1, grid.columns), (grid.columns, grid.rows), (grid.columns * grid.rows, grid.slices),
        ] {
            for _ in 0..<passes {
                var result = values
                for voxel in values.indices {
                    let place = voxel / stride % count
                    let before = place > 0 ? values[voxel - stride] : values[voxel]
                    let after = place + 1 < count ? values[voxel + stride] : values[voxel]
                    result[voxel] = (1 - 2 * side) * values[voxel] + side * (before + after)
                }
                values = result
            }
        }
        return volume.replacing(values)
    }
}

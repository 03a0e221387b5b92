import Anatomy
import Glibc
import Imaging

/// What the PET shows within regions, beyond their means.
///
/// A PET's blur makes every organ look dim at its edge. So the PET is compared with what it would show if every region took
/// up evenly, blurred alike: `(PET + f) / (blur(sum of level * coverage) + f) - 1`.
///
/// - Units: relative to the region's mean, 0 where the PET shows what evenness would.
struct PETTexture {
    let relative: Volume<Float>

    /// Resolution of a PET (full width at half maximum), in millimetres.
    private static let resolution = 6.0
    /// Deviations beyond this are noise or another thing than texture.
    private static let limit: Float = 1.5

    /// - Parameter levels: mean PET concentration of each region.
    init(anatomy: PatientAnatomy, levels: [Double]) {
        let grid = anatomy.grid
        var even = Volume<Float>(grid: grid, repeating: 0)
        for (region, level) in zip(anatomy.regions, levels) {
            for voxel in even.voxels.indices { even.voxels[voxel] += Float(level) * region.coverage.voxels[voxel] }
        }
        // Both a little wider than the PET itself, against its noise.
        let width = Self.resolution / 2.355
        let shown = anatomy.pet.blurred(deviationMillimetres: width)
        let expected = even.blurred(deviationMillimetres: width * 2.0.squareRoot())
        let floor = Float((levels.min() ?? 1) * 0.5) + .leastNormalMagnitude
        relative = Volume(grid: grid, repeating: 0).filled { voxel in
            let ratio = (shown.voxels[voxel] + floor) / (expected.voxels[voxel] + floor)
            return min(max(ratio - 1, -1), Self.limit)
        }
    }
}

extension Volume where Element == Float {
    func filled(_ value: (Int) -> Float) -> Volume<Float> {
        var filled = self
        for voxel in filled.voxels.indices { filled.voxels[voxel] = value(voxel) }
        return filled
    }
}

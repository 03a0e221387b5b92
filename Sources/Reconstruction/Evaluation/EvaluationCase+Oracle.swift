import Anatomy
import Imaging

extension EvaluationCase {
    /// Structures are looked up on a grid so many times finer.
    private static let fineness = 2

    /// Every structure of the patient where it truly is, filled with the mean of the truth there.
    func trueLevels() throws -> Volume<Float> {
        let grid = anatomy.grid
        let parts = Self.fineness
        let fine = try VoxelGrid(
            columns: grid.columns * parts, rows: grid.rows * parts, slices: grid.slices * parts,
            spacing: grid.spacing / Double(parts),
            origin: grid.origin - grid.spacing * (0.5 - 0.5 / Double(parts)))
        let labels = patient.laterPhantom.labels(on: fine)
        var sums: [StructureLabel: (activity: Double, parts: Double)] = [:]
        func forEachPart(_ body: (_ voxel: Int, _ label: StructureLabel) -> Void) {
            for z in 0..<fine.slices {
                for y in 0..<fine.rows {
                    let row = fine.offset(x: 0, y: y, z: z)
                    let coarse = grid.offset(x: 0, y: y / parts, z: z / parts)
                    for x in 0..<fine.columns { body(coarse + x / parts, labels.voxels[row + x]) }
                }
            }
        }
        forEachPart { voxel, label in
            sums[label, default: (0, 0)].activity += Double(truth.voxels[voxel])
            sums[label, default: (0, 0)].parts += 1
        }
        let means = sums.mapValues { Float($0.activity / $0.parts) }
        var map = Volume<Float>(grid: grid, repeating: 0)
        let share = 1 / Float(parts * parts * parts)
        forEachPart { voxel, label in map.voxels[voxel] += (means[label] ?? 0) * share }
        return map
    }
}

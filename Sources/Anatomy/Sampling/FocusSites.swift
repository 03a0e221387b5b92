import Imaging

/// Where new lesions and injection spots may be.
///
/// - Units: offsets of voxels.
struct FocusSites: Sendable {
    let bone, nodes: [Int]
    /// The outermost voxels of the body on the patient's right and left, per slice.
    let sides: [(right: Int, left: Int)]

    /// Soft tissue no deeper than this, in millimetres, is skin, fat and muscle: nodes lie further in.
    private static let nodeDepth = 30.0

    init(regions: [Region], body: Volume<Float>) {
        let grid = body.grid
        let background = regions.filter { $0.kind == .background }
        let bone = background.first { $0.organ == .bone }
        self.bone =
            bone.map { region in region.coverage.voxels.indices.filter { region.coverage.voxels[$0] > 0.5 } } ?? []
        let remainder = background.first { $0.organ == .remainder } ?? background.last
        nodes =
            remainder.map { region in
                region.coverage.voxels.indices.filter { region.coverage.voxels[$0] > 0.9 && Self.isDeep($0, body) }
            } ?? []
        sides = (0..<grid.slices).compactMap { z in
            var ends: (right: (x: Int, voxel: Int), left: (x: Int, voxel: Int))?
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where body[x, y, z] > 0.5 {
                    let voxel = grid.offset(x: x, y: y, z: z)
                    guard let found = ends else {
                        ends = ((x, voxel), (x, voxel))
                        continue
                    }
                    if x < found.right.x { ends?.right = (x, voxel) }
                    if x > found.left.x { ends?.left = (x, voxel) }
                }
            }
            return ends.map { ($0.right.voxel, $0.left.voxel) }
        }
    }

    private static func isDeep(_ voxel: Int, _ body: Volume<Float>) -> Bool {
        let grid = body.grid
        let (x, y) = (voxel % grid.columns, voxel / grid.columns % grid.rows)
        let across = Int(nodeDepth / grid.spacing.x)
        let along = Int(nodeDepth / grid.spacing.y)
        guard x >= across, x + across < grid.columns, y >= along, y + along < grid.rows else { return false }
        return body.voxels[voxel - across] > 0.5 && body.voxels[voxel + across] > 0.5
            && body.voxels[voxel - along * grid.columns] > 0.5 && body.voxels[voxel + along * grid.columns] > 0.5
    }
}

public import Imaging

/// The patient on a CT: the largest connected thing denser than air, with what it encloses.
public enum BodyOutline {
    /// Denser than this is body or table; the lungs are filled in from the outside.
    static let densityThreshold: Float = -350

    /// - Parameter hounsfield: in HU.
    /// - Throws: ``AnatomyError/noBody``.
    public static func mask(of hounsfield: Volume<Float>) throws(AnatomyError) -> Volume<Bool> {
        let grid = hounsfield.grid
        let dense = hounsfield.map { $0 > densityThreshold }
        guard let largest = largestComponent(of: dense) else { throw .noBody }
        var body = largest
        for z in 0..<grid.slices { fillHoles(&body, slice: z) }
        return body
    }

    /// The connected set (six neighbours) with most voxels.
    static func largestComponent(of mask: Volume<Bool>) -> Volume<Bool>? {
        let grid = mask.grid
        var visited = mask.voxels.map { !$0 }
        var best: [Int] = []
        for start in mask.voxels.indices where !visited[start] {
            var members = [start]
            visited[start] = true
            var next = 0
            while next < members.count {
                let voxel = members[next]
                next += 1
                forEachNeighbour(of: voxel, grid) { neighbour in
                    if !visited[neighbour] {
                        visited[neighbour] = true
                        members.append(neighbour)
                    }
                }
            }
            if members.count > best.count { best = members }
        }
        guard !best.isEmpty else { return nil }
        var result = Volume<Bool>(grid: grid, repeating: false)
        for voxel in best { result.voxels[voxel] = true }
        return result
    }

    static func forEachNeighbour(of voxel: Int, _ grid: VoxelGrid, _ body: (Int) -> Void) {
        let x = voxel % grid.columns
        let y = voxel / grid.columns % grid.rows
        let z = voxel / (grid.columns * grid.rows)
        if x > 0 { body(voxel - 1) }
        if x + 1 < grid.columns { body(voxel + 1) }
        if y > 0 { body(voxel - grid.columns) }
        if y + 1 < grid.rows { body(voxel + grid.columns) }
        if z > 0 { body(voxel - grid.columns * grid.rows) }
        if z + 1 < grid.slices { body(voxel + grid.columns * grid.rows) }
    }

    /// Sets everything on one slice that the outside cannot reach: lungs and bowel gas.
    private static func fillHoles(_ body: inout Volume<Bool>, slice: Int) {
        let columns = body.grid.columns
        let rows = body.grid.rows
        var outside = [Bool](repeating: false, count: columns * rows)
        var stack: [Int] = []
        func visit(_ x: Int, _ y: Int) {
            guard x >= 0, y >= 0, x < columns, y < rows, !outside[y * columns + x], !body[x, y, slice] else { return }
            outside[y * columns + x] = true
            stack.append(y * columns + x)
        }
        for x in 0..<columns {
            visit(x, 0)
            visit(x, rows - 1)
        }
        for y in 0..<rows {
            visit(0, y)
            visit(columns - 1, y)
        }
        while let pixel = stack.popLast() {
            let (x, y) = (pixel % columns, pixel / columns)
            visit(x - 1, y)
            visit(x + 1, y)
            visit(x, y - 1)
            visit(x, y + 1)
        }
        for y in 0..<rows {
            for x in 0..<columns where !outside[y * columns + x] { body[x, y, slice] = true }
        }
    }
}

/// Values on a voxel grid.
///
/// - Shape: `voxels` is `[z, y, x]`, x fastest, ``VoxelGrid/voxelCount`` elements.
/// - Units: those of the quantity; the owner's documentation names them.
public struct Volume<Element: Sendable>: Sendable {
    public let grid: VoxelGrid
    public var voxels: [Element]

    /// - Throws: ``ImagingError/voxelCountMismatch(expected:found:)``.
    public init(grid: VoxelGrid, voxels: [Element]) throws(ImagingError) {
        guard voxels.count == grid.voxelCount else {
            throw .voxelCountMismatch(expected: grid.voxelCount, found: voxels.count)
        }
        self.grid = grid
        self.voxels = voxels
    }

    public init(grid: VoxelGrid, repeating value: Element) {
        self.grid = grid
        voxels = Array(repeating: value, count: grid.voxelCount)
    }

    @inlinable
    public subscript(x: Int, y: Int, z: Int) -> Element {
        get { voxels[grid.offset(x: x, y: y, z: z)] }
        set { voxels[grid.offset(x: x, y: y, z: z)] = newValue }
    }

    public func map<Result: Sendable>(_ transform: (Element) throws -> Result) rethrows -> Volume<Result> {
        Volume<Result>(grid: grid, unchecked: try voxels.map(transform))
    }

    init(grid: VoxelGrid, unchecked voxels: [Element]) {
        self.grid = grid
        self.voxels = voxels
    }
}

extension Volume: Equatable where Element: Equatable {}

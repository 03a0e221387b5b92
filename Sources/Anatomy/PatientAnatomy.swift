public import Imaging

/// One patient as the reconstruction sees it: CT, PET and regions on one grid.
///
/// The grid's voxels are whole numbers of CT voxels and their centres are CT voxels' centres, so that a result laid over
/// the CT is nowhere off by a fraction of a voxel.
public struct PatientAnatomy: Sendable {
    public let grid: VoxelGrid
    /// - Units: HU
    public let hounsfield: Volume<Float>
    /// - Units: Bq/mL at the time of the PET
    public let pet: Volume<Float>
    public let body: Volume<Bool>
    /// Disjoint; lesions first, then organs, then the background.
    public let regions: [Region]
    /// What was assumed while the regions were made, as stable codes.
    public let findings: [String]

    /// A named mask before it is fitted to the other ones.
    public struct Contour: Sendable {
        public let name: String
        /// The part of each voxel of a grid that lies inside.
        public let coverage: @Sendable (VoxelGrid) -> Volume<Float>

        public init(name: String, coverage: @escaping @Sendable (VoxelGrid) -> Volume<Float>) {
            (self.name, self.coverage) = (name, coverage)
        }

        /// A mask on a grid of its own.
        public init(name: String, mask: Volume<Bool>) {
            self.init(name: name) { grid in mask.map { $0 ? 1 : 0 }.resampled(to: grid) }
        }
    }

    /// Wanted distance between the voxels of a reconstruction in millimetres, unless something else is asked for.
    public static let usualSpacing = 4.8

    /// - Parameters:
    ///   - hounsfield: the CT, in HU.
    ///   - pet: on its own grid, in Bq/mL.
    ///   - contours: regions by name; where they overlap the smaller one wins.
    ///   - spacing: the wanted distance between voxels in millimetres; the nearest whole number of CT voxels is taken.
    /// - Throws: ``AnatomyError``.
    public init(
        hounsfield ct: Volume<Float>, pet: Volume<Float>, contours: [Contour], spacing: Double = usualSpacing
    ) throws(AnatomyError) {
        guard let coarse = Self.coarseGrid(of: ct.grid, spacing: spacing) else { throw .imaging }
        let whole = ct.resampled(to: coarse, outside: -1000)
        let wholeBody = try BodyOutline.mask(of: whole)
        guard let grid = Self.cropped(coarse, to: wholeBody) else { throw .noBody }
        self.grid = grid
        self.hounsfield = whole.resampled(to: grid, outside: -1000)
        let body = wholeBody.map { $0 ? Float(1) : 0 }.resampled(to: grid).map { $0 > 0.5 }
        self.body = body
        let petOnGrid = pet.resampled(to: grid)
        guard zip(petOnGrid.voxels, body.voxels).contains(where: { $0 > 0 && $1 }) else { throw .emptyPET }
        self.pet = petOnGrid
        let named = contours.filter { !["body", "external", "skin"].contains($0.name.lowercased()) }
        let partition = RegionPartition(named, body: body, ct: ct, pet: petOnGrid)
        (regions, findings) = (partition.regions, partition.findings)
    }

    /// Every n-th voxel of the CT.
    private static func coarseGrid(of ct: VoxelGrid, spacing: Double) -> VoxelGrid? {
        let stride = (0..<3).map { max(1, Int((spacing / ct.spacing[$0]).rounded())) }
        let counts = zip([ct.columns, ct.rows, ct.slices], stride).map { $0 / $1 }
        let steps = SIMD3(Double(stride[0]), Double(stride[1]), Double(stride[2]))
        let first = SIMD3(Double(stride[0] / 2), Double(stride[1] / 2), Double(stride[2] / 2))
        return try? VoxelGrid(
            columns: counts[0], rows: counts[1], slices: counts[2], spacing: ct.spacing * steps,
            origin: ct.origin + first * ct.spacing)
    }

    /// Air that is kept around the body: across the table for the tails of the blur, in depth for none.
    private static let marginVoxels = (x: 6, y: 1)

    private static func cropped(_ grid: VoxelGrid, to body: Volume<Bool>) -> VoxelGrid? {
        var lower = (x: Int.max, y: Int.max)
        var upper = (x: -1, y: -1)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where body[x, y, z] {
                    lower = (min(lower.x, x), min(lower.y, y))
                    upper = (max(upper.x, x), max(upper.y, y))
                }
            }
        }
        guard upper.x >= 0 else { return nil }
        // The margin may reach beyond the CT: air is known to be there.
        lower = (lower.x - marginVoxels.x, lower.y - marginVoxels.y)
        upper = (upper.x + marginVoxels.x, upper.y + marginVoxels.y)
        return try? VoxelGrid(
            columns: upper.x - lower.x + 1, rows: upper.y - lower.y + 1, slices: grid.slices, spacing: grid.spacing,
            origin: grid.position(x: Double(lower.x), y: Double(lower.y), z: 0))
    }
}

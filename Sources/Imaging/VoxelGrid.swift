/// An axis-aligned grid of voxels in the patient coordinates of DICOM.
///
/// The axes are those of a supine, head-first patient: +x to the patient's left, +y to the posterior, +z to the head.
///
/// - Shape: voxels are stored `[z, y, x]`, x fastest.
/// - Units: millimetres.
/// - Source: DICOM PS3.3 C.7.6.2.1.1, Image Position and Image Orientation (Patient).
public struct VoxelGrid: Equatable, Hashable, Sendable, Codable {
    /// Voxels along x, y and z.
    public let columns, rows, slices: Int
    /// Distance between voxel centres along x, y and z.
    public let spacing: SIMD3<Double>
    /// Centre of the first voxel.
    public let origin: SIMD3<Double>

    /// The largest number of voxels that a grid may have; a header that asks for more is refused before memory is.
    public static let voxelCountLimit = 1 << 28

    /// - Throws: ``ImagingError/impossibleGrid(columns:rows:slices:)`` when a count is not positive or the product
    ///   passes ``voxelCountLimit``; ``ImagingError/impossibleSpacing(millimetres:)`` when a distance is not positive
    ///   and finite.
    public init(
        columns: Int, rows: Int, slices: Int, spacing: SIMD3<Double>, origin: SIMD3<Double>
    ) throws(ImagingError) {
        let (plane, planeOverflows) = columns.multipliedReportingOverflow(by: rows)
        let (count, countOverflows) = plane.multipliedReportingOverflow(by: slices)
        guard columns > 0, rows > 0, slices > 0, !planeOverflows, !countOverflows, count <= Self.voxelCountLimit else {
            throw .impossibleGrid(columns: columns, rows: rows, slices: slices)
        }
        for axis in 0..<3 {
            guard spacing[axis].isFinite, spacing[axis] > 0, origin[axis].isFinite else {
                throw .impossibleSpacing(millimetres: spacing[axis])
            }
        }
        (self.columns, self.rows, self.slices) = (columns, rows, slices)
        self.spacing = spacing
        self.origin = origin
    }

    public var voxelCount: Int { columns * rows * slices }

    /// Volume of one voxel in millilitres.
    public var voxelMillilitres: Double { spacing.x * spacing.y * spacing.z / 1000 }

    /// Position of a voxel's centre, in millimetres; the index may be fractional or outside the grid.
    public func position(x: Double, y: Double, z: Double) -> SIMD3<Double> {
        origin + SIMD3(x, y, z) * spacing
    }

    /// Fractional index `(x, y, z)` of a position in millimetres.
    public func index(of position: SIMD3<Double>) -> SIMD3<Double> {
        (position - origin) / spacing
    }

    /// Offset of a voxel in the stored array.
    @inlinable
    public func offset(x: Int, y: Int, z: Int) -> Int { (z * rows + y) * columns + x }
}

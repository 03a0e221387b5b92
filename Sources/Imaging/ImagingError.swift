/// What the imaging module refuses.
public enum ImagingError: Error, Equatable, Sendable {
    case impossibleGrid(columns: Int, rows: Int, slices: Int)
    case impossibleSpacing(millimetres: Double)
    case voxelCountMismatch(expected: Int, found: Int)
    case emptyContour(region: String)
    case contourNotAxial(region: String)
}

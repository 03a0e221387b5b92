/// Why an object was not written.
public enum DICOMWritingError: Error, Equatable, Sendable {
    /// The disk did not take all of it.
    case fileNotWritten
    /// A value that is NaN, infinite or negative, and the first voxel that has one.
    case notADose(voxel: Int)
    /// RT Dose wants square pixels.
    case pixelsNotSquare(columnMillimetres: Double, rowMillimetres: Double)
    /// The slices do not lie on those of the CT.
    case slicesOffTheCT
    /// A count or a value that 16 bits do not hold.
    case valueOutOfRange(element: Int)
    /// An acquisition that has not one view of each direction per window, all of one size.
    case viewsIncomplete
    /// A segmentation that holds no voxel.
    case segmentsEmpty
    /// A segment whose voxels are not those of the segmentation's grid.
    case segmentOffTheGrid
}

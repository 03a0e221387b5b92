/// What the tomography module refuses.
public enum TomographyError: Error, Equatable, Sendable {
    case unknownEnergy(kiloelectronvolts: Double)
    case impossibleCollimator(holeDiameter: Double, holeLength: Double)
    /// A camera head would stand inside the voxels that it looks at.
    case faceInsideGrid(direction: String, overlapMillimetres: Double)
    case gridMismatch
    case notFinite
}

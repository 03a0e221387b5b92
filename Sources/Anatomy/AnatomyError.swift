/// What the anatomy module refuses.
public enum AnatomyError: Error, Equatable, Sendable {
    case imaging
    /// No voxel of the CT is dense enough to be a patient.
    case noBody
    /// The PET holds no activity inside the body.
    case emptyPET
    /// No contour of a name lies inside the CT.
    case noRegions
}

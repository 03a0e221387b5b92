public import Learning

/// What the reconstruction refuses.
public enum ReconstructionError: Error, Equatable, Sendable {
    /// No anterior or no posterior view holds the photopeak of the isotope.
    case missingView(direction: String)
    /// Views of one acquisition differ in size, pixels or time.
    case viewsDiffer
    case zeroCounts(direction: String)
    /// The planar image and the CT do not show the same part of the body.
    case noOverlap
    /// The regions lie outside of what the planar image shows.
    case regionsOutsideField([String])
    case tomography
    /// The normal equations could not be solved.
    case singular(order: Int)
    case notFinite
    /// A network could not be built, run, trained or read.
    case learning(LearningError)
    /// A patient from whom no possible maps can be drawn.
    case notSampleable
}

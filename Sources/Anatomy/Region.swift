public import Imaging

/// A part of the patient whose activity is one unknown of the reconstruction.
///
/// - Shape: `coverage` is the part of each voxel that belongs to the region, `[z, y, x]`, 0 to 1; the coverages of a
///   patient's regions add up to the body.
public struct Region: Sendable, Equatable {
    /// What kind of region it is decides the prior of its activity.
    public enum Kind: String, Sendable, Codable {
        case organ, lesion
        /// Everything that is no region of interest: lungs, bone, and the rest of the body.
        case background
    }

    public let name: String
    public let organ: Organ?
    public let kind: Kind
    public let coverage: Volume<Float>

    public init(name: String, organ: Organ?, kind: Kind, coverage: Volume<Float>) {
        (self.name, self.organ, self.kind, self.coverage) = (name, organ, kind, coverage)
    }

    public var millilitres: Double {
        coverage.voxels.reduce(0) { $0 + Double($1) } * coverage.grid.voxelMillilitres
    }
}

/// What the dosimetry module refuses.
public enum DosimetryError: Error, Equatable, Sendable {
    case gridMismatch
    /// The first voxel that is negative, infinite or not a number.
    case notAnActivity(voxel: Int)
    case unknownRadionuclide
    /// Energies are known, but no kernel says where they go.
    case noKernel(DecayScheme.KernelGap)
    /// A kernel for voxels of which one edge is not a length.
    case impossibleSpacing

    // Kinetics.
    case noSamples
    /// Samples not after the administration, or not one after the other.
    case timesOutOfOrder
    /// A sample whose value or deviation is not positive and finite.
    case notASample(index: Int)
    /// The activity does not fall: its integral has no end.
    case negativeFit
    /// A single sample and no half-life that is expected.
    case halfLifeMissing

    /// A region without volume or mass.
    case massMissing

    /// A word that never changes, for rows, answers and scripts.
    public var reasonCode: String {
        switch self {
        case .gridMismatch: "grids-differ"
        case .notAnActivity: "not-an-activity"
        case .unknownRadionuclide: "isotope-unknown"
        case .noKernel(let gap): "kernel-missing-\(gap.rawValue)"
        case .impossibleSpacing: "impossible-spacing"
        case .noSamples: "times-missing"
        case .timesOutOfOrder: "times-out-of-order"
        case .notASample: "not-an-activity"
        case .negativeFit: "negative-fit"
        case .halfLifeMissing: "half-life-missing"
        case .massMissing: "masses-missing"
        }
    }
}

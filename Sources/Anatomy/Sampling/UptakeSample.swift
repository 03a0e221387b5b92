public import Imaging

/// One possible map of a patient, with the numbers that made it.
public struct UptakeSample: Sendable {
    public let draw: UptakeDraw
    /// - Units: Bq/mL
    public let activity: Volume<Float>
    /// Which region covers most of each voxel: 0 for none, 1 for the first region, the foci after the regions.
    public let owners: Volume<UInt8>
    /// Owners that are background and no region of interest.
    public let backgroundOwners: Set<UInt8>
    /// What each region holds, foci apart.
    public let regionMegabecquerels: [Double]
    public let focusMegabecquerels: [Double]

    public var megabecquerels: Double {
        regionMegabecquerels.reduce(0, +) + focusMegabecquerels.reduce(0, +)
    }
}

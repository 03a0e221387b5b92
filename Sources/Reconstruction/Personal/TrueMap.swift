public import Anatomy
public import Imaging

/// What a network is to find, and which structure each of its voxels belongs to.
public struct TrueMap: Sendable {
    /// - Units: Bq/mL
    public let activity: Volume<Float>
    /// Which structure covers most of each voxel; 0 for none.
    public let owners: Volume<UInt8>
    /// Owners that are background and no structure of interest.
    public let backgroundOwners: Set<UInt8>

    public init(activity: Volume<Float>, owners: Volume<UInt8>, backgroundOwners: Set<UInt8>) {
        precondition(activity.grid == owners.grid)
        (self.activity, self.owners, self.backgroundOwners) = (activity, owners, backgroundOwners)
    }

    public init(_ sample: UptakeSample) {
        self.init(activity: sample.activity, owners: sample.owners, backgroundOwners: sample.backgroundOwners)
    }

    /// - Parameter labels: on the grid of the activity.
    public init(activity: Volume<Float>, labels: Volume<StructureLabel>) {
        let organs = Organ.allCases
        let owners = labels.map { label -> UInt8 in
            if let lesion = label.lesion { return UInt8(clamping: 1 + organs.count + lesion) }
            return label.organ.flatMap { organs.firstIndex(of: $0) }.map { UInt8(1 + $0) } ?? 0
        }
        let background = organs.indices.filter { [.lungs, .bone, .remainder].contains(organs[$0]) }
        self.init(activity: activity, owners: owners, backgroundOwners: Set(background.map { UInt8(1 + $0) }))
    }
}

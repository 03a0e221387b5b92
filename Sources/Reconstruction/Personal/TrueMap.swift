public import Anatomy
public import Imaging

/// What a network is to find, and which structure each of its voxels belongs to.
public struct TrueMap: Sendable {
    /// - Units: Bq/mL
    public let activity: Volume<Float>
    /// The structure in the middle of each voxel; 0 for none.
    public let owners: Volume<UInt8>
    /// Owners that are background and no structure of interest.
    public let backgroundOwners: Set<UInt8>

    public init(activity: Volume<Float>, owners: Volume<UInt8>, backgroundOwners: Set<UInt8>) {
        precondition(activity.grid == owners.grid)
        (self.activity, self.owners, self.backgroundOwners) = (activity, owners, backgroundOwners)
    }

    /// - Parameter grid: where the activity is averaged to; an owner is that of the middle.
    init(_ sample: UptakeSample, on grid: VoxelGrid) {
        let fine = sample.owners
        func nearest(_ place: Double, _ count: Int) -> Int { min(max(Int(place.rounded()), 0), count - 1) }
        var owners = Volume<UInt8>(grid: grid, repeating: 0)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    let index = fine.grid.index(of: grid.position(x: Double(x), y: Double(y), z: Double(z)))
                    owners[x, y, z] =
                        fine[
                            nearest(index.x, fine.grid.columns), nearest(index.y, fine.grid.rows),
                            nearest(index.z, fine.grid.slices)]
                }
            }
        }
        self.init(
            activity: sample.activity.averaged(on: grid), owners: owners, backgroundOwners: sample.backgroundOwners)
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

public import Anatomy
public import Imaging

/// The part of the patient that a planar image shows.
///
/// - Units: millimetres in the CT's frame.
public struct PlanarField: Equatable, Sendable {
    public let x, z: ClosedRange<Double>

    /// - Parameter offset: what has to be added to the image's x and z to reach the CT's.
    public init(_ view: PlanarView, offset: SIMD2<Double>) {
        let first = view.origin + offset - view.spacing / 2
        let size = SIMD2(Double(view.columns), Double(view.rows)) * view.spacing
        x = first.x...first.x + size.x
        z = first.y...first.y + size.y
    }

    /// The part of a region that is shown, 0 to 1.
    public func share(of region: Region) -> Double {
        let grid = region.coverage.grid
        let columns = (0..<grid.columns).map { x.contains(grid.position(x: Double($0), y: 0, z: 0).x) }
        var shown = 0.0
        var all = 0.0
        for slice in 0..<grid.slices {
            let isInSlice = z.contains(grid.position(x: 0, y: 0, z: Double(slice)).z)
            for row in 0..<grid.rows {
                let start = grid.offset(x: 0, y: row, z: slice)
                for column in 0..<grid.columns {
                    let part = Double(region.coverage.voxels[start + column])
                    all += part
                    if isInSlice, columns[column] { shown += part }
                }
            }
        }
        return all > 0 ? shown / all : 1
    }

    /// A region of which less than this part is shown is outside.
    static let leastShare = 0.5
    /// Without contours a region with this part of all uptake is as important as a kidney.
    static let essentialUptake = 0.15

    /// Names of the regions that a dose cannot be given without, and that the image does not show: the kidneys, or, where
    /// nothing has a name, the regions with most of the uptake.
    public func essentialRegionsOutside(of anatomy: PatientAnatomy) -> [String] {
        let kidneys = anatomy.regions.filter { $0.organ == .kidneyLeft || $0.organ == .kidneyRight }
        var essential = kidneys
        if kidneys.isEmpty {
            let uptake = anatomy.regions.filter { $0.kind != .background }.map { region in
                (region, zip(region.coverage.voxels, anatomy.pet.voxels).reduce(0) { $0 + Double($1.0 * $1.1) })
            }
            let total = uptake.reduce(0) { $0 + $1.1 }
            essential = uptake.filter { $0.1 > Self.essentialUptake * total }.map(\.0)
        }
        return essential.filter { share(of: $0) < Self.leastShare }.map(\.name)
    }
}

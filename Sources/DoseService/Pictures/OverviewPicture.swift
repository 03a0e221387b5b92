import Imaging
import Reconstruction

/// One picture that shows whether a reconstruction can be believed: measured and reprojected views and their difference,
/// and coronal slices of the map, beside the truth when there is one.
struct OverviewPicture {
    private let panels: [[Panel]]

    /// - Parameter truth: on any grid, in the map's unit.
    init(estimate: ActivityEstimate, truth: Volume<Float>? = nil) {
        let views = ViewPanels.panels(of: estimate.views)
        let map = estimate.activity
        let unit = estimate.isCalibrated ? "Bq/mL" : "%/mL"
        let onMap = truth.map { $0.resampled(to: map.grid) }
        let peak = Panel.percentile((onMap ?? map).voxels.filter { $0 > 0 }, 0.995)
        // Three coronal planes with the most activity in the back, the middle and the front of the body.
        let planes = Self.planes(of: map)
        var slices: [Panel] = []
        for (volume, word) in [(map, "estimate")] + (onMap.map { [($0, "truth")] } ?? []) {
            for plane in planes {
                let y = Int(map.grid.position(x: 0, y: Double(plane), z: 0).y.rounded())
                slices.append(
                    Panel(
                        title: "\(word) y=\(y) mm", values: ComparisonPicture.coronal(volume, plane),
                        columns: map.grid.columns,
                        aspect: map.grid.spacing.z / map.grid.spacing.x, mirrored: false, scale: .grey(peak, unit)))
            }
        }
        panels = [views, slices]
    }

    func png() -> [UInt8] { PanelSheet(rows: panels).png() }

    private static func planes(of map: Volume<Float>) -> [Int] {
        let grid = map.grid
        let sums = (0..<grid.rows).map { y in ComparisonPicture.coronal(map, y).reduce(0, +) }
        let third = max(grid.rows / 3, 1)
        return (0..<3).compactMap { part in
            let range = part * third..<(part == 2 ? grid.rows : (part + 1) * third)
            return range.max { sums[$0] < sums[$1] }
        }
    }
}

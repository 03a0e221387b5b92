import Imaging
import Reconstruction

/// One picture that shows whether a reconstruction can be believed: measured and reprojected views and their difference,
/// and coronal slices of the map, beside the truth when there is one.
package struct OverviewPicture {
    private let panels: [[Panel]]
    private let notes: [String]

    /// - Parameter truth: on any grid, in the map's unit.
    init(estimate: ActivityEstimate, truth: Volume<Float>? = nil) {
        let views = ViewPanels.panels(of: estimate.views)
        let map = estimate.activity
        let unit = estimate.isCalibrated ? "Bq/mL" : "%/mL"
        let onMap = truth.map { $0.resampled(to: map.grid) }
        let peak = Panel.percentile((onMap ?? map).voxels.filter { $0 > 0 }, 0.995)
        let sums = (0..<map.grid.rows).map { y in ComparisonPicture.coronal(map, y).reduce(0, +) }
        let planes = Self.planes(of: sums)
        var slices: [Panel] = []
        for (volume, word) in [(map, "estimate")] + (onMap.map { [($0, "truth")] } ?? []) {
            for plane in planes {
                let y = Int(map.grid.position(x: 0, y: Double(plane), z: 0).y.rounded())
                slices.append(
                    Panel(
                        title: "\(word) y=\(y) mm", values: ComparisonPicture.coronal(volume, plane),
                        columns: map.grid.columns,
                        aspect: map.grid.spacing.z / map.grid.spacing.x, mirrored: false, scale: .grey(peak, unit),
                        pixelMillimetres: map.grid.spacing.x))
            }
        }
        panels = [views, slices]
        notes = ViewPanels.notes(of: estimate.views)
    }

    func png() -> [UInt8] { PanelSheet(rows: panels, notes: notes).png() }

    /// Up to three planes with the most activity, from the front to the back, a quarter of what holds any apart.
    ///
    /// - Parameter sums: activity of each plane.
    package static func planes(of sums: [Float]) -> [Int] {
        guard let first = sums.firstIndex(where: { $0 > 0 }), let last = sums.lastIndex(where: { $0 > 0 }) else {
            return []
        }
        let distance = max((last - first) / 4, 1)
        var chosen: [Int] = []
        while chosen.count < 3 {
            let free = (first...last).filter { plane in chosen.allSatisfy { abs($0 - plane) >= distance } }
            guard let next = free.max(by: { sums[$0] < sums[$1] }) else { break }
            chosen.append(next)
        }
        return chosen.sorted()
    }
}

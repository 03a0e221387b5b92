import Imaging
import Reconstruction

/// One picture that shows whether a reconstruction can be believed: measured and reprojected views and their difference,
/// and coronal slices of the map, beside the truth when there is one.
struct OverviewPicture {
    private static let scale = 3
    private static let gap = 18
    private static let captionHeight = 44

    private let panels: [[Panel]]

    /// - Parameter truth: on any grid, in the map's unit.
    init(estimate: ActivityEstimate, truth: Volume<Float>? = nil) {
        var views: [Panel] = []
        for view in estimate.views {
            let peak = Panel.percentile(view.measured, 0.998)
            let columns = view.detector.columns
            let aspect = view.detector.spacing.y / view.detector.spacing.x
            // A posterior view is shown as seen from behind.
            let mirrored = view.direction == .posterior
            func panel(_ title: String, _ values: [Float], _ scale: Panel.Scale) -> Panel {
                Panel(
                    title: "\(view.direction.rawValue) \(title)", values: values, columns: columns, aspect: aspect,
                    mirrored: mirrored, scale: scale)
            }
            let residual = zip(view.measured, view.expected).map { ($0 - $1) / max($1, 1).squareRoot() }
            views.append(panel("measured", view.measured, .grey(peak, "counts")))
            views.append(panel("reprojected", view.expected, .grey(peak, "counts")))
            views.append(panel("difference", residual, .signed(5, "sigma")))
        }
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
                        title: "\(word) y=\(y) mm", values: Self.coronal(volume, plane), columns: map.grid.columns,
                        aspect: map.grid.spacing.z / map.grid.spacing.x, mirrored: false, scale: .grey(peak, unit)))
            }
        }
        panels = [views, slices]
    }

    func png() -> [UInt8] {
        let sizes = panels.map { row in row.map { $0.size(Self.scale) } }
        let width = sizes.map { row in row.reduce(Self.gap) { $0 + max($1.width, 236) + Self.gap } }.max() ?? 1
        let heights = sizes.map { row in (row.map(\.height).max() ?? 0) + Self.captionHeight + Self.gap }
        var canvas = Canvas(width: width, height: heights.reduce(Self.gap, +))
        var top = Self.gap
        for (row, line) in panels.enumerated() {
            var left = Self.gap
            for (column, panel) in line.enumerated() {
                panel.draw(on: &canvas, left: left, top: top, scale: Self.scale, caption: Self.captionHeight)
                left += max(sizes[row][column].width, 236) + Self.gap
            }
            top += heights[row]
        }
        return PNGEncoder.encode(canvas)
    }

    private static func planes(of map: Volume<Float>) -> [Int] {
        let grid = map.grid
        let sums = (0..<grid.rows).map { y in coronal(map, y).reduce(0, +) }
        let third = max(grid.rows / 3, 1)
        return (0..<3).compactMap { part in
            let range = part * third..<(part == 2 ? grid.rows : (part + 1) * third)
            return range.max { sums[$0] < sums[$1] }
        }
    }

    private static func coronal(_ volume: Volume<Float>, _ y: Int) -> [Float] {
        let grid = volume.grid
        return (0..<grid.slices).flatMap { z in
            volume.voxels[grid.offset(x: 0, y: y, z: z)..<grid.offset(x: 0, y: y, z: z) + grid.columns]
        }
    }
}

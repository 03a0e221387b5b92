import Imaging
import Reconstruction

/// A map beside the truth on one grey scale, in coronal and axial slices, and its views beside the measured ones.
struct ComparisonPicture {
    let map, truth: Volume<Float>
    let views: [ActivityEstimate.ViewFit]

    func png() -> [UInt8] {
        let peak = Panel.percentile(truth.voxels.filter { $0 > 0 }, 0.995)
        let row = Self.fullest(truth.grid.rows) { y in Self.coronal(truth, y).reduce(0, +) }
        let slice = Self.fullest(truth.grid.slices) { z in Self.axial(truth, z).reduce(0, +) }
        let grid = truth.grid
        let y = Int(grid.position(x: 0, y: Double(row), z: 0).y.rounded())
        let z = Int(grid.position(x: 0, y: 0, z: Double(slice)).z.rounded())
        let pairs = [(map, "estimate"), (truth, "truth")]
        let coronal = pairs.map { volume, word in
            Panel(
                title: "\(word) y=\(y) mm", values: Self.coronal(volume, row), columns: grid.columns,
                aspect: grid.spacing.z / grid.spacing.x, mirrored: false, scale: .grey(peak, "Bq/mL"),
                pixelMillimetres: grid.spacing.x)
        }
        let axial = pairs.map { volume, word in
            Panel(
                title: "\(word) z=\(z) mm", values: Self.axial(volume, slice), columns: grid.columns,
                aspect: grid.spacing.y / grid.spacing.x, mirrored: false, scale: .grey(peak, "Bq/mL"),
                pixelMillimetres: grid.spacing.x)
        }
        return PanelSheet(
            rows: [coronal + ViewPanels.panels(of: views), axial], notes: ViewPanels.notes(of: views)
        ).png()
    }

    private static func fullest(_ count: Int, _ content: (Int) -> Float) -> Int {
        (0..<count).max { content($0) < content($1) } ?? 0
    }

    static func coronal(_ volume: Volume<Float>, _ y: Int) -> [Float] {
        let grid = volume.grid
        return (0..<grid.slices).flatMap { z in
            volume.voxels[grid.offset(x: 0, y: y, z: z)..<grid.offset(x: 0, y: y, z: z) + grid.columns]
        }
    }

    /// Rows from the back to the front, so that the page shows the front above.
    static func axial(_ volume: Volume<Float>, _ z: Int) -> [Float] {
        let grid = volume.grid
        return (0..<grid.rows).reversed().flatMap { y in
            volume.voxels[grid.offset(x: 0, y: y, z: z)..<grid.offset(x: 0, y: y, z: z) + grid.columns]
        }
    }
}

/// Measured, reprojected and residual panels of views.
enum ViewPanels {
    /// Both directions of a photon line have one scale.
    static func panels(of views: [ActivityEstimate.ViewFit]) -> [Panel] {
        views.flatMap { view -> [Panel] in
            let peak = views.filter { $0.energy == view.energy }.map { Panel.percentile($0.measured, 0.998) }.max() ?? 1
            // A posterior view is shown as seen from behind.
            func panel(_ title: String, _ values: [Float], _ scale: Panel.Scale) -> Panel {
                Panel(
                    title: "\(view.direction.rawValue) \(title)", values: values, columns: view.detector.columns,
                    aspect: view.detector.spacing.y / view.detector.spacing.x,
                    mirrored: view.direction == .posterior, scale: scale,
                    pixelMillimetres: view.detector.spacing.x)
            }
            let residual = zip(view.measured, view.expected).map { ($0 - $1) / max($1, 1).squareRoot() }
            return [
                panel("measured", view.measured, .grey(peak, "counts")),
                panel("reprojected", view.expected, .grey(peak, "counts")),
                panel("difference", residual, .signed(5, "sigma")),
            ]
        }
    }

    /// What the panels show, for whoever sees them without their makers.
    static func notes(of views: [ActivityEstimate.ViewFit]) -> [String] {
        var notes = [
            "Difference: red has more counts than expected, blue fewer; sigma is the square root of what is expected."
        ]
        if let spacing = views.first?.detector.spacing {
            let size = [spacing.x, spacing.y].map { Panel.short(Float($0)) }.joined(separator: " x ")
            notes.append("Counts are those of one pixel of \(size) mm.")
        }
        return notes + ["Research, not for clinical use."]
    }
}

/// Rows of panels on one page.
struct PanelSheet {
    private static let scale = 3
    private static let gap = 18
    private static let captionHeight = 64
    private static let noteHeight = 24
    /// Room for a panel's title.
    private static let leastWidth = 262

    let rows: [[Panel]]
    /// Lines below the panels.
    var notes: [String] = []

    func png() -> [UInt8] {
        let sizes = rows.map { row in row.map { $0.size(Self.scale) } }
        let width = sizes.map { row in row.reduce(Self.gap) { $0 + max($1.width, Self.leastWidth) + Self.gap } }
        let heights = sizes.map { row in (row.map(\.height).max() ?? 0) + Self.captionHeight + Self.gap }
        let wide = notes.map { Canvas.width(of: $0) + 2 * Self.gap }
        var canvas = Canvas(
            width: (width + wide).max() ?? 1,
            height: heights.reduce(Self.gap, +) + notes.count * Self.noteHeight)
        var top = Self.gap
        for (row, line) in rows.enumerated() {
            var left = Self.gap
            for (column, panel) in line.enumerated() {
                panel.draw(on: &canvas, left: left, top: top, scale: Self.scale, caption: Self.captionHeight)
                left += max(sizes[row][column].width, Self.leastWidth) + Self.gap
            }
            top += heights[row]
        }
        for note in notes {
            canvas.write(note, x: Self.gap, y: top, scale: 2)
            top += Self.noteHeight
        }
        return PNGEncoder.encode(canvas)
    }
}

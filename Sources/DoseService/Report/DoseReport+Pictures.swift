import Foundation
import Imaging

extension DoseReport {
    private static let panelPixels = 300
    private static let rowsPerPage = 3

    /// Measured, reprojected and residual views of every time point whose reconstruction left them.
    func viewPages() -> [ReportPage] {
        let shown = zip(dosimetry.input.points, summary.hours).compactMap { point, hour in
            point.views.map { (hour, $0) }
        }
        var pages: [ReportPage] = []
        for start in stride(from: 0, to: shown.count, by: Self.rowsPerPage) {
            var page = ReportPage()
            Self.heading(&page, "Planar images: measured, reprojected, and their difference", 50)
            var y = 68.0
            for (hour, views) in shown[start..<min(start + Self.rowsPerPage, shown.count)] {
                y = putViews(&page, hour, views, y, isAlone: shown.count == 1)
            }
            pages.append(page)
        }
        return pages
    }

    /// All views share one grey scale. A single time point has room for a row of each direction.
    private func putViews(
        _ page: inout ReportPage, _ hour: Double, _ stored: StoredViews, _ top: Double, isAlone: Bool
    ) -> Double {
        page.text("\(Int(hour.rounded())) h after the administration", 40, top, size: 9, bold: true)
        let (width, tallest) = isAlone ? (165.0, 330.0) : (79.0, 195.0)
        let peak = stored.views.map { Panel.percentile($0.measured, 0.998) }.max() ?? 1
        var (x, y) = (ReportPage.margin, top)
        var lowest = y
        for view in stored.views where view.columns > 0 && view.spacing.count == 2 {
            let isMirrored = view.direction == "posterior"
            let residual = zip(view.measured, view.expected).map { ($0 - $1) / max($1, 1).squareRoot() }
            let panels: [(String, String, [Float], Bool)] = [
                ("measured", "0 to \(Panel.short(peak)) counts", view.measured, false),
                ("reprojected", "0 to \(Panel.short(peak)) counts", view.expected, false),
                ("difference", "-5 to +5 sigma", residual, true),
            ]
            for (name, legend, values, isSigned) in panels {
                let plane = PlanePicture(
                    values: values, columns: view.columns, aspect: view.spacing[1] / view.spacing[0], isUpward: true)
                let canvas =
                    isSigned
                    ? plane.signed(width: Self.panelPixels, peak: 5, mirrored: isMirrored)
                    : plane.grey(width: Self.panelPixels, peak: peak, mirrored: isMirrored)
                let height = min(width * plane.shape, tallest)
                let shownWidth = height / plane.shape
                page.text("\(view.direction) \(name)", x, y + 12, size: 6.5, bold: true)
                page.text(legend, x, y + 20, size: 6.5, colour: .note)
                putPanel(
                    &page, canvas, x, y + 24, shownWidth, height, sides: isMirrored ? ("L", "R") : ("R", "L"))
                lowest = max(lowest, y + 24 + height)
                x += width + 8
            }
            if isAlone { (x, y) = (ReportPage.margin, lowest + 4) }
        }
        return lowest + 22
    }

    /// A picture with its frame and the letters of the patient's sides.
    private func putPanel(
        _ page: inout ReportPage, _ canvas: Canvas, _ x: Double, _ y: Double, _ width: Double, _ height: Double,
        sides: (String, String), onDark: Bool = false
    ) {
        page.picture(canvas, x, y, width, height)
        let frame = [
            SIMD2(x, y), SIMD2(x + width, y), SIMD2(x + width, y + height), SIMD2(x, y + height), SIMD2(x, y),
        ]
        page.line(frame, width: 0.4, colour: .faint)
        let colour: Canvas.Colour = onDark ? .white : .note
        page.text(sides.0, x + 3, y + 10, size: 9, bold: true, colour: colour)
        page.text(sides.1, x + width - 3, y + 10, size: 9, bold: true, colour: colour, anchor: .end)
    }

    /// Maximum projections of the dose, and slices through the hottest place over the CT with lines of equal dose.
    func picturePage() -> ReportPage {
        var page = ReportPage()
        Self.heading(&page, "Absorbed dose", 50)
        let dose = dosimetry.dose.volume
        let hottest = summary.regions.filter { $0.kind != "background" }.map(\.nearMaximumGray).max()
        let peak = max(Float(hottest ?? 0), 1e-6)
        let (front, side) = (dose.maximumProjection(alongRows: true), dose.maximumProjection(alongRows: false))
        let legend = "maximum projection, 0 to \(Panel.short(peak)) Gy"
        // As large as the place for it, whichever way the field of view is longer.
        func size(_ plane: PlanePicture, width: Double) -> SIMD2<Double> {
            let height = min(318, width * plane.shape)
            return SIMD2(height / plane.shape, height)
        }
        let (frontSize, sideSize) = (size(front, width: 280), size(side, width: 180))
        page.text("From the front, \(legend)", 40, 72, size: 8, bold: true)
        putPanel(
            &page, front.grey(width: 500, peak: peak), 40, 78, frontSize.x, frontSize.y, sides: ("R", "L"))
        page.text("From the patient's left", 330, 72, size: 8, bold: true)
        putPanel(
            &page, side.grey(width: 300, peak: peak), 330, 78, sideSize.x, sideSize.y, sides: ("front", "back"))
        putScale(&page, x: 520, y: 90, height: 120, peak: peak)
        putSlices(&page, peak: peak, y: 424)
        return page
    }

    /// The grey scale with its ends.
    private func putScale(_ page: inout ReportPage, x: Double, y: Double, height: Double, peak: Float) {
        let ramp = PlanePicture(values: (0...255).map { Float($0) / 255 * peak }, columns: 1, aspect: 1, isUpward: true)
        let canvas = ramp.resized(width: 8, height: 256, peak: peak)
        page.picture(canvas, x, y, 9, height)
        for part in [0, 0.25, 0.5, 0.75, 1.0] {
            page.text("\(Panel.short(peak * Float(part)))", x + 12, y + height * (1 - part) + 2.5, size: 6.5)
        }
        page.text("Gy", x, y - 5, size: 7, bold: true)
    }

    private func putSlices(_ page: inout ReportPage, peak: Float, y: Double) {
        let (dose, ct) = (dosimetry.dose.volume, dosimetry.anatomy.hounsfield)
        let place = hottestPlace()
        let levels: [(gray: Float, colour: Canvas.Colour)] = zip(
            [0.1, 0.25, 0.5, 0.75] as [Float], [4, 2, 5, 1]
        ).map { (peak * $0, Canvas.Colour.series[$1]) }
        page.text(
            "Slices through the region with the highest dose, over the CT, with lines of equal dose", 40, y, size: 9,
            bold: true)
        for (index, level) in levels.enumerated() {
            let x = 40 + Double(index) * 70
            page.line([SIMD2(x, y + 10), SIMD2(x + 16, y + 10)], width: 2, colour: level.colour)
            page.text("\(Panel.short(level.gray)) Gy", x + 20, y + 12.5, size: 7.5)
        }
        let position = dose.grid.position(x: Double(place.x), y: Double(place.y), z: Double(place.z))
        let planes: [(String, PlanePicture, PlanePicture, (String, String))] = [
            ("coronal, y = \(Int(position.y.rounded())) mm", ct.coronal(place.y), dose.coronal(place.y), ("R", "L")),
            (
                "sagittal, x = \(Int(position.x.rounded())) mm", ct.sagittal(place.x), dose.sagittal(place.x),
                ("front", "back")
            ), ("axial, z = \(Int(position.z.rounded())) mm", ct.axial(place.z), dose.axial(place.z), ("R", "L")),
        ]
        let gap = 10.0
        let heights = planes.map { min(322, 205 * $0.1.shape) }
        let wanted = zip(planes, heights).reduce(0) { $0 + $1.1 / $1.0.1.shape }
        let room = ReportPage.width - 2 * ReportPage.margin - gap * Double(planes.count - 1)
        let scale = min(1, room / wanted)
        var x = ReportPage.margin
        for ((title, image, overlay, sides), tall) in zip(planes, heights) {
            let height = tall * scale
            let width = height / image.shape
            page.text(title, x, y + 26, size: 7.5, bold: true)
            putPanel(
                &page, image.fused(width: 460, dose: overlay, levels: levels), x, y + 32, width, height, sides: sides,
                onDark: true)
            x += width + gap
        }
    }

    /// The middle of the region with the highest mean dose.
    private func hottestPlace() -> SIMD3<Int> {
        let grid = dosimetry.anatomy.grid
        let rows = summary.regions.filter { $0.kind != "background" }
        guard let name = rows.max(by: { $0.gray < $1.gray })?.name,
            let region = dosimetry.regions.first(where: { $0.name == name })
        else { return SIMD3(grid.columns / 2, grid.rows / 2, grid.slices / 2) }
        var (sum, weight) = (SIMD3<Double>(), 0.0)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where region.coverage[x, y, z] > 0 {
                    let part = Double(region.coverage[x, y, z])
                    sum += part * SIMD3(Double(x), Double(y), Double(z))
                    weight += part
                }
            }
        }
        let middle = (sum / weight).rounded(.toNearestOrEven)
        return SIMD3(Int(middle.x), Int(middle.y), Int(middle.z))
    }
}

extension PlanePicture {
    /// In grey, without keeping the shape.
    func resized(width: Int, height: Int, peak: Float) -> Canvas {
        PlanePicture(
            values: values, columns: columns, aspect: Double(height) / Double(width) / Double(values.count / columns),
            isUpward: isUpward
        ).grey(width: width, peak: peak)
    }
}

import DICOM
import Dosimetry
import Foundation

extension DoseReport {
    private struct Column: Sendable {
        let head, unit: String
        let right: Double
        let value: @Sendable (DoseSummary.Region) -> String
    }

    private static let columns: [Column] = [
        Column(head: "Mass", unit: "g", right: 166) { digits($0.massGrams) },
        Column(head: "Activity", unit: "MBq", right: 206) { digits($0.activityMegabecquerel) },
        Column(head: "Share", unit: "% adm.", right: 241) { digits($0.administeredPercent) },
        Column(head: "Integral", unit: "MBq h", right: 281) { digits($0.integratedMegabecquerelHours) },
        Column(head: "T eff", unit: "h", right: 308) { $0.curve?.foundHalfLifeHours.map(digits) ?? "-" },
        Column(head: "Dose", unit: "Gy", right: 344) { digits($0.gray) },
        Column(head: "k = 1", unit: "± Gy", right: 377) { digits($0.gray * $0.deviationPercent / 100) },
        Column(head: "k = 2", unit: "± Gy", right: 410) { digits($0.gray * $0.expandedPercent / 100) },
        Column(head: "per adm.", unit: "Gy/GBq", right: 453) { digits($0.grayPerGigabecquerel) },
        Column(head: "D98", unit: "Gy", right: 486) { digits($0.nearMinimumGray) },
        Column(head: "D2", unit: "Gy", right: 520) { digits($0.nearMaximumGray) },
        Column(head: "BED", unit: "Gy", right: 554) { digits($0.effectiveGray) },
    ]

    /// Three digits, and none behind the point that are not among them.
    static func digits(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let places = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : abs(value) >= 1 ? 2 : 3
        return String(format: "%.\(places)f", value)
    }

    /// Verdict, facts and the table of regions; a long table goes on on further pages.
    func tablePages() -> [ReportPage] {
        var page = ReportPage()
        var y = putVerdict(&page, putTitle(&page, 50))
        Self.heading(&page, "Regions", y)
        y = putTableHead(&page, y + 18)
        var pages: [ReportPage] = []
        for (index, region) in summary.regions.enumerated() {
            if y > ReportPage.height - 70 {
                pages.append(page)
                page = ReportPage()
                y = putTableHead(&page, 60)
            }
            if index % 2 == 0 { page.box(ReportPage.margin, y - 8.5, 515, 12, fill: .shade) }
            page.text(Self.shown(region.name), 43, y, size: 7.5, bold: region.kind == "lesion")
            for column in Self.columns { page.text(column.value(region), column.right, y, size: 7.5, anchor: .end) }
            y += 12
        }
        y += 6
        let note =
            "Dose: mean absorbed dose from the administration to the end of all decays, physical. BED: biologically "
            + "effective dose. k: coverage factor of the EANM 2018 uncertainty budget. Lesions in bold."
        y = page.paragraph(note, 40, y, width: 515, size: 7, leading: 9, colour: .note) + 12
        let limited = summary.cumulative.filter { $0.limitGray != nil }
        let comparisons = summary.regions.filter { $0.kind != "background" }
        if y + 70 + Double(limited.count + comparisons.count) * 11 > ReportPage.height - 60 {
            pages.append(page)
            page = ReportPage()
            y = 60
        }
        y = putCumulative(&page, limited, y)
        putComparison(&page, comparisons, y)
        return pages + [page]
    }

    private func putTitle(_ page: inout ReportPage, _ y: Double) -> Double {
        let dataset = dosimetry.input.points[0].dataset
        page.text(Self.title, 40, y, size: 18, bold: true)
        page.text("created \(Self.shown(request.createdAt))", 555, y, size: 8, colour: .note, anchor: .end)
        let name = (dataset.text(.patientName) ?? "").split(separator: "^").joined(separator: " ")
        let facts = [
            ("Patient", name), ("Patient ID", dataset.text(.patientID) ?? ""),
            ("Born", Self.shown(date: dataset.text(.patientBirthDate) ?? "")),
            (
                "Administered",
                "\(Self.digits(summary.administeredMegabecquerel)) MBq \(summary.radionuclide), "
                    + Self.shown(request.administeredAt)
            ), ("Images", summary.hours.map { "\(Self.digits($0)) h" }.joined(separator: ", ") + " after it"),
            ("Method", summary.method == "voxel-kernel" ? "voxel kernel convolution" : "local deposition"),
        ]
        for (index, (head, value)) in facts.enumerated() {
            let (x, line) = (40 + Double(index / 3) * 230, y + 22 + Double(index % 3) * 13)
            page.text(head, x, line, size: 8, colour: .note)
            page.text(value, x + 62, line, size: 8.5, bold: index == 0)
        }
        return y + 72
    }

    /// The checks come first: whether any of this can be believed.
    private func putVerdict(_ page: inout ReportPage, _ y: Double) -> Double {
        let failed = summary.checks.filter { $0.outcome == .fail }
        let warned = summary.checks.filter { $0.outcome == .warn }
        let (word, colour): (String, Canvas.Colour) =
            !failed.isEmpty ? ("FAILED", .fail) : !warned.isEmpty ? ("REVIEW", .warn) : ("PASSED", .pass)
        let shown = (failed + warned).prefix(8)
        let height = 24 + Double(shown.count) * 11
        page.box(40, y, 515, height, fill: .shade)
        page.box(40, y, 5, height, fill: colour)
        let images = summary.hours.count == 1 ? ", from one image" : ""
        page.text("Quality checks: \(word)\(images)", 53, y + 16, size: 12, bold: true, colour: colour)
        let passed = summary.checks.count - failed.count - warned.count
        page.text(
            "\(passed) of \(summary.checks.count) checks passed", 547, y + 16, size: 8, colour: .note, anchor: .end)
        for (index, check) in shown.enumerated() {
            let line = y + 29 + Double(index) * 11
            page.text(
                check.outcome == .fail ? "failed" : "warning", 53, line, size: 8, bold: true,
                colour: check.outcome == .fail ? .fail : .warn)
            page.text(Self.shown(check.name.replacingOccurrences(of: "-", with: " ")), 95, line)
            page.text(
                "\(Self.digits(check.value)); warns above \(Self.digits(check.warnLimit)), "
                    + "fails above \(Self.digits(check.failLimit))", 547, line, anchor: .end)
        }
        return y + height + 22
    }

    private func putTableHead(_ page: inout ReportPage, _ y: Double) -> Double {
        page.text("Region", 43, y, size: 7.5, bold: true)
        for column in Self.columns {
            page.text(column.head, column.right, y, size: 7.5, bold: true, anchor: .end)
            page.text(column.unit, column.right, y + 9, size: 6.5, colour: .note, anchor: .end)
        }
        return y + 22
    }

    private func putCumulative(_ page: inout ReportPage, _ rows: [DoseSummary.Cumulative], _ y: Double) -> Double {
        guard !rows.isEmpty else { return y }
        Self.heading(&page, "All cycles so far, beside the literature", y)
        var line = y + 18
        for row in rows {
            let over =
                row.gray > (row.limitGray ?? .infinity) || row.effectiveGray > (row.effectiveLimitGray ?? .infinity)
            let effective = row.effectiveLimitGray.map { "; BED \(Self.digits($0)) Gy, Bodei 2008" } ?? ""
            page.text(Self.shown(row.name), 43, line)
            page.text(
                "\(Self.digits(row.gray)) Gy (BED \(Self.digits(row.effectiveGray)) Gy) in \(row.cycles) "
                    + (row.cycles == 1 ? "cycle" : "cycles") + (row.cyclesWithout.map { ", \($0) without" } ?? ""), 115,
                line, bold: over, colour: over ? .fail : .black)
            page.text(
                "literature: \(Self.digits(row.limitGray ?? 0)) Gy, \(row.limitSource ?? "")\(effective)",
                ReportPage.width - ReportPage.margin, line, size: 7, colour: .note, anchor: .end)
            line += 11
        }
        return line + 14
    }

    /// What other, simpler ways would have said.
    private func putComparison(_ page: inout ReportPage, _ rows: [DoseSummary.Region], _ y: Double) {
        Self.heading(&page, "Beside other methods", y)
        let other = summary.method == "voxel-kernel" ? "Local deposition" : "Voxel kernel"
        let heads = [
            ("Dose", "Gy", 160.0), (other, "Gy", 233), ("As a sphere", "Gy", 300),
            ("Activity", "MBq", 362), ("Conjugate view", "MBq", 430), ("PET template", "MBq", 492),
            ("Share of data", "0 to 1", 554),
        ]
        for (head, unit, right) in heads {
            page.text(head, right, y + 17, size: 7.5, bold: true, anchor: .end)
            page.text(unit, right, y + 26, size: 6.5, colour: .note, anchor: .end)
        }
        for (index, row) in rows.enumerated() {
            let line = y + 38 + Double(index) * 11
            page.text(Self.shown(row.name), 43, line, size: 7.5)
            let cells = [
                Self.digits(row.gray), Self.digits(row.otherMethodGray), Self.digits(row.sphereGray),
                Self.digits(row.activityMegabecquerel), row.conjugateViewMegabecquerel.map(Self.digits) ?? "-",
                row.templateMegabecquerel.map(Self.digits) ?? "-", row.dataShare.map(Self.digits) ?? "-",
            ]
            for (cell, head) in zip(cells, heads) { page.text(cell, head.2, line, size: 7.5, anchor: .end) }
        }
    }
}

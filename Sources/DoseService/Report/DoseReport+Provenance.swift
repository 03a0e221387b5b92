import Dosimetry
import Foundation

extension DoseReport {
    /// Budget, assumptions, where it all came from, and where to sign.
    func provenancePages() -> [ReportPage] {
        var page = ReportPage()
        Self.heading(&page, "Uncertainty budget, relative standard deviations in % (k = 1)", 50)
        var y = putBudget(&page, 66)
        Self.heading(&page, "What was assumed", y + 14)
        y += 30
        for sentence in assumptions() {
            page.text("-", 40, y)
            y = page.paragraph(sentence, 48, y, width: 505) + 1
        }
        var pages: [ReportPage] = []
        if y > ReportPage.height - 330 {
            pages.append(page)
            page = ReportPage()
            y = 40
        }
        Self.heading(&page, "Provenance", y + 14)
        y = putProvenance(&page, y + 30)
        putSignature(&page, max(y + 20, ReportPage.height - 150))
        return pages + [page]
    }

    private func putBudget(_ page: inout ReportPage, _ y: Double) -> Double {
        let heads = [
            ("Calibration", 210.0), ("Recovery", 265), ("Counts", 320), ("Fit of time", 380), ("Volume", 435),
            ("Total", 490), ("k = 2", 545),
        ]
        for (head, right) in heads { page.text(head, right, y, size: 7.5, bold: true, anchor: .end) }
        var line = y + 12
        for row in summary.regions where row.kind != "background" {
            page.text(Self.shown(row.name), 43, line, size: 7.5)
            let budget = row.budget
            let parts = [
                budget.calibration, budget.recovery, budget.counts, budget.fit, budget.volume, budget.total,
                2 * budget.total,
            ]
            for (part, head) in zip(parts, heads) {
                page.text(String(format: "%.1f", 100 * part), head.1, line, size: 7.5, anchor: .end)
            }
            line += 10.5
        }
        return line
    }

    private func assumptions() -> [String] {
        var sentences = [
            "Nuclear data of \(summary.radionuclide): ICRP Publication 107. "
                + (summary.method == "voxel-kernel"
                    ? "Voxel kernels from a beta point kernel (Loevinger) and photons with build-up in unbounded soft "
                        + "tissue of 1.04 g/mL; the electrons' part scaled by 1.04 over the density from CT."
                    : "All charged energy absorbed in the voxel of the decay; photons left out."),
            summary.kinetics == "voxel"
                ? "Every voxel has a falling exponential of its own, held by its region's half-life (20 %); their sum is "
                    + "the region's fitted integral."
                : "A region's decays follow its fitted curve; within it they are spread as on the mean of the images.",
            String(
                format: "Uncertainty: calibration %.0f %%, image resolution %.0f mm, contours to %.1f mm.",
                100 * summary.assumptions.calibration, summary.assumptions.imageResolution,
                summary.assumptions.contourSpacing),
            String(
                format: "Energy: %.4g J emitted, %.4g J absorbed in the grid, %.4g J farther than the kernel, %.4g J "
                    + "outside the grid.", summary.balance.emittedJoule, summary.balance.absorbedJoule,
                summary.balance.beyondKernelJoule, summary.balance.beyondGridJoule),
        ]
        let byFinding = Dictionary(
            grouping: summary.regions.flatMap { row in row.findings.map { ($0, Self.shown(row.name)) } }, by: \.0)
        for (finding, regions) in byFinding.sorted(by: { $0.key < $1.key }) {
            sentences.append("\(Self.sentence(finding)): \(regions.map(\.1).joined(separator: ", ")).")
        }
        sentences += summary.findings.map { "\(Self.sentence($0))." }
        return sentences
    }

    private static func sentence(_ finding: String) -> String {
        switch finding {
        case "half-life-prior-used": "The expected half-life counted as one more image"
        case "no-clearance-seen": "No clearance was seen; physical decay was assumed"
        case "single-time-point": "One image only; the integral rests on an expected half-life"
        case "activity-deviation-assumed": "The deviation of the activity was not known; 10 % was assumed"
        case "outside-of-the-anatomy":
            "Activity that no region of the anatomy explains, as a sphere of 10 mm around where it was found"
        case "marrow-from-cancellous-bone":
            "Marrow: the mean dose in cancellous bone on the CT, away from lesions; how much of the bone's activity is the "
                + "marrow's no image says"
        case "administered-activity-not-the-images":
            "An image's file says another administered activity than the one that counts"
        case "administration-time-not-the-images":
            "An image's file says another time of the administration than the one that counts"
        case "cumulative-incomplete":
            "An earlier cycle says nothing of a region that has a limit: its sum over the cycles is too low"
        case "spect-anchored": "A SPECT says how much there is, the planar images how it goes on in time"
        case "spect-does-not-cover": "The SPECT does not show all of it; the planar images alone count"
        case "no-activity": "No activity was seen"
        case "negative-fit": "The activity did not fall; the expected half-life held the fit"
        case "no-contours": "There were no contours; regions follow from CT numbers alone"
        case "contour-outside-body": "A contour lies outside the body and was left out"
        default: finding.replacingOccurrences(of: "-", with: " ")
        }
    }

    private func putProvenance(_ page: inout ReportPage, _ y: Double) -> Double {
        let made = summary.provenance
        var line = y
        let facts = [
            ("Program", "Scintivol \(made.version), commit \(made.commit)"), ("Recipe", made.recipeHash),
            ("Model", made.modelHash),
        ]
        for (head, value) in facts {
            page.text(head, 40, line, size: 7.5, colour: .note)
            line = page.paragraph(value, 95, line, width: 460, size: 7.5, leading: 10)
        }
        page.text("Instances", 40, line, size: 7.5, colour: .note)
        for source in summary.sources.prefix(14) {
            page.text(source.sopInstanceUID, 95, line, size: 6.5)
            line += 9
        }
        return line
    }

    private func putSignature(_ page: inout ReportPage, _ y: Double) {
        Self.heading(&page, "Approval", y)
        for (index, role) in ["Medical physicist", "Physician"].enumerated() {
            let line = y + 34 + Double(index) * 32
            page.text(role, 40, line)
            page.line([SIMD2(130, line + 2), SIMD2(320, line + 2)], width: 0.5)
            page.text("name and signature", 130, line + 11, size: 6.5, colour: .note)
            page.line([SIMD2(340, line + 2), SIMD2(440, line + 2)], width: 0.5)
            page.text("date", 340, line + 11, size: 6.5, colour: .note)
            page.text("[  ] approved   [  ] rejected", 452, line)
        }
    }
}

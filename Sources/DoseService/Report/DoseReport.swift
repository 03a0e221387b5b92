import DICOM
import Dosimetry
import Foundation
import Imaging

/// The report that a physicist reads and signs.
struct DoseReport {
    static let title = "Absorbed dose report"

    let dosimetry: RegionDosimetry
    let summary: DoseSummary
    let request: DoseRun.Request

    func pages() -> [ReportPage] {
        var pages = tablePages() + viewPages() + [picturePage()] + chartPages() + [curvePage()] + provenancePages()
        for index in pages.indices { putFrame(&pages[index], number: index + 1, of: pages.count) }
        return pages
    }

    /// Foot and headline of every page.
    private func putFrame(_ page: inout ReportPage, number: Int, of count: Int) {
        let right = ReportPage.width - ReportPage.margin
        let foot = ReportPage.height - 24
        page.rule(foot - 10)
        page.text(
            "Scintivol \(summary.provenance.version), commit \(summary.provenance.commit.prefix(10))", 40, foot,
            size: 7, colour: .note)
        page.text("page \(number) of \(count)", right, foot, size: 7, colour: .note, anchor: .end)
        if request.qualification == .research {
            page.text(
                "Research, not for clinical use", ReportPage.width / 2, foot, size: 8, bold: true, colour: .fail,
                anchor: .middle)
        }
    }

    static func heading(_ page: inout ReportPage, _ text: String, _ y: Double) {
        page.text(text, ReportPage.margin, y, size: 12, bold: true)
        page.rule(y + 4)
    }

    /// A region's name for people.
    static func shown(_ name: String) -> String { name.replacingOccurrences(of: "_", with: " ") }

    /// `2024-03-26`; what is no date as it is.
    static func shown(date: String) -> String {
        let digits = Array(date)
        guard digits.count == 8, digits.allSatisfy(\.isNumber) else { return date }
        return "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
    }

    /// `2024-03-26 10:00`
    static func shown(_ time: LocalTimestamp) -> String {
        let (date, clock) = (Array(time.dicomDate), Array(time.dicomTime))
        return "\(String(date[0..<4]))-\(String(date[4..<6]))-\(String(date[6..<8])) "
            + "\(String(clock[0..<2])):\(String(clock[2..<4]))"
    }
}

import DICOM
import Dosimetry
import Foundation

/// The dose table for programs and for terminals.
public enum DoseText {
    /// One row per region, in the order of the summary; heads name the units.
    static func csv(_ summary: DoseSummary) -> String {
        let heads = [
            "number", "region", "kind", "volume_ml", "mass_g", "activity_mbq", "administered_percent",
            "conjugate_view_mbq", "pet_template_mbq", "data_share", "spect_factor", "integrated_mbq_h",
            "effective_half_life_h", "model", "aicc", "dose_gy",
            "dose_gy_per_gbq", "sd_percent_k1", "expanded_percent_k2", "d98_gy", "d2_gy", "maximum_gy", "bed_gy",
            "other_method_gy", "sphere_gy", "findings",
        ]
        let rows = summary.regions.enumerated().map { index, region in ["\(index + 1)"] + cells(region) }
        return ([heads] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private static func cells(_ region: DoseSummary.Region) -> [String] {
        func optional(_ value: Double?) -> String { value.map(number) ?? "" }
        let amounts: [Double] = [
            region.volumeMillilitres, region.massGrams, region.activityMegabecquerel, region.administeredPercent,
        ]
        let beside = [
            region.conjugateViewMegabecquerel, region.templateMegabecquerel, region.dataShare, region.spectFactor,
        ]
        let doses: [Double] = [
            region.gray, region.grayPerGigabecquerel, region.deviationPercent, region.expandedPercent,
            region.nearMinimumGray, region.nearMaximumGray, region.maximumGray, region.effectiveGray,
            region.otherMethodGray, region.sphereGray,
        ]
        let curve: [String] = [
            number(region.integratedMegabecquerelHours), optional(region.curve?.foundHalfLifeHours),
            region.curve?.model.rawValue ?? "", optional(region.curve?.criterion),
        ]
        return [region.name, region.kind] + amounts.map(number) + beside.map(optional) + curve + doses.map(number)
            + [region.findings.joined(separator: " ")]
    }

    /// Cumulative histograms: one row per region and dose.
    static func histograms(_ curves: [(String, DoseVolumeHistogram)]) -> String {
        var text = "region,dose_gy,volume_ml,volume_percent\n"
        for (name, histogram) in curves {
            let bins = histogram.cumulative(binCount: 100)
            for (index, volume) in bins.millilitres.enumerated() {
                let percent = 100 * volume / histogram.millilitres
                text += "\(name),\(number(Double(index) * bins.width)),\(number(volume)),\(number(percent))\n"
            }
        }
        return text
    }

    /// The table as groups of measurements.
    static func measurements(_ summary: DoseSummary) -> MeasurementReport {
        MeasurementReport(
            groups: summary.regions.map { region in
                MeasurementReport.Group(
                    name: region.name, finding: region.kind == "lesion" ? .lesionFinding : .organFinding,
                    site: .site(of: region.name),
                    measurements: [
                        .init(.volume, region.volumeMillilitres, .cubicCentimetre),
                        .init(.mass, region.massGrams, .gram),
                        .init(.organDose, region.gray, .gray, derivation: .mean),
                        .init(
                            .organDose, region.gray * region.deviationPercent / 100, .gray,
                            derivation: .standardDeviation),
                        .init(.organDose, region.minimumGray, .gray, derivation: .minimum),
                        .init(.organDose, region.maximumGray, .gray, derivation: .maximum),
                    ], comment: comment(region))
            })
    }

    private static func comment(_ region: DoseSummary.Region) -> String {
        "Activity \(number(region.activityMegabecquerel)) MBq at the first time point; time-integrated activity "
            + "\(number(region.integratedMegabecquerelHours)) MBq h; \(number(region.grayPerGigabecquerel)) Gy/GBq; "
            + "D98 \(number(region.nearMinimumGray)) Gy; D2 \(number(region.nearMaximumGray)) Gy; "
            + "biologically effective dose \(number(region.effectiveGray)) Gy"
    }

    /// For a terminal.
    public static func table(_ summary: DoseSummary) -> String {
        var rows = [["region", "g", "MBq", "%IA", "MBq h", "T h", "Gy", "+-% k=1", "Gy/GBq", "D98", "D2", "BED Gy"]]
        for region in summary.regions {
            rows.append([
                region.name, digits(region.massGrams, 0), digits(region.activityMegabecquerel, 1),
                digits(region.administeredPercent, 2), digits(region.integratedMegabecquerelHours, 0),
                region.curve?.foundHalfLifeHours.map { digits($0, 0) } ?? "", digits(region.gray, 2),
                digits(region.deviationPercent, 0), digits(region.grayPerGigabecquerel, 3),
                digits(region.nearMinimumGray, 2), digits(region.nearMaximumGray, 2), digits(region.effectiveGray, 1),
            ])
        }
        var text = OfflineReport.aligned(rows)
        for check in summary.checks where check.outcome != .pass {
            text += "\(check.outcome.rawValue.uppercased()): \(check.name) = \(digits(check.value, 2))\n"
        }
        for row in summary.cumulative { text += cumulativeLine(row).map { "\($0)\n" } ?? "" }
        return text
    }

    /// - Returns: nil for a region of which the literature has no limit.
    private static func cumulativeLine(_ row: DoseSummary.Cumulative) -> String? {
        guard let limit = row.limitGray, limit > 0 else { return nil }
        let without = row.cyclesWithout.map { " (\($0) more say nothing of it)" } ?? ""
        let cycles = (row.cycles == 1 ? "in this cycle" : "in \(row.cycles) cycles with this one") + without
        return
            "\(row.name): \(digits(row.gray, row.gray < 1 ? 2 : 1)) Gy \(cycles), \(digits(100 * row.gray / limit, 0)) % of the "
            + "\(digits(limit, 0)) Gy that the literature takes as the limit for all cycles"
    }

    /// Six digits, with a point whatever the machine's language is.
    static func number(_ value: Double) -> String { String(format: "%.6g", value) }

    static func digits(_ value: Double, _ count: Int) -> String { String(format: "%.\(count)f", value) }
}

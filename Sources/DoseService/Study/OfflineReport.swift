import Foundation

/// Results as text for a terminal.
public enum OfflineReport {
    public static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// The organ table, beside the truth when there is one.
    public static func table(_ summary: ResultSummary, truth: PhantomFiles.Truth? = nil) -> String {
        let heads = ["organ", "mL", summary.isCalibrated ? "MBq" : "%", summary.isCalibrated ? "kBq/mL" : "", "+-%"]
        var rows = [heads + ["data"] + (truth == nil ? [] : ["true MBq", "error %"])]
        for organ in summary.organs {
            var row = [
                organ.name, number(organ.volumeMillilitres, organ.kind == "lesion" ? 1 : 0),
                number(organ.activityMegabecquerel ?? organ.activityPercent, 2),
                organ.meanBecquerelPerMillilitre.map { number($0 / 1000, 2) } ?? "", number(organ.deviationPercent, 1),
                number(organ.dataShare, 2),
            ]
            if let truth {
                let true_ = truth.organs.first { $0.name == organ.name }?.activityMegabecquerel
                row.append(true_.map { number($0, 2) } ?? "")
                let found = organ.activityMegabecquerel
                row.append(true_.flatMap { t in found.map { number(100 * ($0 / t - 1), 1) } } ?? "")
            }
            rows.append(row)
        }
        var text = aligned(rows) + meaning(summary, withTruth: truth != nil)
        for view in summary.views {
            text += "\(view.direction) \(Int(view.energy)) keV: chi-square \(number(view.chiSquare, 2)) per pixel, "
            text += "\(number(view.countsMeasured, 0)) counts measured, \(number(view.countsExpected, 0)) expected\n"
        }
        let offset = summary.views.first?.offsetMillimetres ?? []
        text += "planar image moved by \(offset.map { number($0, 1) }.joined(separator: ", ")) mm (x, z)\n"
        for focus in summary.unexplained {
            let activity =
                focus.activityMegabecquerel.map { "\(number($0, 2)) MBq" } ?? "\(number(focus.activityPercent, 2)) %"
            let place = focus.positionMillimetres.map { number($0, 0) }.joined(separator: ", ")
            text +=
                "outside of the anatomy's regions: \(activity) +-\(number(focus.deviationPercent, 0)) % at \(place) mm, "
            text += "depth +-\(number(focus.depthDeviationMillimetres, 0)) mm\n"
        }
        if summary.provenance.modelHash != "none" {
            let findings = summary.findings.filter { $0.hasPrefix("model-") || $0.hasPrefix("network-") }
            text += "method \(summary.method), model \(summary.provenance.modelHash.prefix(12))"
            text += (findings.isEmpty ? "" : ": ") + findings.joined(separator: ", ") + "\n"
        }
        for check in summary.checks where check.outcome != .pass {
            text += "\(check.outcome.rawValue.uppercased()): \(check.name) = \(number(check.value, 2))\n"
        }
        if !summary.isCalibrated {
            text += "relative: \(summary.assumptions?.calibration.absence ?? "no calibration")\n"
        }
        return text
    }

    /// What the columns hold, on one line.
    private static func meaning(_ summary: ResultSummary, withTruth: Bool) -> String {
        let values =
            summary.isCalibrated
            ? "MBq: activity at the scan; kBq/mL: its mean concentration" : "%: share of the activity in the field"
        return
            "mL: volume; \(values); +-%: standard deviation; data: part of the value that came from the counts, 0 to 1"
            + (withTruth ? "; error: found over true\n" : "\n")
    }

    static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n") + "\n"
    }

    private static func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}

import Dosimetry
import Foundation
import Glibc

/// The checks of a dose, behind those of the reconstructions it stands on.
struct DoseChecks {
    let dosimetry: RegionDosimetry
    let rows: [DoseSummary.Region]

    func all() -> [QualityCheck] {
        var checks: [QualityCheck] = []
        let hours = RegionKinetics.hours(dosimetry.input, dosimetry.request)
        for (point, hour) in zip(dosimetry.input.points, hours) {
            for check in point.summary?.checks ?? [] {
                checks.append(check.named("\(check.name) at \(Int(hour.rounded())) h"))
            }
        }
        let balance = dosimetry.dose.balance
        // Energy that is neither absorbed nor known to have left: nothing but rounding may make it negative.
        checks.append(
            QualityCheck(
                "energy-created-percent", value: max(0, -100 * balance.beyondGrid / balance.emitted), warnAbove: 0.1,
                failAbove: 0.5))
        let possible = dosimetry.request.administeredMegabecquerel / dosimetry.input.scheme.decayPerHour
        let integrated = rows.reduce(0) { $0 + $1.integratedMegabecquerelHours }
        checks.append(
            QualityCheck("decays-over-administered", value: integrated / possible, warnAbove: 0.9, failAbove: 1.05))
        let compared = rows.filter { $0.kind != "background" && $0.gray > 0 && $0.sphereGray > 0 }
        // Cross-fire adds to what a region gives to itself, so only a large difference is one.
        let sphere = compared.map { abs($0.gray / $0.sphereGray - 1) }.max() ?? 0
        checks.append(
            QualityCheck("dose-over-sphere-difference-percent", value: 100 * sphere, warnAbove: 35, failAbove: 80))
        let other = compared.filter { $0.otherMethodGray > 0 }.map { abs($0.gray / $0.otherMethodGray - 1) }.max() ?? 0
        checks.append(QualityCheck("method-difference-percent", value: 100 * other, warnAbove: 35, failAbove: 80))
        let rising = rows.filter { $0.findings.contains(DosimetryError.negativeFit.reasonCode) }.count
        checks.append(QualityCheck("regions-without-clearance", value: Double(rising), warnAbove: 0, failAbove: 3))
        return checks
    }
}

extension QualityCheck {
    func named(_ name: String) -> QualityCheck {
        QualityCheck(name, value: value, warnAbove: warnLimit, failAbove: failLimit)
    }
}

import Glibc
import Reconstruction

/// One test that a result has to pass before it leaves.
public struct QualityCheck: Codable, Equatable, Sendable {
    public enum Outcome: String, Codable, Sendable { case pass, warn, fail }

    public let name: String
    public let value: Double
    public let warnLimit, failLimit: Double
    public let outcome: Outcome

    enum CodingKeys: String, CodingKey {
        case name, value, outcome
        case warnLimit = "warn_limit"
        case failLimit = "fail_limit"
    }

    /// Larger values are worse.
    init(_ name: String, value: Double, warnAbove: Double, failAbove: Double) {
        (self.name, self.value) = (name, value)
        (warnLimit, failLimit) = (warnAbove, failAbove)
        // A value that is no number passes nothing.
        outcome = value <= warnAbove ? .pass : value <= failAbove ? .warn : .fail
    }

    /// The checks of a reconstruction.
    ///
    /// - Parameters:
    ///   - injected: activity in MBq and seconds before the planar scan, when known.
    static func checks(
        of estimate: ActivityEstimate, injected: (megabecquerel: Double, secondsBefore: Double)?,
        halfLifeSeconds: Double
    ) -> [QualityCheck] {
        var checks: [QualityCheck] = []
        for view in estimate.views {
            let name = "\(view.direction.rawValue)-\(Int(view.energy))"
            let (measured, expected) = (view.countsMeasured, view.countsExpected)
            checks.append(
                QualityCheck(
                    "counts-difference-percent-\(name)", value: 100 * abs(measured - expected) / max(measured, 1),
                    warnAbove: 5, failAbove: 10))
            checks.append(QualityCheck("chi-square-\(name)", value: view.chiSquare, warnAbove: 3, failAbove: 10))
        }
        checks.append(
            QualityCheck(
                "registration-mismatch", value: 1 - estimate.registrationCorrelation, warnAbove: 0.4, failAbove: 0.6))
        checks.append(
            QualityCheck("not-converged", value: estimate.hasConverged ? 0 : 1, warnAbove: 0, failAbove: 1))
        // Of organs alone: what gives a few counts only is explained by anything.
        let worst = estimate.organs.filter { $0.kind == .organ }.compactMap(\.chiSquare).max() ?? 0
        checks.append(QualityCheck("organ-chi-square", value: worst, warnAbove: 4, failAbove: 15))
        let farthest = estimate.organs.map { ($0.shift * $0.shift).sum().squareRoot() }.max() ?? 0
        checks.append(QualityCheck("organ-shift-mm", value: farthest, warnAbove: 25, failAbove: 45))
        let loose = estimate.unexplained.reduce(0) { $0 + $1.activity } / max(estimate.totalActivity, 1e-20)
        checks.append(QualityCheck("activity-unexplained-percent", value: 100 * loose, warnAbove: 5, failAbove: 20))
        if estimate.isCalibrated, let injected {
            // More than was injected and has not decayed cannot be in the body.
            let left = injected.megabecquerel * exp2(-injected.secondsBefore / halfLifeSeconds)
            let found = estimate.totalActivity
            checks.append(
                QualityCheck("activity-over-injected", value: found / left, warnAbove: 0.9, failAbove: 1.05))
        }
        return checks
    }
}

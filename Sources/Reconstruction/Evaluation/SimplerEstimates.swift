import Glibc

/// What simpler ways say of the same scan, for tables beside the reconstruction's own values.
///
/// - Units: MBq.
public struct SimplerEstimates: Sendable, Equatable {
    /// Geometric mean of opposed counts, organ by organ (MIRD 16), less the activity around it.
    public let conjugateView: [String: Double]
    /// The PET's pattern times the one factor that the counts give.
    public let template: [String: Double]

    /// - Returns: nil for a scan without a calibration.
    package init?(_ scan: PreparedScan) throws(ReconstructionError) {
        guard scan.measurement.isCalibrated else { return nil }
        let rivals = try RivalReconstructions(scan)
        func named(_ result: RivalReconstructions.Result) -> [String: Double] {
            // The map's unit times mL is Bq.
            let rows = zip(scan.anatomy.regions, result.activities).map { ($0.name, $1 * 1e-6) }
            return Dictionary(rows) { first, _ in first }
        }
        (conjugateView, template) = (named(rivals.conjugateView()), named(rivals.template()))
    }
}

import Glibc

/// What is known of a region's effective half-life before it is measured: a lognormal distribution.
///
/// - Units: hours.
public struct HalfLifePrior: Equatable, Sendable, Codable {
    public let medianHours: Double
    /// Standard deviation of the logarithm.
    public let deviation: Double
    /// Where it comes from, for tables and reports.
    public let source: String

    public init(medianHours: Double, deviation: Double, source: String) {
        (self.medianHours, self.deviation, self.source) = (medianHours, deviation, source)
    }

    /// 177Lu-PSMA in 20 patients. Medians as published; the deviation is that of a lognormal sample of 20 whose
    /// expected range, 3.73 standard deviations, is the published one.
    ///
    /// - Source: AAPM Annual Meeting 2026, abstract 2620: median (range) in hours of kidneys 35.5 (8.5-152), parotids
    ///   42 (19-161), liver 22.9 (13-63), spleen 16.8 (9-150), marrow 32 (6-161).
    public static func lutetiumPSMA(region: String) -> HalfLifePrior? {
        let source = "AAPM 2026 abstract 2620, n = 20"
        let key = region.split(separator: "_").first.map(String.init) ?? region
        guard let (median, low, high) = lutetiumPSMARanges[key] else { return nil }
        return HalfLifePrior(medianHours: median, deviation: log(high / low) / 3.73, source: source)
    }

    /// For a region of which no publication is at hand: nearly anything between a few hours and the physical half-life.
    public static let wide = HalfLifePrior(medianHours: 40, deviation: 0.7, source: "assumed: no published value")

    /// What one cycle of a patient says of the next: its half-life, as well as it was determined and as much as half-lives
    /// of one patient change from cycle to cycle.
    ///
    /// - Returns: nil for a curve that no fit determined.
    public static func earlierCycle(_ curve: TimeActivityCurve) -> HalfLifePrior? {
        guard let own = curve.rateDeviation, curve.effectiveHalfLifeHours.isFinite else { return nil }
        return HalfLifePrior(
            medianHours: curve.effectiveHalfLifeHours, deviation: (own * own + cycleChange * cycleChange).squareRoot(),
            source: "the patient's cycle before, \(curve.samples.count) images")
    }

    /// Standard deviation of the logarithm of a half-life from one cycle of a patient to the next: assumed.
    static let cycleChange = 0.15

    private static let lutetiumPSMARanges: [String: (Double, Double, Double)] = [
        "kidney": (35.5, 8.5, 152), "parotid": (42, 19, 161), "liver": (22.9, 13, 63), "spleen": (16.8, 9, 150),
        "marrow": (32, 6, 161),
    ]

    /// Half-lives that share the distribution out evenly, none above the physical one.
    func quantiles(below physicalHours: Double, count: Int = 400) -> [(hours: Double, weight: Double)] {
        let span = 4.0
        let all = (0..<count).map { step in
            let z = -span + 2 * span * (Double(step) + 0.5) / Double(count)
            return (hours: medianHours * exp(deviation * z), weight: exp(-z * z / 2))
        }.filter { $0.hours <= physicalHours }
        let sum = all.reduce(0) { $0 + $1.weight }
        return all.map { ($0.hours, $0.weight / sum) }
    }
}

import Glibc
import Imaging

/// How fast a synthetic patient's organs and lesions lose activity: an effective half-life each.
///
/// - Units: hours.
/// - Source: medians of 177Lu-PSMA: AAPM Annual Meeting 2026, abstract 2620 (kidney 35.5, parotid 42, liver 22.9,
///   spleen 16.8); the spread is narrower than the published ranges, which hold two patients with hardly any clearance.
public struct Clearance: Sendable, Equatable {
    public let organHalfLives: [Organ: Double]
    public let lesionHalfLives: [Double]

    /// Nothing is cleared more slowly than it decays.
    private static let longest = 6.647 * 24 * 0.9
    private static let spread = 0.25
    private static let medians: [Organ: Double] = [
        .kidneyLeft: 35.5, .liver: 22.9, .spleen: 16.8, .parotidLeft: 42, .submandibularLeft: 40, .lacrimalLeft: 40,
    ]
    private static let otherMedian = 40.0
    private static let lesionMedian = 55.0

    public init(seed: UInt64, lesionCount: Int) {
        var generator = SeededGenerator(seed: seed, purpose: "clearance")
        var drawn: [Organ: Double] = [:]
        for organ in Organ.allCases {
            let median = Self.medians[organ] ?? Self.otherMedian
            drawn[organ] = min(generator.logNormal(median: median, deviation: Self.spread), Self.longest)
        }
        let pairs: [(Organ, Organ)] = [
            (.kidneyLeft, .kidneyRight), (.parotidLeft, .parotidRight), (.submandibularLeft, .submandibularRight),
            (.lacrimalLeft, .lacrimalRight),
        ]
        for (left, right) in pairs {
            guard let half = drawn[left] else { continue }
            drawn[right] = min(generator.logNormal(median: half, deviation: 0.05), Self.longest)
        }
        organHalfLives = drawn
        lesionHalfLives = (0..<lesionCount).map { _ in
            min(generator.logNormal(median: Self.lesionMedian, deviation: Self.spread), Self.longest)
        }
    }
}

extension UptakePattern {
    /// This pattern some hours later, or earlier.
    func later(byHours hours: Double, _ clearance: Clearance) -> UptakePattern {
        var pattern = self
        pattern.concentrations = concentrations.reduce(into: [:]) { levels, level in
            let half = clearance.organHalfLives[level.key] ?? .infinity
            levels[level.key] = level.value * exp2(-hours / half)
        }
        pattern.lesionConcentrations = lesionConcentrations.enumerated().map { index, level in
            index < clearance.lesionHalfLives.count ? level * exp2(-hours / clearance.lesionHalfLives[index]) : level
        }
        return pattern
    }

    /// The decays of all times: as if every structure had cleared by its half-life from the administration on.
    ///
    /// - Units: Bq h/mL, of levels in Bq/mL at ``UptakePair/therapyHours``.
    public func integrated(_ clearance: Clearance) -> UptakePattern {
        // The integral of A 2^(-t / T) over all times is A T / ln 2.
        func factor(_ half: Double) -> Double { exp2(UptakePair.therapyHours / half) * half / log(2) }
        var pattern = self
        pattern.concentrations = concentrations.reduce(into: [:]) { levels, level in
            levels[level.key] = level.value * factor(clearance.organHalfLives[level.key] ?? .infinity)
        }
        pattern.lesionConcentrations = zip(lesionConcentrations, clearance.lesionHalfLives).map { $0 * factor($1) }
        return pattern
    }
}

extension UptakePair {
    /// The therapy's uptake at another time than a day after the administration.
    public func therapy(atHours hours: Double, _ clearance: Clearance) -> UptakePattern {
        hours == Self.therapyHours ? therapy : therapy.later(byHours: hours - Self.therapyHours, clearance)
    }

    /// When the therapy's levels are those of the pattern.
    public static let therapyHours = 24.0
}

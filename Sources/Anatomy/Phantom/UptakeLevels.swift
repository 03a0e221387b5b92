import Imaging

/// One patient's uptake in units of what is usual, for each organ and lesion.
struct UptakeLevels: Sendable {
    /// What is usual.
    ///
    /// - Units: Bq/mL.
    struct Means: Sendable {
        let organs: [Organ: Double]
        let lesion: Double
    }

    private(set) var organs: [Organ: Double]
    private(set) var lesions: [Double]

    private static let lesionDeviation = 0.5
    /// How far the right one of a pair of organs is from the left one.
    private static let pairDeviation = 0.1
    private static let pairs: [(left: Organ, right: Organ)] = [
        (.kidneyLeft, .kidneyRight), (.parotidLeft, .parotidRight), (.submandibularLeft, .submandibularRight),
        (.lacrimalLeft, .lacrimalRight),
    ]

    init(organs: [Organ: Double], lesions: [Double]) { (self.organs, self.lesions) = (organs, lesions) }

    /// Draws a patient; pairs of organs go together.
    init(spread: Double, lesionCount: Int, _ generator: inout SeededGenerator) {
        organs = Self.draw(deviation: spread, pairDeviation: Self.pairDeviation, &generator)
        lesions = (0..<lesionCount).map { _ in generator.logNormal(median: 1, deviation: Self.lesionDeviation) }
    }

    /// The same patient's levels at another time and with another substance.
    ///
    /// - Parameters:
    ///   - deviation: of the logarithm of an organ's change; of a pair, the right one differs by a third of it from
    ///     the left one.
    ///   - lesionDeviation: of the logarithm of a lesion's change.
    func changed(deviation: Double, lesionDeviation: Double, _ generator: inout SeededGenerator) -> UptakeLevels {
        let change = Self.draw(deviation: deviation, pairDeviation: deviation / 3, &generator)
        var changed = self
        changed.organs = organs.reduce(into: [:]) { $0[$1.key] = $1.value * (change[$1.key] ?? 1) }
        changed.lesions = lesions.map { $0 * generator.logNormal(median: 1, deviation: lesionDeviation) }
        return changed
    }

    private static func draw(
        deviation: Double, pairDeviation: Double, _ generator: inout SeededGenerator
    ) -> [Organ: Double] {
        var drawn: [Organ: Double] = [:]
        for organ in Organ.allCases where !pairs.contains(where: { $0.right == organ }) {
            drawn[organ] = generator.logNormal(median: 1, deviation: deviation)
        }
        for (left, right) in pairs {
            drawn[right] = generator.logNormal(median: drawn[left] ?? 1, deviation: pairDeviation)
        }
        return drawn
    }
}

extension UptakeLevels.Means {
    /// 177Lu-PSMA about a day after 7.4 GBq.
    ///
    /// - Source: ranges of published organ concentrations at 24 h (kidney 0.25-0.40, salivary glands 0.35-0.56,
    ///   liver 0.054, tumour 0.22-0.65 MBq/mL); the other values make the whole body about a tenth of what was injected.
    static let lutetiumPSMA = UptakeLevels.Means(
        organs: paired([
            .kidneyLeft: 310_000, .liver: 54_000, .spleen: 70_000, .bladder: 120_000, .stomach: 9_000,
            .smallIntestine: 25_000, .pancreas: 12_000, .parotidLeft: 420_000, .submandibularLeft: 380_000,
            .lacrimalLeft: 250_000, .lungs: 2_500, .bone: 7_000, .remainder: 3_500,
        ]), lesion: 330_000)

    /// A PSMA PET an hour after the injection.
    ///
    /// - Source: standardised uptake values of the usual size (kidney 45, parotid 16, liver 5, spleen 8) times
    ///   1.2 kBq/mL.
    static let psmaPET = UptakeLevels.Means(
        organs: paired([
            .kidneyLeft: 54_000, .liver: 6_000, .spleen: 9_600, .bladder: 24_000, .stomach: 2_400,
            .smallIntestine: 8_000, .pancreas: 3_000, .parotidLeft: 19_000, .submandibularLeft: 18_000,
            .lacrimalLeft: 9_000, .lungs: 500, .bone: 1_100, .remainder: 800,
        ]), lesion: 24_000)

    private static func paired(_ left: [Organ: Double]) -> [Organ: Double] {
        var both = left
        both[.kidneyRight] = left[.kidneyLeft]
        both[.parotidRight] = left[.parotidLeft]
        both[.submandibularRight] = left[.submandibularLeft]
        both[.lacrimalRight] = left[.lacrimalLeft]
        return both
    }
}

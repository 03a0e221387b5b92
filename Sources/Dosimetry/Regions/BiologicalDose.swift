/// The linear-quadratic model for a dose rate that falls exponentially.
///
/// - Units: Gy, hours.
/// - Source: Dale, Br. J. Radiol. 58 (1985) 515: `BED = D [1 + D/(alpha/beta) l / (l + mu)]`; Wessels et al., MIRD
///   Pamphlet 20, J. Nucl. Med. 49 (2008) 1884, for the kidneys: alpha/beta 2.6 Gy, repair half-time 2.8 h.
public struct BiologicalDose: Equatable, Sendable, Codable {
    public let alphaBetaGray, repairHalfTimeHours: Double

    public static let kidney = BiologicalDose(alphaBetaGray: 2.6, repairHalfTimeHours: 2.8)
    public static let lateTissue = BiologicalDose(alphaBetaGray: 3, repairHalfTimeHours: 1.5)
    public static let tumour = BiologicalDose(alphaBetaGray: 10, repairHalfTimeHours: 1.5)

    /// Biologically effective dose of one administration.
    public func effectiveDose(gray: Double, effectiveHalfLifeHours: Double) -> Double {
        // l / (l + mu) with half-lives in place of rates.
        let part = repairHalfTimeHours / (repairHalfTimeHours + effectiveHalfLifeHours)
        return gray * (1 + gray / alphaBetaGray * part)
    }
}

/// A dose that the literature advises not to pass over all cycles; a number to compare with, not a rule.
public struct DoseLimit: Equatable, Sendable, Codable {
    public let region: String
    public let gray: Double
    public let source: String

    /// - Source: kidneys: Emami et al., Int. J. Radiat. Oncol. Biol. Phys. 21 (1991) 109, 5 % complications in 5 years;
    ///   with no risk factors a biologically effective dose of 40 Gy, Bodei et al., Eur. J. Nucl. Med. Mol. Imaging 35
    ///   (2008) 1847. Marrow: 2 Gy, from the therapy with radioiodine, Benua et al. 1962, Lassmann et al. 2008.
    public static let published = [
        DoseLimit(region: "kidney", gray: 23, source: "Emami 1991, external beam, TD5/5"),
        DoseLimit(region: "marrow", gray: 2, source: "Lassmann 2008 (EANM), blood and marrow"),
    ]

    /// - Source: Bodei 2008.
    public static let kidneyEffectiveGray = 40.0

    public static func of(region: String) -> DoseLimit? {
        published.first { region == $0.region || region.hasPrefix($0.region + "_") }
    }
}

import Glibc

/// A parallel-hole collimator and the detector behind it: how wide a point becomes at a distance.
///
/// `FWHM² = [d (Le + b) / Le]² + Ri²`, with the effective hole length `Le = L - 2 / mu` of lead at the photon's
/// energy and the intrinsic resolution `Ri = Ri(140 keV) sqrt(140 / E)`.
///
/// - Units: millimetres; keV.
/// - Source: Cherry, Sorenson, Phelps, Physics in Nuclear Medicine, chapter 14. Lead at 208 keV: 10.34 1/cm,
///   at 113 keV: 46.4 1/cm (NIST XCOM, interpolated).
public struct Collimator: Equatable, Sendable, Codable {
    public let holeDiameter, holeLength, septalThickness: Double
    /// Intrinsic resolution (full width at half maximum) at 140 keV.
    public let intrinsicResolution: Double

    /// - Throws: ``TomographyError/impossibleCollimator(holeDiameter:holeLength:)``.
    public init(
        holeDiameter: Double, holeLength: Double, septalThickness: Double, intrinsicResolution: Double = 3.8
    ) throws(TomographyError) {
        guard holeDiameter > 0, holeLength > 2, septalThickness >= 0, intrinsicResolution >= 0 else {
            throw .impossibleCollimator(holeDiameter: holeDiameter, holeLength: holeLength)
        }
        (self.holeDiameter, self.holeLength, self.septalThickness) = (holeDiameter, holeLength, septalThickness)
        self.intrinsicResolution = intrinsicResolution
    }

    private init(hole: Double, length: Double, septa: Double) {
        (holeDiameter, holeLength, septalThickness) = (hole, length, septa)
        intrinsicResolution = 3.8
    }

    /// Medium energy, Siemens.
    public static let siemensMediumEnergy = Collimator(hole: 2.94, length: 40.64, septa: 1.14)
    /// Medium energy general purpose, GE.
    public static let generalElectricMediumEnergy = Collimator(hole: 3.0, length: 58, septa: 1.05)

    /// Full width at half maximum of a point's image.
    ///
    /// - Parameter distance: from the collimator's face, in millimetres.
    public func resolution(atDistance distance: Double, energy: Double) -> Double {
        let geometric = holeDiameter * (effectiveLength(energy) + max(distance, 0)) / effectiveLength(energy)
        let intrinsicSquared = intrinsicResolution * intrinsicResolution * 140 / energy
        return (geometric * geometric + intrinsicSquared).squareRoot()
    }

    /// Variance of the Gaussian of that width, in mm².
    public func variance(atDistance distance: Double, energy: Double) -> Double {
        let fwhm = resolution(atDistance: distance, energy: energy)
        return fwhm * fwhm / (8 * log(2.0))
    }

    private func effectiveLength(_ energy: Double) -> Double {
        let leadPerMillimetre = energy > 160 ? 1.034 : 4.64
        return holeLength - 2 / leadPerMillimetre
    }
}

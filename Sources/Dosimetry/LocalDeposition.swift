public import Imaging

/// Absorbed dose rate when every electron's energy stays in the voxel of its decay.
///
/// For 177Lu's electrons, whose mean range is a fraction of a millimetre, this is close at the resolution of a
/// camera; the energy of photons is left out.
///
/// - Units: energies in keV per decay, activity in Bq/mL, density in g/mL, dose rates in Gy/h.
/// - Source: MIRD formalism, Bolch et al., J. Nucl. Med. 50 (2009) 477: `D' = A E / m`.
public struct LocalDeposition: Equatable, Sendable {
    /// Mean energy of electrons per decay.
    public let electronEnergy: Double

    /// - Source: 147.9 keV of beta, conversion and Auger electrons per decay (ICRP 107).
    public static let lutetium177 = LocalDeposition(.lutetium177)

    /// The charged particles of a decay; alpha particles count as electrons do, by their energy alone.
    public init(_ scheme: DecayScheme) { electronEnergy = scheme.chargedEnergy }

    static let joulePerKiloelectronvolt = 1.602_176_634e-16
    static let secondsPerHour = 3600.0

    /// Gy g / (MBq h)
    public var graysPerMegabecquerelHourPerGram: Double {
        electronEnergy * Self.joulePerKiloelectronvolt * 1e6 * Self.secondsPerHour / 1e-3
    }

    /// - Parameters:
    ///   - activity: in Bq/mL.
    ///   - density: in g/mL, on the same grid; where it is not positive there is no tissue and no dose.
    /// - Returns: Gy/h
    /// - Throws: ``DosimetryError``.
    public func doseRate(activity: Volume<Float>, density: Volume<Float>) throws(DosimetryError) -> Volume<Float> {
        guard activity.grid == density.grid else { throw .gridMismatch }
        guard let bad = activity.voxels.firstIndex(where: { !$0.isFinite || $0 < 0 }) else {
            var rate = activity
            let factor = graysPerMegabecquerelHourPerGram * 1e-6
            for voxel in rate.voxels.indices {
                let grams = Double(density.voxels[voxel])
                rate.voxels[voxel] = grams > 0 ? Float(Double(activity.voxels[voxel]) * factor / grams) : 0
            }
            return rate
        }
        throw .notAnActivity(voxel: bad)
    }
}

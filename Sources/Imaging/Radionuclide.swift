import Glibc

/// A radionuclide that the service knows.
///
/// - Units: half-life in seconds, energies in keV, yields in photons per decay.
/// - Source: 177Lu: DDEP, Laboratoire National Henri Becquerel (half-life 6.647 d; 208.37 keV 10.38 %,
///   112.95 keV 6.20 %).
public struct Radionuclide: Equatable, Sendable {
    /// A photon line that a camera can use.
    public struct PhotonLine: Equatable, Sendable {
        public let energy, yield: Double
    }

    /// Mass number and element symbol, as in `177Lu`.
    public let name: String
    public let halfLifeSeconds: Double
    /// The lines a camera images, the preferred one first.
    public let lines: [PhotonLine]

    public static let lutetium177 = Radionuclide(
        name: "177Lu", halfLifeSeconds: 6.647 * 86_400,
        lines: [PhotonLine(energy: 208.37, yield: 0.1038), PhotonLine(energy: 112.95, yield: 0.0620)])

    public static let known = [lutetium177]

    /// Part of the activity that is left after a time.
    public func remaining(afterSeconds seconds: Double) -> Double {
        exp2(-seconds / halfLifeSeconds)
    }
}

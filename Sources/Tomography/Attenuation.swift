public import Imaging

/// The narrow-beam attenuation of photons of one energy, from CT numbers.
///
/// `mu = water + slope * HU`, clamped at zero, with one slope below 0 HU (air to water) and one above (water to bone,
/// which depends on the CT's tube voltage).
///
/// - Units: 1/cm; keV; kV.
/// - Source: the bilinear tables of PyTomography for 208 and 113 keV at 110 and 130 kVp; other tube voltages are
///   interpolated linearly and held at the ends.
public struct Attenuation: Equatable, Sendable {
    public let energy: Double
    public let waterPerCentimetre: Double
    let slopeBelowWater, slopeAboveWater: Double

    /// - Throws: ``TomographyError/unknownEnergy(kiloelectronvolts:)`` for a line that the table does not hold.
    public init(energy: Double, tubeVoltage: Double) throws(TomographyError) {
        guard let row = Self.table.first(where: { abs($0.energy - energy) < 2 }) else {
            throw .unknownEnergy(kiloelectronvolts: energy)
        }
        let part = min(max((tubeVoltage - 110) / 20, 0), 1)
        self.energy = row.energy
        waterPerCentimetre = row.water
        slopeBelowWater = row.below
        slopeAboveWater = row.above110 + part * (row.above130 - row.above110)
    }

    /// Attenuation coefficients of a CT volume.
    ///
    /// - Units: HU in, 1/cm out.
    public func coefficients(of hounsfield: Volume<Float>) -> Volume<Float> {
        hounsfield.map { value in
            let slope = value < 0 ? slopeBelowWater : slopeAboveWater
            return Float(max(0, waterPerCentimetre + slope * Double(value)))
        }
    }

    // Water is raised from 0.1350 to 0.1352 at 208 keV: the table's own intercept, not the NIST value.
    // The table gives one slope for bone at 113 keV.
    private static let table: [(energy: Double, water: Double, below: Double, above110: Double, above130: Double)] = [
        (208.37, 0.1352, 1.435e-4, 7.87e-5, 8.79e-5),
        (112.95, 0.1644, 1.747e-4, 1.150e-4, 1.150e-4),
    ]
}

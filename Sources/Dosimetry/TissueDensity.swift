public import Imaging

/// Mass density from CT numbers.
///
/// - Units: HU to g/mL.
/// - Source: Schneider, Bortfeld, Schlegel, Phys. Med. Biol. 45 (2000) 459, section 2: straight lines for fat and soft
///   tissue, muscle, and bone; a line from air to the first of them.
public enum TissueDensity {
    public static func gramsPerMillilitre(_ hounsfield: Float) -> Float {
        switch hounsfield {
        case ..<(-98): max(0.0012, 0.0012 + (0.9305 - 0.0012) * (hounsfield + 1000) / 902)
        case ..<14: 1.018 + 0.893e-3 * hounsfield
        case ..<23: 1.03
        case ..<100: 1.003 + 1.169e-3 * hounsfield
        default: 1.017 + 0.592e-3 * hounsfield
        }
    }

    public static func map(_ hounsfield: Volume<Float>) -> Volume<Float> { hounsfield.map { gramsPerMillilitre($0) } }
}

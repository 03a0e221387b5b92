public import Imaging

/// The energy window around a line of a radionuclide, and its neighbours that see scatter alone.
public struct Photopeak: Equatable, Sendable {
    public let line: Radionuclide.PhotonLine
    public let window: EnergyWindow
    public let lowerScatter, upperScatter: EnergyWindow?

    /// A scatter window may lie this part of the line's energy away from the photopeak's edge, or overlap it as much.
    public static let gapLimit = 0.05

    /// Which windows are photopeaks, by their energies alone; that of the preferred line first.
    ///
    /// The narrowest window that holds a line is its photopeak. A scatter window holds no line and touches an edge.
    public static func classify(_ windows: [EnergyWindow], of radionuclide: Radionuclide) -> [Photopeak] {
        let linesHeld = { (window: EnergyWindow) in radionuclide.lines.filter { window.contains($0.energy) } }
        let scatter = windows.filter { linesHeld($0).isEmpty }
        return radionuclide.lines.compactMap { line in
            let holders = windows.filter { $0.contains(line.energy) }
            guard let peak = holders.min(by: { $0.width < $1.width }) else { return nil }
            let gap = gapLimit * line.energy
            let below = scatter.filter { abs($0.upper - peak.lower) <= gap }
            let above = scatter.filter { abs($0.lower - peak.upper) <= gap }
            return Photopeak(
                line: line, window: peak,
                lowerScatter: below.min { abs($0.upper - peak.lower) < abs($1.upper - peak.lower) },
                upperScatter: above.min { abs($0.lower - peak.upper) < abs($1.lower - peak.upper) })
        }
    }
}

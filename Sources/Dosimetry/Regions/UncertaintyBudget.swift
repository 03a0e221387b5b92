import Glibc

/// What a region's dose is uncertain by, part by part, as relative standard deviations.
///
/// `u²(D) = u²(calibration) + u²(recovery) + u²(counts) + u²(fit) + u²(S)`; the mass enters by `S ~ 1/m` alone.
///
/// - Source: Gear et al., EANM practical guidance on uncertainty analysis for molecular radiotherapy absorbed dose
///   calculations, Eur. J. Nucl. Med. Mol. Imaging 45 (2018) 2456, sections on volume, recovery and dose.
public struct UncertaintyBudget: Equatable, Sendable, Codable {
    public let calibration, recovery, counts, fit, volume: Double

    /// Relative standard deviation of the dose: k = 1.
    public var total: Double {
        (calibration * calibration + recovery * recovery + counts * counts + fit * fit + volume * volume).squareRoot()
    }

    /// What is assumed for all regions.
    public struct Assumptions: Equatable, Sendable, Codable {
        /// Of the camera's sensitivity.
        public var calibration = 0.05
        /// Of the image in which activity was seen, in millimetres.
        public var imageResolution = 12.0
        /// Distance of points of the contours, and of the image they were drawn on, in millimetres.
        public var contourSpacing = 2.4
        public var contourResolution = 2.0

        public init() {}
    }

    /// - Parameters:
    ///   - counts: relative deviation of what the counts say, without what all times share.
    ///   - fit: relative deviation of the time integral by the fit, `counts` of every time included.
    public init(millilitres: Double, counts: Double, fit: Double, assumptions: Assumptions) {
        calibration = assumptions.calibration
        // The fit already holds the scatter of single times.
        self.counts = max(0, counts * counts - fit * fit).squareRoot()
        self.fit = fit
        let diameter = pow(6 * millilitres * 1000 / .pi, 1.0 / 3)
        // Equation 8 of the guidance: two borders, each known to a voxel and to the blur of the image.
        let spacing = assumptions.contourSpacing * assumptions.contourSpacing / 6
        let blur = assumptions.contourResolution * assumptions.contourResolution / (4 * log(2.0))
        volume = 3 * (spacing + blur).squareRoot() / diameter
        recovery = Self.lostPart(diameter: diameter, resolution: assumptions.imageResolution) / 2 / 3.0.squareRoot()
    }

    /// The part of its activity that a sphere seems to lose to its surroundings by blur.
    ///
    /// A fit of regions gives it back, as far as the template is right: half of it, as the half width of a rectangular
    /// distribution, is taken for what it may be wrong by.
    private static func lostPart(diameter: Double, resolution: Double) -> Double {
        // A border of area pi d² loses what lies within sigma / sqrt(2 pi) of it.
        let sigma = resolution / (8 * log(2.0)).squareRoot()
        return min(1, 6 / diameter * sigma / (2 * .pi).squareRoot())
    }
}

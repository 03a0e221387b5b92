import Anatomy

extension StageZero {
    /// What the fit may use; all of it by default. With an ingredient switched off an evaluation shows what it is worth.
    public struct Options: Equatable, Hashable, Sendable, Codable {
        /// Organs move between PET/CT and planar scan.
        public var shifts = true
        /// The image may be turned in its plane.
        public var rotation = true
        /// The PET's texture within the regions, as far as the counts bear it out.
        public var texture = true
        /// Uneven uptake within regions on a lattice, fitted together with everything else.
        public var modes = true
        /// Attenuation, distances, sensitivity and scatter are uncertain.
        public var nuisances = true
        /// Activity that the anatomy does not explain is looked for.
        public var foci = true
        /// Uneven uptake within regions, voxel by voxel, around the fit.
        public var heterogeneity = true
        /// How far organs lie off and how uneven uptake is the counts tell.
        public var adaptation = true
        /// The isotope's second photopeak, when it is archived.
        public var secondPhotopeak = true

        public init() {}

        /// Organ levels and the image's place alone: the quantitative planar method.
        public static let organScalesOnly: Options = {
            var options = Options()
            (options.shifts, options.rotation, options.texture, options.modes) = (false, false, false, false)
            (options.nuisances, options.foci, options.heterogeneity) = (false, false, false)
            return options
        }()
    }

    /// Standard deviations of what is known before the counts.
    ///
    /// - Units: levels and factors as natural logarithms; millimetres; radians.
    /// - Source: spreads of organ uptake between PET and therapy and of organ motion as the sampler of possible uptake
    ///   maps has them; attenuation, sensitivity and scatter from the usual errors of CT scaling, calibration and the
    ///   triple energy window estimate.
    enum Prior {
        static func level(of kind: Region.Kind) -> Double {
            switch kind {
            case .organ: 0.7
            case .lesion: 0.8
            case .background: 0.7
            }
        }
        /// The factor between PET and therapy that all regions share.
        static let commonLevel = 2.0
        /// Motion of an organ along x, y and z.
        static let ownShift = SIMD3(2.5, 4.0, 5.0)
        static let breathing = 5.0
        static let commonDepth = 2.0
        /// Per millimetre from the middle: one degree.
        static let roll = 0.017
        static let textureMean = 0.4
        static let texture = 0.4
        /// Uneven uptake on the scale of the lattice, relative. Less than organs show: of depths that two views cannot tell
        /// apart a tighter prior chooses better, and voxels move in the last step.
        static let unevenness = 0.1
        /// Millimetres between the lattice's points.
        static func modeSpacing(of region: Region) -> Double? {
            switch region.kind {
            case .organ: region.millilitres > 15 ? 25 : nil
            case .lesion: region.millilitres > 40 ? 25 : nil
            case .background: 65
            }
        }
        static let offset = 8.0
        static let rotation = 0.02
        static let attenuation = 0.035
        /// How far the fit lets attenuation go. The counts seem to know it ten times better than it is known, but what
        /// they see is in part unevenness: a tight prior takes their side half of the way.
        static let fittedAttenuation = 0.012
        static let knownFace = 17.0
        static let assumedFace = 25.0
        static let sensitivity = 0.03
        static let tailsMean = 0.03
        static let tails = 0.01
        static let scatter = 0.15
        static let missedScatterMean = 0.035
        static let missedScatter = 0.05
        /// Activity that was found in the counts: its place in the image is known, its depth is not.
        static let focusLevel = 1.0
        static let focusPlace = SIMD3(6.0, 25.0, 6.0)
        /// The same of activity in a bone.
        static let boneFocusPlace = SIMD3(6.0, 8.0, 6.0)
    }
}

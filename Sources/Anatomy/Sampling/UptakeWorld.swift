/// Which uptake maps are held possible inside one patient's anatomy, and how likely each is.
///
/// Each ingredient is a value of its own with its own numbers; `nil` switches it off without changing what the others
/// draw from the same seed.
///
/// - Units: millimetres, degrees, MBq, mL; deviations of levels are standard deviations of the natural logarithm.
/// - Source: spreads of uptake, motion and texture as stated at each number; where none is given the number is this
///   project's choice.
public struct UptakeWorld: Equatable, Sendable {
    public var levels: Levels? = Levels()
    public var pose: Pose? = Pose()
    public var organMotion: OrganMotion? = OrganMotion()
    public var bending: Bending? = Bending()
    public var unevenness: Unevenness? = Unevenness()
    public var petTexture: PETTexture? = PETTexture()
    public var kidneyLayers: KidneyLayers? = KidneyLayers()
    public var newFoci: NewFoci? = NewFoci()
    public var lostLesions: LostLesions? = LostLesions()
    public var injectionSpot: InjectionSpot? = InjectionSpot()
    /// Median activity of all that the CT shows; the PET says only how it is shared out.
    ///
    /// About a tenth of 7.4 GBq is left in the body after a day.
    public var totalMegabecquerels = 700.0

    public init() {}

    /// Everything that may differ between a PET/CT and a planar scan days later.
    public static let full = UptakeWorld()

    /// Activity levels and a small rigid motion only: scales of the regions and one pose describe every map exactly.
    public static let narrow: UptakeWorld = {
        var world = UptakeWorld()
        world.pose = Pose(rotationDegrees: SIMD3(0.5, 1.5, 1.5), translation: SIMD3(4, 1, 4))
        (world.organMotion, world.bending, world.unevenness, world.petTexture) = (nil, nil, nil, nil)
        (world.kidneyLayers, world.newFoci, world.lostLesions, world.injectionSpot) = (nil, nil, nil, nil)
        return world
    }()

    /// The same world after the views have been laid over the anatomy: what registration finds, the place across and
    /// along the table and the turn on it, is known to about a millimetre; height, roll and tilt stay unknown.
    public var registered: UptakeWorld {
        var world = self
        if let pose {
            world.pose = Pose(
                rotationDegrees: SIMD3(
                    pose.rotationDegrees.x, min(pose.rotationDegrees.y, 0.3), pose.rotationDegrees.z),
                translation: SIMD3(min(pose.translation.x, 1), pose.translation.y, min(pose.translation.z, 1.5)))
        }
        return world
    }

    /// The lognormal level of each region around its share in the PET.
    public struct Levels: Equatable, Sendable {
        /// Common to all regions: time since the injection, clearance.
        public var commonDeviation = 0.4
        public var organDeviation = 0.55
        public var lesionDeviation = 0.7
        /// Lungs, bone and the rest of the body.
        public var backgroundDeviation = 0.5
        /// Contents of bladder and bowel say nothing about their later ones.
        public var contentDeviation = 1.2
        /// Correlation of the levels of a left and a right organ.
        public var pairCorrelation = 0.9
        /// Correlation of two lesions' levels through the tumour load.
        public var lesionCorrelation = 0.5
        /// Correlation of kidneys and salivary glands with the tumour load: what tumours take, these do not get.
        public var tumourSinkCorrelation = -0.4

        public init() {}
    }

    /// The patient lies elsewhere than on the CT's couch: standard deviations of the rotations about x, y and z and of
    /// the translation along them. The couch lets him neither tip about x nor rise.
    public struct Pose: Equatable, Sendable {
        public var rotationDegrees = SIMD3(0.5, 3, 3)
        public var translation = SIMD3(8.0, 2, 8)

        public init() {}
        public init(rotationDegrees: SIMD3<Double>, translation: SIMD3<Double>) {
            (self.rotationDegrees, self.translation) = (rotationDegrees, translation)
        }
    }

    /// Every organ has moved by itself, most of them with the breath: standard deviations along x, y and z.
    public struct OrganMotion: Equatable, Sendable {
        public var deviation = SIMD3(2.0, 4, 8)
        /// Part of the variance that the organs under the diaphragm share.
        public var breathingShare = 0.5
        /// Motion of organs that do not breathe, as part of those that do.
        public var stillShare = 0.3

        public init() {}
    }

    /// A smooth displacement of everything inside the body: standard deviation along each axis and correlation length.
    public struct Bending: Equatable, Sendable {
        public var deviation = 4.0
        public var length = 80.0

        public init() {}
    }

    /// The uptake inside a region is a Gaussian field around its mean: standard deviation as part of the mean and
    /// correlation length, drawn per region between their bounds.
    public struct Unevenness: Equatable, Sendable {
        public var deviation = Bounds(0.05, 0.4)
        public var length = Bounds(6, 25)

        public init() {}
    }

    /// A region follows the PET's own texture.
    public struct PETTexture: Equatable, Sendable {
        public var probability = 0.5

        public init() {}
    }

    /// A kidney's cortex takes up more than its medulla, where the PET's texture does not already show it.
    public struct KidneyLayers: Equatable, Sendable {
        /// Concentration of cortex to medulla.
        public var ratio = Bounds(1.5, 4)

        public init() {}
    }

    /// Lesions that the PET did not show.
    public struct NewFoci: Equatable, Sendable {
        public var meanCount = 3.0
        /// Volumes are equally likely per factor between the bounds.
        public var millilitres = Bounds(0.5, 30)
        /// The others are nodes: soft tissue deep in the body.
        public var boneProbability = 0.65
        /// Median of the concentration as part of the patient's lesions', or kidneys' when there are none.
        public var relativeLevel = 0.8
        public var levelDeviation = 0.7

        public init() {}
    }

    /// Lesions of the PET that have no uptake of their own any more.
    public struct LostLesions: Equatable, Sendable {
        public var probability = 0.2

        public init() {}
    }

    /// Activity that stayed where it was injected, under the skin at the patient's side.
    public struct InjectionSpot: Equatable, Sendable {
        public var probability = 0.1
        /// Part of the patient's activity, equally likely per factor between the bounds.
        public var share = Bounds(0.003, 0.05)
        public var millilitres = Bounds(3, 30)

        public init() {}
    }

    /// Two numbers between which a third is drawn.
    public struct Bounds: Equatable, Sendable {
        public var lower, upper: Double

        public init(_ lower: Double, _ upper: Double) {
            precondition(lower <= upper)
            (self.lower, self.upper) = (lower, upper)
        }
    }
}

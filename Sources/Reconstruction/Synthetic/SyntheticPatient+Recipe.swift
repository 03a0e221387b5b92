public import Anatomy
import Imaging
public import Tomography

extension SyntheticPatient {
    /// What to make. The same recipe makes the same patient, and every property draws from randomness of its own, so
    /// that changing one leaves the others' draws as they were.
    public struct Recipe: Sendable {
        public var seed: UInt64
        /// Whom the seed is drawn from.
        public var population = Population.standard

        // Between PET/CT and planar scan.

        /// Standard deviation of the organs' motion along z between PET/CT and planar scan, in millimetres.
        public var motion = 3.0
        /// Standard deviation of the logarithm of each organ's level between the PET's uptake and the therapy's; nil
        /// draws the two independently, each with the spread of a population.
        public var levelSpread: Double?
        /// The same of lesions.
        public var lesionLevelSpread: Double?
        /// Probability that a lesion of the PET holds no more than its surroundings at the therapy.
        public var goneLesionShare = 0.0
        /// Mean of the Poisson number of lesions that hold activity at the therapy and are in neither contours nor PET:
        /// in bone and nodes, 0.5 to 30 mL, 10 to 60 times their surroundings.
        public var unseenLesionMean = 0.0

        /// When the planar scan is taken, after the administration. Scans of one seed at several times show the same
        /// uptake, cleared organ by organ, with motion, place and counts of their own.
        public var hours = UptakePair.therapyHours

        // Inside the organs.

        /// Standard deviation of the uptake inside an organ, as part of its mean.
        public var unevenness = 0.12
        /// Length over which the uptake changes, in millimetres; each organ draws its own.
        public var unevennessLength: ClosedRange<Double> = UptakePattern.Texture().lengthMillimetres
        /// Concentration in a kidney's cortex over that in its medulla.
        public var cortexToMedulla: ClosedRange<Double> = UptakePattern.Texture().cortexToMedulla

        // What the reconstruction is told, and what is.

        /// The camera as the reconstruction is told it.
        public var site = CameraSite.phantom
        /// True attenuation coefficients over those that follow from the CT.
        public var attenuationFactor = 1.0
        /// How much further off both heads really are than the images say, in millimetres.
        public var faceErrorMillimetres = 0.0
        /// True sensitivity over the calibration.
        public var sensitivityFactor = 1.0
        /// Scattered counts that the scatter windows show nothing of, as part of the primary counts.
        public var residualScatterShare = 0.0

        // The acquisition.

        public var field = Field.wholeBody
        /// Standard deviation of the patient's rotation in the plane of the image, in degrees.
        public var rotationDegrees = 0.0
        /// Speed of the table of the whole-body scan, in mm/s.
        public var scanVelocity = 2.5
        /// Duration of a scan of one bed position.
        public var bedSeconds = 600.0
        public var resolution = Resolution.scanner
        /// Whether the windows around 113 keV are stored too.
        public var secondPhotopeak = false

        public init(seed: UInt64) { self.seed = seed }

        /// Seeds what differs from scan to scan.
        var scanSeed: UInt64 {
            hours == UptakePair.therapyHours ? seed : seed ^ (UInt64(hours * 3600) << 20)
        }

        var texture: UptakePattern.Texture {
            var texture = UptakePattern.Texture()
            texture.deviation = unevenness
            texture.lengthMillimetres = unevennessLength
            texture.cortexToMedulla = cortexToMedulla
            return texture
        }

        var change: UptakePair.Change {
            var change = UptakePair.Change()
            change.levelSpread = levelSpread
            change.lesionLevelSpread = lesionLevelSpread
            change.goneShare = goneLesionShare
            return change
        }
    }

    /// What the planar images reach over.
    public enum Field: Sendable, Equatable {
        /// The table moves through: from the legs to above the head.
        case wholeBody
        /// One position of the site's field of view.
        ///
        /// - centreMillimetres: z of its centre in the CT's frame.
        case oneBed(centreMillimetres: Double)
    }

    /// Voxels and pixels that a patient is made on.
    ///
    /// - Units: millimetres.
    public struct Resolution: Sendable, Equatable {
        /// Pixels of the CT; its slices are always 5 mm apart.
        public var ct: Double
        /// Voxels of the activity that the planar images are drawn from: finer than any reconstruction's.
        public var simulation: SIMD3<Double>
        /// Pixels of the planar images.
        public var pixel: Double
        /// Points along each axis of a voxel whose mean is the voxel's activity.
        public var pointsPerAxis = 1

        public init(ct: Double, simulation: SIMD3<Double>, pixel: Double, pointsPerAxis: Int = 1) {
            (self.ct, self.simulation, self.pixel) = (ct, simulation, pixel)
            self.pointsPerAxis = pointsPerAxis
        }

        /// As scanners have it.
        public static let scanner = Resolution(ct: 1.5625, simulation: SIMD3(2.4, 3.6, 2.4), pixel: 2.3976)
        /// For many patients in a short time: every 2.3 mm a CT pixel, and planar pixels already binned two by two, as
        /// the reconstruction does with a scanner's. Larger voxels of the activity are made up for by points within them: with one
        /// each, borders alone would be an error of a twelfth that no method could avoid.
        public static let swift = Resolution(
            ct: 2.34375, simulation: SIMD3(3.2, 3.6, 3.2), pixel: 4.7952, pointsPerAxis: 2)
    }
}

extension CameraSite {
    /// The camera that synthetic patients are scanned with: Siemens, medium energy collimator.
    public static let phantom: CameraSite = {
        var site = CameraSite.uncalibratedMediumEnergy
        site.calibration = ["208": 9.3, "113": 10.2]
        return site
    }()

    /// The other one: GE, medium energy general purpose collimator.
    public static let phantomGeneralElectric: CameraSite = {
        var site = CameraSite.uncalibratedMediumEnergy
        site.calibration = ["208": 5, "113": 5.5]
        site.collimator = CameraSite.CollimatorDescription(
            holeDiameterMillimetres: 3, holeLengthMillimetres: 58, septaMillimetres: 1.05,
            intrinsicResolution140Millimetres: 3.8)
        site.fieldOfViewMillimetres = [540, 400]
        return site
    }()
}

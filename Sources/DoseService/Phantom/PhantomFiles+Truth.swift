import Anatomy
import Imaging
public import Reconstruction

extension PhantomFiles {
    /// What `truth.json` holds.
    public struct Truth: Codable, Equatable, Sendable {
        public struct Organ: Codable, Equatable, Sendable {
            public let name: String
            public let activityMegabecquerel: Double

            enum CodingKeys: String, CodingKey {
                case name
                case activityMegabecquerel = "activity_mbq"
            }
        }

        public struct Lesion: Codable, Equatable, Sendable {
            public let name: String
            /// `seen`, `gone` or `unseen` by PET and contours.
            public let kind: SyntheticPatient.Lesion.Kind
            public let centreMillimetres: [Double]
            public let millilitres, activityMegabecquerel: Double

            enum CodingKeys: String, CodingKey {
                case name, kind
                case centreMillimetres = "centre_mm"
                case millilitres = "volume_ml"
                case activityMegabecquerel = "activity_mbq"
            }
        }

        /// Who was drawn.
        public struct Person: Codable, Equatable, Sendable {
            public let bodyMassIndex: Double?
            public let armsAtPETCT, armsAtPlanar: String
            public let missingKidney: String?

            enum CodingKeys: String, CodingKey {
                case bodyMassIndex = "body_mass_index"
                case armsAtPETCT = "arms_petct"
                case armsAtPlanar = "arms_planar"
                case missingKidney = "missing_kidney"
            }
        }

        public let seed: UInt64
        /// What was given, and when, `YYYYMMDDHHMMSS`.
        public let administeredMegabecquerel: Double
        public let administeredAt: String
        public let organs: [Organ]
        public let lesions: [Lesion]
        public let person: Person
        public let calibration: Double
        /// What has to be added to the planar image's x and z to reach the CT's.
        public let offsetMillimetres: [Double]
        /// The patient's rotation in the planar image about a pivot (x, z).
        public let rotationDegrees: Double
        public let pivotMillimetres: [Double]

        enum CodingKeys: String, CodingKey {
            case seed, organs, lesions, person
            case administeredMegabecquerel = "administered_mbq"
            case administeredAt = "administered_at"
            case calibration = "calibration_cps_per_mbq"
            case offsetMillimetres = "offset_mm"
            case rotationDegrees = "rotation_degrees"
            case pivotMillimetres = "pivot_mm"
        }
    }

    public var facts: Truth {
        let (pose, phantom) = (patient.planarPose, patient.phantom)
        return Truth(
            seed: patient.recipe.seed, administeredMegabecquerel: administeredMegabecquerels,
            administeredAt: Self.injection.dicomDate + Self.injection.dicomTime.prefix(6),
            organs: patient.organActivities.map { .init(name: $0.name, activityMegabecquerel: $0.megabecquerel) },
            lesions: patient.lesions.map { lesion in
                let centre = lesion.centreMillimetres
                return .init(
                    name: lesion.name, kind: lesion.kind, centreMillimetres: [centre.x, centre.y, centre.z],
                    millilitres: lesion.millilitres, activityMegabecquerel: lesion.megabecquerel)
            },
            person: .init(
                bodyMassIndex: phantom.bodyMassIndex, armsAtPETCT: phantom.arms.rawValue,
                armsAtPlanar: patient.laterPhantom.arms.rawValue, missingKidney: phantom.missingKidney?.rawValue),
            calibration: patient.recipe.site.calibration(energy: Radionuclide.lutetium177.lines[0].energy) ?? 0,
            offsetMillimetres: [pose.offset.x, pose.offset.y], rotationDegrees: pose.degrees,
            pivotMillimetres: [pose.pivot.x, pose.pivot.y])
    }
}

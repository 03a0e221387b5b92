/// The numbers that make one possible map: what a method would have to find.
///
/// - Units: Bq/mL, millimetres in patient coordinates of the CT, degrees.
public struct UptakeDraw: Equatable, Sendable {
    /// How one region's uptake is spread inside it.
    public struct Texture: Equatable, Sendable {
        public var keepsPET = false
        public var unevenness: Field?
        /// Concentration of the cortex to that of the medulla; 1 for what is no kidney.
        public var cortexToMedulla = 1.0

        public init() {}
    }

    /// A Gaussian random field.
    public struct Field: Equatable, Sendable {
        public var deviation, length: Double
        public var seed: UInt64

        public init(deviation: Double, length: Double, seed: UInt64) {
            (self.deviation, self.length, self.seed) = (deviation, length, seed)
        }
    }

    /// Uptake that no region of the anatomy holds: an ellipsoid.
    public struct Focus: Equatable, Sendable {
        public enum Kind: String, Sendable, Codable { case bone, node, injection }

        public var kind: Kind
        /// On the CT, before the patient moved.
        public var centre: SIMD3<Double>
        public var semiAxes: SIMD3<Double>
        public var concentration: Double

        public init(kind: Kind, centre: SIMD3<Double>, semiAxes: SIMD3<Double>, concentration: Double) {
            (self.kind, self.centre, self.semiAxes) = (kind, centre, semiAxes)
            self.concentration = concentration
        }
    }

    /// Factor on all levels.
    public var commonFactor: Double
    /// Mean concentration of each region, the common factor included.
    public var levels: [Double]
    public var pose: RigidPose
    /// Each region's own motion, before the pose.
    public var shifts: [SIMD3<Double>]
    public var bending: Field?
    public var textures: [Texture]
    public var foci: [Focus]
    /// Regions that are lesions without uptake of their own.
    public var lostLesions: [Int]
}

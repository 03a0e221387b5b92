public import Imaging

/// What a site or a person states for files that are silent. A file that speaks is always believed first.
public struct PlanarReadingRules: Equatable, Sendable {
    /// Says from which side the detectors of a device look; a nil key matches every device.
    public struct ViewRule: Equatable, Sendable {
        public let device: Equipment
        /// The direction of detector 1, 2 and so on, for a supine patient.
        public let directions: [ViewDirection]

        public init(device: Equipment = Equipment(), directions: [ViewDirection]) {
            (self.device, self.directions) = (device, directions)
        }

        func matches(_ equipment: Equipment) -> Bool {
            (device.manufacturer == nil || device.manufacturer == equipment.manufacturer)
                && (device.model == nil || device.model == equipment.model)
                && (device.station == nil || device.station == equipment.station)
        }
    }

    public var viewRules: [ViewRule] = []
    /// Words that name a view, in capitals, besides those that everybody uses.
    public var anteriorWords: Set<String> = []
    public var posteriorWords: Set<String> = []
    /// Lets the start angle decide where nothing better does: 180 is anterior, 0 and 360 posterior.
    public var startAngleDecides = false
    public var radionuclide: Radionuclide?
    /// The windows by their number in EnergyWindowVector.
    public var energyWindows: [EnergyWindow] = []
    /// Between pixel centres along the patient's x and z.
    public var pixelSpacingMillimetres: SIMD2<Double>?
    /// Tangential and axial.
    public var fieldOfViewMillimetres: SIMD2<Double>?
    public var scanVelocityMillimetresPerSecond: Double?
    public var scanLengthMillimetres: Double?
    public var acquiredAt: LocalTimestamp?
    /// Of a static image.
    public var frameDurationSeconds: Double?
    /// How far the sum of the pixels may be from CountsAccumulated, as a part of it.
    public var countTolerance = 0.0

    public init() {}
}

/// A camera as a site describes it once.
///
/// The JSON keys are those of the site file; energies are keys of the calibration, as text in keV.
///
/// - Units: in the names of the properties; keV for energies.
public struct CameraSite: Equatable, Sendable, Codable {
    public struct CollimatorDescription: Equatable, Sendable, Codable {
        public var holeDiameterMillimetres, holeLengthMillimetres, septaMillimetres: Double
        public var intrinsicResolution140Millimetres: Double

        public init(
            holeDiameterMillimetres: Double, holeLengthMillimetres: Double, septaMillimetres: Double,
            intrinsicResolution140Millimetres: Double
        ) {
            self.holeDiameterMillimetres = holeDiameterMillimetres
            self.holeLengthMillimetres = holeLengthMillimetres
            self.septaMillimetres = septaMillimetres
            self.intrinsicResolution140Millimetres = intrinsicResolution140Millimetres
        }

        package enum CodingKeys: String, CodingKey, CaseIterable {
            case holeDiameterMillimetres = "hole_diameter_mm"
            case holeLengthMillimetres = "hole_length_mm"
            case septaMillimetres = "septa_mm"
            case intrinsicResolution140Millimetres = "intrinsic_fwhm_140kev_mm"
        }
    }

    /// Station name that the description is for; `*` for all.
    public var station: String
    public var isotope: String
    /// Unscattered counts in the photopeak window per second and MBq in air, one head; nil makes results relative.
    public var calibration: [String: Double]?
    public var collimator: CollimatorDescription
    public var energyResolution140Percent: Double
    /// Tangential and axial size of the field of view.
    public var fieldOfViewMillimetres: [Double]
    public var couchWaterEquivalentMillimetres: Double
    public var couchThicknessMillimetres: Double
    /// Tube voltage of the CT, in kV.
    public var tubeVoltage: Double
    /// Dead time of a head in the photopeak window; nil when the rate never asks for a correction.
    public var deadTimeMicroseconds: Double?
    /// When the calibration was measured and until when it holds, ISO 8601 dates.
    public var measuredOn: String?
    public var validUntil: String?
    public var source: String?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case station, isotope, collimator, source
        case calibration = "calibration_cps_per_mbq_per_head"
        case energyResolution140Percent = "energy_resolution_140kev_percent"
        case fieldOfViewMillimetres = "field_of_view_mm"
        case couchWaterEquivalentMillimetres = "couch_water_equivalent_mm"
        case couchThicknessMillimetres = "couch_thickness_mm"
        case tubeVoltage = "ct_kvp"
        case deadTimeMicroseconds = "dead_time_us"
        case measuredOn = "measured_on"
        case validUntil = "valid_until"
    }

    /// The JSON keys of a description.
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// The description of a medium energy collimator without any calibration.
    public static let uncalibratedMediumEnergy = CameraSite(
        station: "*", isotope: "177Lu", calibration: nil,
        collimator: CollimatorDescription(
            holeDiameterMillimetres: 2.94, holeLengthMillimetres: 40.64, septaMillimetres: 1.14,
            intrinsicResolution140Millimetres: 3.8),
        energyResolution140Percent: 10, fieldOfViewMillimetres: [533, 387], couchWaterEquivalentMillimetres: 4,
        couchThicknessMillimetres: 20, tubeVoltage: 120)

    public init(
        station: String, isotope: String, calibration: [String: Double]?, collimator: CollimatorDescription,
        energyResolution140Percent: Double, fieldOfViewMillimetres: [Double],
        couchWaterEquivalentMillimetres: Double, couchThicknessMillimetres: Double, tubeVoltage: Double
    ) {
        (self.station, self.isotope, self.calibration) = (station, isotope, calibration)
        self.collimator = collimator
        self.energyResolution140Percent = energyResolution140Percent
        self.fieldOfViewMillimetres = fieldOfViewMillimetres
        self.couchWaterEquivalentMillimetres = couchWaterEquivalentMillimetres
        self.couchThicknessMillimetres = couchThicknessMillimetres
        self.tubeVoltage = tubeVoltage
    }

    /// Counts per second and MBq for a photon line, by the nearest key within 3 keV.
    public func calibration(energy: Double) -> Double? {
        calibration?.first { key, _ in Double(key).map { abs($0 - energy) <= 3 } ?? false }?.value
    }

    /// - Throws: ``TomographyError/impossibleCollimator(holeDiameter:holeLength:)``.
    public func makeCollimator() throws(TomographyError) -> Collimator {
        try Collimator(
            holeDiameter: collimator.holeDiameterMillimetres, holeLength: collimator.holeLengthMillimetres,
            septalThickness: collimator.septaMillimetres,
            intrinsicResolution: collimator.intrinsicResolution140Millimetres)
    }
}

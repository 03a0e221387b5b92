import DICOM
import Imaging
public import Tomography

/// What a reconstruction took for granted: the `assumptions` of `summary.json`.
public struct ReconstructionAssumptions: Codable, Equatable, Sendable {
    /// The calibration that turned counts into activity; or why there was none.
    public struct Calibration: Codable, Equatable, Sendable {
        public let countsPerSecondPerMegabecquerel: [String: Double]?
        public let measuredOn, validUntil, source: String?
        /// The station that it is for; `*` for all.
        public let station: String
        /// Why the result is relative, as one of the findings; nil when it is not.
        public let notUsed: String?

        enum CodingKeys: String, CodingKey {
            case source, station
            case countsPerSecondPerMegabecquerel = "cps_per_mbq_per_head"
            case measuredOn = "measured_on"
            case validUntil = "valid_until"
            case notUsed = "not_used"
        }
    }

    public let calibration: Calibration
    /// SHA-256 of the description that was used, as JSON with sorted keys, and of the file that it came from.
    public let siteDigest: String
    public let siteFileDigest: String?
    public let tubeKilovolts: Double
    /// `ct` when the images say it, `site` when the description does.
    public let tubeVoltageFrom: String
    public let couchWaterEquivalentMillimetres, couchThicknessMillimetres: Double
    /// `triple-energy-window`, or `modelled` where there are no scatter windows.
    public let scatterMethod: String
    public let collimator: CameraSite.CollimatorDescription
    /// Seconds that each point was looked at.
    public let dwellSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case calibration, collimator
        case siteDigest = "site_sha256"
        case siteFileDigest = "site_file_sha256"
        case tubeKilovolts = "tube_kv"
        case tubeVoltageFrom = "tube_kv_from"
        case couchWaterEquivalentMillimetres = "couch_water_equivalent_mm"
        case couchThicknessMillimetres = "couch_thickness_mm"
        case scatterMethod = "scatter_method"
        case dwellSeconds = "planar_dwell_s"
    }

    /// - Parameter findings: what the reconstruction found about its input.
    init(
        _ study: StudyReader.Study, choice: CalibrationChoice, isCalibrated: Bool, findings: [String],
        siteFileDigest: String?
    ) {
        let site = study.site
        let absence = isCalibrated ? nil : choice.absence ?? .otherEnergy
        calibration = Calibration(
            countsPerSecondPerMegabecquerel: isCalibrated ? site.calibration : nil, measuredOn: site.measuredOn,
            validUntil: site.validUntil, source: site.source, station: site.station, notUsed: absence?.rawValue)
        siteDigest = Digest.hex(of: Array(JSONText.encode(site).utf8))
        self.siteFileDigest = siteFileDigest
        tubeKilovolts = site.tubeVoltage
        tubeVoltageFrom = study.ct.peakKilovolts == nil ? "site" : "ct"
        couchWaterEquivalentMillimetres = site.couchWaterEquivalentMillimetres
        couchThicknessMillimetres = site.couchThicknessMillimetres
        scatterMethod = findings.contains("scatter-modelled") ? "modelled" : "triple-energy-window"
        collimator = site.collimator
        dwellSeconds = study.planar.views.first?.dwellSeconds
    }
}

extension ReconstructionAssumptions.Calibration {
    /// Why a result is relative, for a person.
    var absence: String? {
        switch notUsed.flatMap(CalibrationChoice.Absence.init(rawValue:)) {
        case nil: nil
        case .missing: "no calibration for any camera"
        case .expired: "the calibration expired" + (validUntil.map { " on \($0)" } ?? "")
        case .otherIsotope: "the calibration is for another isotope"
        case .otherStation: "the calibration is for another camera (station)"
        case .otherEnergy: "the calibration is for another photon energy than was counted"
        }
    }
}

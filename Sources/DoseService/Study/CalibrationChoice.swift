package import DICOM
package import Tomography

/// Which of a site's descriptions a planar study is reconstructed with, and why its calibration counts or not.
package struct CalibrationChoice {
    /// Why a result is relative; the raw value is the finding.
    package enum Absence: String, Codable, Sendable {
        /// No camera is described, or none of the described ones has a calibration.
        case missing = "calibration-missing"
        case expired = "calibration-expired"
        case otherIsotope = "calibration-other-isotope"
        case otherStation = "calibration-other-station"
        /// There is one, but not for a photon line that was counted.
        case otherEnergy = "calibration-other-energy"
    }

    /// Without the calibration when that does not hold.
    package let site: CameraSite
    package let absence: Absence?
    /// The last day of a calibration that has run out.
    package let expiredOn: String?

    /// The description that names the station, then the one that holds for all, of those for the radionuclide.
    package init(sites: [CameraSite], station: String?, isotope: String, startedAt: LocalTimestamp) {
        let fitting = sites.filter { $0.isotope == isotope }
        let chosen = fitting.first { $0.station == station } ?? fitting.first { $0.station == "*" }
        var site = chosen ?? .uncalibratedMediumEnergy
        if chosen == nil {
            let calibrated = sites.filter { $0.calibration != nil }
            absence = calibrated.isEmpty ? .missing : fitting.isEmpty ? .otherIsotope : .otherStation
        } else if site.calibration == nil {
            absence = .missing
        } else {
            absence = site.isCalibrated(on: startedAt) ? nil : .expired
        }
        expiredOn = absence == .expired ? site.validUntil : nil
        // A calibration that has run out is none: the result is relative, and says so.
        if absence == .expired { site.calibration = nil }
        self.site = site
    }

    init(sites: [CameraSite], for planar: PlanarStudy) {
        self.init(
            sites: sites, station: planar.equipment.station, isotope: planar.radionuclide.name,
            startedAt: planar.startedAt)
    }
}

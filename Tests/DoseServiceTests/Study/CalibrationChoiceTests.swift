import DICOM
import DoseService
import Testing
import Tomography

/// Which description of a camera counts, and why a calibration does not.
@Suite struct CalibrationChoiceTests {
    private static func site(
        _ station: String = "*", _ isotope: String = "177Lu", isCalibrated: Bool = true, until: String? = nil
    ) -> CameraSite {
        var site = CameraSite.uncalibratedMediumEnergy
        (site.station, site.isotope, site.validUntil) = (station, isotope, until)
        site.calibration = isCalibrated ? ["208": 9.3] : nil
        return site
    }

    struct Row {
        let sites: [CameraSite]
        let absence: CalibrationChoice.Absence?
        let station: String
    }

    static let rows = [
        Row(sites: [], absence: .missing, station: "*"),
        Row(sites: [site(isCalibrated: false)], absence: .missing, station: "*"),
        Row(sites: [site()], absence: nil, station: "*"),
        Row(sites: [site(), site("CAM1")], absence: nil, station: "CAM1"),
        Row(sites: [site("CAM2")], absence: .otherStation, station: "*"),
        Row(sites: [site("CAM1", "131I")], absence: .otherIsotope, station: "*"),
        Row(sites: [site("CAM1", until: "2024-05-05")], absence: .expired, station: "CAM1"),
        Row(sites: [site("CAM1", until: "2024-05-06")], absence: nil, station: "CAM1"),
    ]

    @Test(arguments: rows.indices) func whyACalibrationCounts(index: Int) {
        let row = Self.rows[index]
        let choice = CalibrationChoice(
            sites: row.sites, station: "CAM1", isotope: "177Lu",
            startedAt: LocalTimestamp(year: 2024, month: 5, day: 6, secondsOfDay: 3600))
        #expect(choice.absence == row.absence && choice.site.station == row.station)
        #expect((choice.site.calibration == nil) == (row.absence != nil))
        #expect((choice.expiredOn == nil) == (row.absence != .expired))
    }
}

import DICOM
import Imaging
import Tomography

extension CameraSite {
    /// Keys of the site file whose values cannot be used.
    var faults: [String] {
        var faults: [String] = []
        if (try? makeCollimator()) == nil { faults.append("collimator") }
        if fieldOfViewMillimetres.count != 2 || !fieldOfViewMillimetres.allSatisfy({ $0 > 0 && $0.isFinite }) {
            faults.append("field_of_view_mm")
        }
        let isCalibrationGood =
            calibration?.allSatisfy { Double($0.key) != nil && $0.value > 0 && $0.value.isFinite } ?? true
        if !isCalibrationGood { faults.append("calibration_cps_per_mbq_per_head") }
        if !Radionuclide.known.contains(where: { $0.name == isotope }) { faults.append("isotope") }
        let dates = [measuredOn, validUntil].map { $0.map(Self.date) }
        for (key, date) in zip(["measured_on", "valid_until"], dates) where date == .some(nil) { faults.append(key) }
        if let from = dates[0] ?? nil, let to = dates[1] ?? nil, to < from { faults.append("valid_until") }
        return faults
    }

    /// Whether the calibration held on the day of an acquisition; one without dates always does.
    func isCalibrated(on start: LocalTimestamp) -> Bool {
        if let until = validUntil.flatMap(Self.date), until.advanced(bySeconds: 86_400) <= start { return false }
        return true
    }

    /// - Source: ISO 8601 calendar date, `YYYY-MM-DD`.
    private static func date(_ text: String) -> LocalTimestamp? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.count) == [4, 2, 2] else { return nil }
        return LocalTimestamp(date: parts.joined(), time: "00")
    }
}

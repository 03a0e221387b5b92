import DICOM
import Imaging
import Tomography

extension CameraSite {
    /// Values that cannot be used, and why.
    var problems: [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func complain(_ key: CodingKeys, _ detail: String) {
            problems.append(ConfigurationProblem(path: key.rawValue, code: "unusable", detail: detail))
        }
        func require(_ value: Double?, of key: CodingKeys, aboveZero: Bool) {
            guard let value, !value.isFinite || value < 0 || (aboveZero && value == 0) else { return }
            complain(key, "\(ConfigurationReader.plain(value)), must be \(aboveZero ? "above 0" : "0 or more")")
        }
        problems += collimatorProblems
        if fieldOfViewMillimetres.count != 2 {
            complain(.fieldOfViewMillimetres, "\(fieldOfViewMillimetres.count) numbers, must be 2: across and along")
        } else {
            for length in fieldOfViewMillimetres { require(length, of: .fieldOfViewMillimetres, aboveZero: true) }
        }
        for (energy, value) in (calibration ?? [:]).sorted(by: { $0.key < $1.key }) {
            if Double(energy) == nil { complain(.calibration, "'\(energy)' is no energy in keV") }
            require(value, of: .calibration, aboveZero: true)
        }
        if !Radionuclide.known.contains(where: { $0.name == isotope }) {
            let known = Radionuclide.known.map(\.name).joined(separator: ", ")
            complain(.isotope, "'\(isotope)', must be one of \(known)")
        }
        require(energyResolution140Percent, of: .energyResolution140Percent, aboveZero: true)
        require(couchWaterEquivalentMillimetres, of: .couchWaterEquivalentMillimetres, aboveZero: false)
        require(couchThicknessMillimetres, of: .couchThicknessMillimetres, aboveZero: false)
        require(tubeVoltage, of: .tubeVoltage, aboveZero: true)
        require(deadTimeMicroseconds, of: .deadTimeMicroseconds, aboveZero: false)
        for (key, text) in [(CodingKeys.measuredOn, measuredOn), (.validUntil, validUntil)] {
            if let text, Self.date(text) == nil { complain(key, "'\(text)', must be a date as 2026-01-31") }
        }
        if let from = measuredOn.flatMap(Self.date), let to = validUntil.flatMap(Self.date), to < from {
            complain(.validUntil, "before measured_on")
        }
        return problems
    }

    private var collimatorProblems: [ConfigurationProblem] {
        let keys = CollimatorDescription.CodingKeys.self
        let lengths: [(key: CollimatorDescription.CodingKeys, value: Double, least: Double)] = [
            (keys.holeDiameterMillimetres, collimator.holeDiameterMillimetres, .leastNonzeroMagnitude),
            (keys.holeLengthMillimetres, collimator.holeLengthMillimetres, .leastNonzeroMagnitude),
            (keys.septaMillimetres, collimator.septaMillimetres, 0),
            (keys.intrinsicResolution140Millimetres, collimator.intrinsicResolution140Millimetres, 0),
        ]
        let bad = lengths.filter { !($0.value >= $0.least && $0.value.isFinite) }.map { key, value, least in
            ConfigurationProblem(
                path: "collimator.\(key.rawValue)", code: "unusable",
                detail: "\(ConfigurationReader.plain(value)), must be \(least > 0 ? "above 0" : "0 or more")")
        }
        guard bad.isEmpty, (try? makeCollimator()) == nil else { return bad }
        return [
            ConfigurationProblem(path: "collimator", code: "unusable", detail: "no collimator has these dimensions")
        ]
    }

    /// Whether the calibration held on the day of an acquisition; one without dates always does.
    func isCalibrated(on start: LocalTimestamp) -> Bool {
        if let until = validUntil.flatMap(Self.date), until.advanced(bySeconds: 86_400) <= start { return false }
        return true
    }

    /// - Source: ISO 8601 calendar date, `YYYY-MM-DD`.
    static func date(_ text: String) -> LocalTimestamp? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.count) == [4, 2, 2] else { return nil }
        return LocalTimestamp(date: parts.joined(), time: "00")
    }
}

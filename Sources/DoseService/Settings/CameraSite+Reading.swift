import DICOM
import Imaging
import Tomography

extension CameraSite {
    /// Reads a camera's description; what is missing or wrong is the reader's to say.
    ///
    /// - Returns: nil when it lacks what no description can lack.
    static func read(_ reader: ConfigurationReader) -> CameraSite? {
        var site = uncalibratedMediumEnergy
        var isComplete = true
        func require<Value>(
            _ key: CodingKeys, _ property: WritableKeyPath<CameraSite, Value>, _ read: (String) -> Value?
        ) {
            let value = reader.required(key.rawValue, read)
            isComplete = isComplete && value != nil
            if let value { site[keyPath: property] = value }
        }
        require(.station, \.station) { reader.text($0) }
        require(.isotope, \.isotope) { reader.text($0) }
        require(.collimator, \.collimator) { reader.object($0, CollimatorDescription.read) }
        require(.energyResolution140Percent, \.energyResolution140Percent, reader.number)
        require(.fieldOfViewMillimetres, \.fieldOfViewMillimetres, reader.numbers)
        require(.couchWaterEquivalentMillimetres, \.couchWaterEquivalentMillimetres, reader.number)
        require(.couchThicknessMillimetres, \.couchThicknessMillimetres, reader.number)
        require(.tubeVoltage, \.tubeVoltage, reader.number)
        site.calibration = reader.object(CodingKeys.calibration.rawValue) { reader in
            reader.keys.reduce(into: [:]) { values, energy in values[energy] = reader.number(energy) }
        }
        site.deadTimeMicroseconds = reader.number(CodingKeys.deadTimeMicroseconds.rawValue)
        site.measuredOn = reader.text(CodingKeys.measuredOn.rawValue)
        site.validUntil = reader.text(CodingKeys.validUntil.rawValue)
        site.source = reader.text(CodingKeys.source.rawValue)
        // What could not be read is the usual one's here, which is usable.
        for problem in site.problems { reader.complain(problem.path, problem.code, problem.detail) }
        site.warnOfCalibration(reader)
        if let until = site.validUntil, !site.isCalibrated(on: .now) {
            reader.warn(
                CodingKeys.validUntil.rawValue, "expired",
                "past since \(until): results of this camera are relative until it is calibrated anew")
        }
        return isComplete ? site : nil
    }
}

extension CameraSite {
    /// Counts a second and MBq of one head with any collimator that images these energies; 177Lu has about 10.
    private static let usualSensitivity = 0.5...100.0
    /// How far a key may be from the line that it names, as ``calibration(energy:)`` takes it.
    private static let lineTolerance = 3.0

    /// What makes every result of the camera wrong without a word.
    private func warnOfCalibration(_ reader: ConfigurationReader) {
        let key = CodingKeys.calibration.rawValue
        let lines = Radionuclide.known.first { $0.name == isotope }?.lines.map(\.energy) ?? []
        for (text, value) in (calibration ?? [:]).sorted(by: { $0.key < $1.key }) {
            let energy = Double(text) ?? 0
            if !lines.isEmpty, !lines.contains(where: { abs($0 - energy) <= Self.lineTolerance }) {
                let known = lines.map { "\(Int($0.rounded()))" }.joined(separator: " and ")
                reader.warn("\(key).\(text)", "no-line", "\(isotope) is seen at \(known) keV: this one is never used")
            }
            if !Self.usualSensitivity.contains(value) {
                reader.warn("\(key).\(text)", "unusual", "cameras count 0.5 to 100 a second and MBq")
            }
        }
        if let day = measuredOn.flatMap(Self.date), LocalTimestamp.now < day {
            reader.warn(CodingKeys.measuredOn.rawValue, "in-the-future", "measured after today")
        }
    }
}

extension CameraSite.CollimatorDescription {
    fileprivate static func read(_ reader: ConfigurationReader) -> Self? {
        func length(_ key: CodingKeys) -> Double? { reader.required(key.rawValue, reader.number) }
        let (diameter, holes) = (length(.holeDiameterMillimetres), length(.holeLengthMillimetres))
        let (septa, intrinsic) = (length(.septaMillimetres), length(.intrinsicResolution140Millimetres))
        guard let diameter, let holes, let septa, let intrinsic else { return nil }
        return Self(
            holeDiameterMillimetres: diameter, holeLengthMillimetres: holes, septaMillimetres: septa,
            intrinsicResolution140Millimetres: intrinsic)
    }
}

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
        if let until = site.validUntil, !site.isCalibrated(on: .now) {
            reader.warn(
                CodingKeys.validUntil.rawValue, "expired",
                "past since \(until): results of this camera are relative until it is calibrated anew")
        }
        return isComplete ? site : nil
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

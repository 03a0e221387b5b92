import Imaging

/// How long an acquisition took, and how long each point of the patient was looked at.
struct PlanarTiming {
    let durationSeconds: Double
    private let acquisition: PlanarStudy.Acquisition
    private let velocity: Double
    private let siteFieldOfView: SIMD2<Double>?
    let findings: [PlanarFinding]

    init(
        _ dataset: Dataset, acquisition: PlanarStudy.Acquisition, rules: PlanarReadingRules
    ) throws(DICOMReadingError) {
        self.acquisition = acquisition
        siteFieldOfView = rules.fieldOfViewMillimetres
        var findings: [PlanarFinding] = []
        func stated(_ value: Double?, _ site: Double?, _ tag: AttributeTag) -> Double? {
            if let value, value > 0 { return value }
            guard let site, site > 0 else { return nil }
            findings.append(.suppliedBySite(tag))
            return site
        }

        let milliseconds = try dataset.integer(.actualFrameDuration)
        let frame = stated(
            milliseconds.map { Double($0) / 1000 }, rules.frameDurationSeconds, .actualFrameDuration)
        guard let frame else { throw .needsInput(.frameDuration) }
        durationSeconds = frame
        switch acquisition {
        case .static: velocity = 0
        case .wholeBody:
            let sweep = stated(
                try dataset.decimal(.scanVelocity), rules.scanVelocityMillimetresPerSecond, .scanVelocity)
            guard let sweep else { throw .needsInput(.scanVelocity) }
            let length = stated(
                try dataset.integer(.scanLength).map(Double.init), rules.scanLengthMillimetres, .scanLength)
            guard length != nil else { throw .needsInput(.scanLength) }
            velocity = sweep
        }
        self.findings = findings
    }

    /// Seconds that a point is seen by a detector: in a sweep, as long as the field of view takes to pass it.
    ///
    /// - Throws: ``DICOMReadingError`` with ``MissingInput/fieldOfView``.
    func dwellSeconds(of detector: Dataset?) throws(DICOMReadingError) -> Double {
        guard acquisition == .wholeBody else { return durationSeconds }
        let stated = try detector?.integers(.fieldOfViewDimensions) ?? []
        // Two values are tangential and axial. One is a round detector's diameter, which has no one axial length.
        let axial = stated.count == 2 ? Double(stated[1]) : siteFieldOfView?.y
        guard let axial, axial > 0 else { throw .needsInput(.fieldOfView) }
        return axial / velocity
    }
}

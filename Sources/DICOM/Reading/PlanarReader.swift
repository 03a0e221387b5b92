import Imaging

/// Reads planar nuclear medicine images: whole body or static, anterior and posterior.
///
/// Frames are found by EnergyWindowVector and DetectorVector, never by their position.
///
/// - Source: DICOM PS3.3 C.8.4, Nuclear Medicine Modules.
public struct PlanarReader: Sendable {
    /// Instances of one acquisition start at most this far apart.
    public static let pairingSecondsLimit = 5.0

    public let rules: PlanarReadingRules

    public init(rules: PlanarReadingRules = PlanarReadingRules()) { self.rules = rules }

    /// - Throws: ``DICOMReadingError``: what is missing, or why the files are of no use.
    public func read(filesAt paths: [String]) throws(DICOMReadingError) -> PlanarStudy {
        var datasets: [Dataset] = []
        for path in paths { datasets.append(try Dataset(contentsOf: path)) }
        return try read(datasets)
    }

    /// - Throws: ``DICOMReadingError``: what is missing, or why the instances are of no use.
    public func read(_ datasets: [Dataset]) throws(DICOMReadingError) -> PlanarStudy {
        var instances: [PlanarInstance] = []
        for dataset in datasets { instances.append(try PlanarInstance(dataset, rules: rules)) }
        guard let first = instances.first else { throw .refused(.noInstances) }
        for other in instances.dropFirst() { try Self.checkPair(first, other) }

        var findings = instances.flatMap(\.findings)
        let starts = instances.map(\.startedAt)
        let earliest = starts.min() ?? first.startedAt
        if instances.count > 1 {
            let apart = starts.map { $0.seconds(since: earliest) }.max() ?? 0
            findings.append(.paired(instances: instances.count, secondsApart: apart))
        }
        let views = try Self.ordered(instances.flatMap(\.views))
        let photopeaks = Photopeak.classify(Self.windows(of: views), of: first.radionuclide)
        guard let peak = photopeaks.first else { throw .needsInput(.photopeak) }
        if let finding = Self.mirroring(views.filter { $0.window == peak.window }) { findings.append(finding) }

        return PlanarStudy(
            acquisition: first.acquisition, radionuclide: first.radionuclide, views: views, photopeaks: photopeaks,
            startedAt: earliest, durationSeconds: instances.map(\.durationSeconds).max() ?? first.durationSeconds,
            administration: first.administration, equipment: first.equipment, collimator: first.collimator,
            sources: instances.map(\.source), findings: findings)
    }

    /// - Throws: ``DICOMReadingError`` with ``Refusal/instancesUnpaired(_:)``, naming where they differ.
    private static func checkPair(_ first: PlanarInstance, _ other: PlanarInstance) throws(DICOMReadingError) {
        let differences: [(Bool, AttributeTag)] = [
            (first.source.studyInstanceUID != other.source.studyInstanceUID, .studyInstanceUID),
            (abs(first.startedAt.seconds(since: other.startedAt)) > pairingSecondsLimit, .acquisitionTime),
            (first.acquisition != other.acquisition, .imageType),
            (first.layout.columns != other.layout.columns, .columns),
            (first.layout.rows != other.layout.rows, .rows),
            (first.spacing != other.spacing, .pixelSpacing),
            (first.radionuclide != other.radionuclide, .radionuclideCodeSequence),
            (first.durationSeconds != other.durationSeconds, .actualFrameDuration),
        ]
        if let difference = differences.first(where: \.0) { throw .refused(.instancesUnpaired(difference.1)) }
    }

    /// The views window by window, the anterior one first.
    ///
    /// - Throws: ``DICOMReadingError`` with ``MissingInput/viewAmbiguous`` or ``MissingInput/oppositeView``.
    private static func ordered(_ views: [PlanarView]) throws(DICOMReadingError) -> [PlanarView] {
        var ordered: [PlanarView] = []
        for window in windows(of: views) {
            for direction in ViewDirection.allCases {
                let found = views.filter { $0.window == window && $0.direction == direction }
                guard found.count <= 1 else { throw .needsInput(.viewAmbiguous) }
                guard let view = found.first else { throw .needsInput(.oppositeView) }
                ordered.append(view)
            }
        }
        return ordered
    }

    private static func windows(of views: [PlanarView]) -> [EnergyWindow] {
        views.reduce(into: []) { windows, view in
            if !windows.contains(view.window) { windows.append(view.window) }
        }
    }

    /// Compares both sides of the patient, who looks much the same from the back as from the front once one image is
    /// flipped.
    private static func mirroring(_ views: [PlanarView]) -> PlanarFinding? {
        guard let anterior = views.first(where: { $0.direction == .anterior }),
            let posterior = views.first(where: { $0.direction == .posterior }),
            anterior.columns == posterior.columns, anterior.rows == posterior.rows
        else { return nil }
        let columns = posterior.columns
        let flipped = posterior.counts.indices.map { index in
            posterior.counts[index / columns * columns + columns - 1 - index % columns]
        }
        return .mirroring(
            turned: correlation(anterior.counts, posterior.counts), mirrored: correlation(anterior.counts, flipped))
    }

    /// Pearson's correlation coefficient; 0 when one of the images is flat.
    private static func correlation(_ left: [Float], _ right: [Float]) -> Double {
        let count = Double(left.count)
        let leftMean = left.reduce(0) { $0 + Double($1) } / count
        let rightMean = right.reduce(0) { $0 + Double($1) } / count
        var (product, leftSquare, rightSquare) = (0.0, 0.0, 0.0)
        for (leftValue, rightValue) in zip(left, right) {
            let (a, b) = (Double(leftValue) - leftMean, Double(rightValue) - rightMean)
            product += a * b
            leftSquare += a * a
            rightSquare += b * b
        }
        let scale = (leftSquare * rightSquare).squareRoot()
        return scale > 0 ? product / scale : 0
    }
}

import Imaging

/// One planar nuclear medicine instance, read and checked, with its frames turned into the patient's axes.
struct PlanarInstance {
    let source: SourceReference
    let acquisition: PlanarStudy.Acquisition
    let radionuclide: Radionuclide
    let layout: PixelLayout
    /// Between pixel centres along x and z.
    let spacing: SIMD2<Double>
    let startedAt: LocalTimestamp
    let durationSeconds: Double
    let administration: Administration
    let equipment: Equipment
    let collimator: Collimator
    private(set) var views: [PlanarView] = []
    private(set) var findings: [PlanarFinding] = []

    init(_ dataset: Dataset, rules: PlanarReadingRules) throws(DICOMReadingError) {
        try dataset.require(.nuclearMedicine)
        source = try SourceReference(dataset)
        acquisition = try Self.acquisition(dataset)
        equipment = Equipment(dataset)
        administration = try Administration(dataset, megabecquerelsPerUnit: 1)
        (layout, spacing) = (try PixelLayout(of: dataset), try Self.spacing(dataset, rules))
        radionuclide = try Self.radionuclide(dataset, rules)
        let detectorItems = dataset.items(.detectorInformationSequence)
        collimator = Collimator(
            type: detectorItems.first?.text(.collimatorType), gridName: detectorItems.first?.text(.collimatorGridName))

        let acquired = dataset.timestamp((.acquisitionDate, .acquisitionTime))
        let ofSeries = dataset.timestamp((.seriesDate, .seriesTime))
        guard let start = acquired ?? ofSeries ?? rules.acquiredAt else { throw .needsInput(.acquisitionTime) }
        startedAt = start
        if acquired == nil { findings.append(ofSeries == nil ? .suppliedBySite(.acquisitionTime) : .startOfSeries) }

        let timing = try PlanarTiming(dataset, acquisition: acquisition, rules: rules)
        durationSeconds = timing.durationSeconds
        findings += timing.findings
        for tag in [
            AttributeTag.pixelSpacing, .radiopharmaceuticalInformationSequence, .energyWindowInformationSequence,
        ]
        where dataset.isEmpty(tag) {
            findings.append(.suppliedBySite(tag))
        }

        let frames = try PlanarFrames(dataset, layout: layout)
        let windows = try Self.windows(dataset, count: frames.windowCount, rules)
        let pixels = try dataset.pixels().values
        try checkCounts(dataset, pixels, tolerance: rules.countTolerance)
        try readViews(dataset, frames: frames, windows: windows, timing: timing, pixels: pixels, rules: rules)
    }

    private mutating func readViews(
        _ dataset: Dataset, frames: PlanarFrames, windows: [EnergyWindow], timing: PlanarTiming, pixels: [Int32],
        rules: PlanarReadingRules
    ) throws(DICOMReadingError) {
        let patient = PatientLie(dataset)
        if patient.isAssumed { findings.append(.supineHeadFirstAssumed) }
        let items = dataset.items(.detectorInformationSequence)
        for number in frames.detectorNumbers {
            let detector = try PlanarDetector(
                number: number, item: number <= items.count ? items[number - 1] : nil, dataset: dataset,
                isOnly: frames.detectorNumbers.count == 1, patient: patient, equipment: equipment, rules: rules)
            findings += detector.findings
            let dwell = try timing.dwellSeconds(of: detector.item)
            for frame in frames.frames where frame.detector == number {
                let first = frame.index * layout.frameCount
                views.append(
                    try detector.view(
                        of: pixels[first..<first + layout.frameCount], window: windows[frame.window - 1],
                        layout: layout, spacing: spacing, dwellSeconds: dwell))
            }
        }
        // Detector by detector is how orientations are read; window by window is how the frames are used.
        views = windows.flatMap { window in views.filter { $0.window == window } }
    }

    /// - Throws: ``DICOMReadingError`` with ``Refusal/imageType``: dynamic, gated and reconstructed images are others'.
    private static func acquisition(_ dataset: Dataset) throws(DICOMReadingError) -> PlanarStudy.Acquisition {
        let values = dataset.texts(.imageType)
        guard values.count >= 4, values[3] == "EMISSION", let acquisition = PlanarStudy.Acquisition(rawValue: values[2])
        else { throw .refused(.imageType) }
        return acquisition
    }

    private static func spacing(
        _ dataset: Dataset, _ rules: PlanarReadingRules
    ) throws(DICOMReadingError) -> SIMD2<Double> {
        let stated = try dataset.decimals(.pixelSpacing)
        // PixelSpacing holds the distance between rows first, and rows follow each other along z.
        let spacing = stated.count == 2 ? SIMD2(stated[1], stated[0]) : rules.pixelSpacingMillimetres
        guard let spacing, spacing.x > 0, spacing.y > 0 else { throw .needsInput(.pixelSpacing) }
        return spacing
    }

    static func radionuclide(
        _ dataset: Dataset, _ rules: PlanarReadingRules
    ) throws(DICOMReadingError) -> Radionuclide {
        let codes = dataset.items(.radiopharmaceuticalInformationSequence).flatMap {
            $0.codes(.radionuclideCodeSequence)
        }
        let named = Radionuclide.known.filter { radionuclide in
            codes.contains { CodedConcept.radionuclideCodes[radionuclide.name, default: []].contains($0) }
        }
        if named.count == 1, let only = named.first { return only }
        // The file speaks, so the site's word does not count.
        guard codes.isEmpty else { throw .refused(.radionuclideUnsupported) }
        guard let stated = rules.radionuclide else { throw .needsInput(.radionuclide) }
        return stated
    }

    private static func windows(
        _ dataset: Dataset, count: Int, _ rules: PlanarReadingRules
    ) throws(DICOMReadingError) -> [EnergyWindow] {
        var windows: [EnergyWindow] = []
        for item in dataset.items(.energyWindowInformationSequence) {
            // A window of several ranges has no two limits, and is not taken apart.
            let ranges = item.items(.energyWindowRangeSequence)
            guard ranges.count == 1, let lower = try ranges[0].decimal(.energyWindowLowerLimit),
                let upper = try ranges[0].decimal(.energyWindowUpperLimit), 0 < lower, lower < upper
            else { throw .needsInput(.energyWindow) }
            windows.append(EnergyWindow(lower: lower, upper: upper))
        }
        if windows.isEmpty { windows = rules.energyWindows }
        guard windows.count >= count, Set(windows).count == windows.count else { throw .needsInput(.energyWindow) }
        return windows
    }

    /// A sum that is not the one stated betrays a copy that was rescaled or compressed with loss.
    private mutating func checkCounts(
        _ dataset: Dataset, _ pixels: [Int32], tolerance: Double
    ) throws(DICOMReadingError) {
        guard !pixels.contains(where: { $0 < 0 }) else { throw .refused(.negativeCounts) }
        guard let stated = try dataset.integer(.countsAccumulated), stated != 0 else {
            findings.append(.countsNotStated)
            return
        }
        let found = pixels.reduce(0) { $0 + Int($1) }
        guard Double(abs(found - stated)) <= tolerance * Double(stated) else {
            throw .refused(.countsDiffer(stated: stated, found: found))
        }
    }
}

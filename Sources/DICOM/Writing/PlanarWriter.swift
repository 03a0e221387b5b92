public import Imaging

/// A planar acquisition to be written: one anterior and one posterior view for every energy window.
public struct PlanarAcquisition: Equatable, Sendable {
    public let acquisition: PlanarStudy.Acquisition
    /// All of one size, spacing, origin and dwell.
    public let views: [PlanarView]
    public let radionuclide: Radionuclide
    public let administration: Administration
    /// Tangential and axial, in millimetres; written as whole numbers.
    public let fieldOfViewMillimetres: SIMD2<Double>
    public let equipment: Equipment
    public let collimator: Collimator

    public init(
        acquisition: PlanarStudy.Acquisition = .wholeBody, views: [PlanarView],
        radionuclide: Radionuclide = .lutetium177, administration: Administration,
        fieldOfViewMillimetres: SIMD2<Double> = SIMD2(533, 387), equipment: Equipment = Equipment(),
        collimator: Collimator = Collimator(type: "PARA", gridName: "ME")
    ) {
        self.acquisition = acquisition
        self.views = views
        self.radionuclide = radionuclide
        self.administration = administration
        self.fieldOfViewMillimetres = fieldOfViewMillimetres
        self.equipment = equipment
        self.collimator = collimator
    }
}

/// Writes planar nuclear medicine images as a camera would: the posterior view as seen from behind, rows from the head
/// to the feet, the energy window slowest and the detector fastest.
///
/// - Source: DICOM PS3.3 A.5, Nuclear Medicine Image IOD.
public enum PlanarWriter {
    static let series = "nm"

    /// - Throws: ``DICOMWritingError``.
    public static func write(
        _ acquisition: PlanarAcquisition, study: SyntheticStudy, to path: String
    ) throws(DICOMWritingError) {
        try dataset(acquisition, study: study).write(to: path)
    }

    /// - Parameter directions: of the detectors; a camera that writes an instance for each of its heads has one.
    /// - Throws: ``DICOMWritingError/viewsIncomplete``, ``DICOMWritingError/valueOutOfRange(element:)``.
    public static func dataset(
        _ acquisition: PlanarAcquisition, study: SyntheticStudy, instance: Int = 1,
        directions: [ViewDirection] = [.anterior, .posterior]
    ) throws(DICOMWritingError) -> Dataset {
        let frames = try frames(acquisition, directions)
        let first = frames[0]
        let windows = stride(from: 0, to: frames.count, by: directions.count).map { frames[$0].window }
        var words: [UInt16] = []
        for frame in frames { words += try stored(frame) }

        let dataset = Dataset()
        study.putHeader(
            dataset, .nuclearMedicine, modality: "NM", series: series, number: 1, instance: instance,
            equipment: acquisition.equipment)
        study.putAcquisition(dataset)
        study.putFrameOfReference(dataset)
        dataset.put(.imageType, ["ORIGINAL", "PRIMARY", acquisition.acquisition.rawValue, "EMISSION"])
        dataset.put(.seriesDescription, "\(acquisition.radionuclide.name) \(acquisition.acquisition.rawValue)")
        SyntheticStudy.putSupineHeadFirst(dataset)
        SyntheticStudy.putPixelFormat(dataset, columns: first.columns, rows: first.rows, isSigned: false)
        dataset.put(.pixelSpacing, decimals: [first.spacing.y, first.spacing.x])
        dataset.put(.numberOfFrames, integer: frames.count)
        dataset.put(.frameIncrementPointer, tags: [.energyWindowVector, .detectorVector])
        dataset.put(.energyWindowVector, integers: frames.indices.map { $0 / directions.count + 1 })
        dataset.put(.numberOfEnergyWindows, integer: windows.count)
        dataset.put(.detectorVector, integers: frames.indices.map { $0 % directions.count + 1 })
        dataset.put(.numberOfDetectors, integer: directions.count)
        dataset.put(.countsAccumulated, integer: words.reduce(0) { $0 + Int($1) })
        dataset.put(.pixelData, words: words)
        putTiming(dataset, acquisition, first)
        putIsotope(dataset, acquisition, windows)
        for frame in frames.prefix(directions.count) { putDetector(dataset, acquisition, frame) }
        return dataset
    }

    /// The views window by window, detector by detector.
    private static func frames(
        _ acquisition: PlanarAcquisition, _ directions: [ViewDirection]
    ) throws(DICOMWritingError) -> [PlanarView] {
        let windows = acquisition.views.reduce(into: [EnergyWindow]()) { windows, view in
            if !windows.contains(view.window) { windows.append(view.window) }
        }
        var frames: [PlanarView] = []
        for window in windows {
            for direction in directions {
                let found = acquisition.views.filter { $0.window == window && $0.direction == direction }
                guard found.count == 1, let view = found.first else { throw .viewsIncomplete }
                frames.append(view)
            }
        }
        guard let first = frames.first,
            frames.allSatisfy({
                $0.columns == first.columns && $0.rows == first.rows && $0.spacing == first.spacing
                    && $0.origin == first.origin && $0.dwellSeconds == first.dwellSeconds
            })
        else { throw .viewsIncomplete }
        return frames
    }

    /// The counts in the order in which the camera stores them.
    private static func stored(_ view: PlanarView) throws(DICOMWritingError) -> [UInt16] {
        var words = [UInt16](repeating: 0, count: view.counts.count)
        for (index, count) in view.counts.enumerated() {
            let (x, z) = (index % view.columns, index / view.columns)
            let column = view.direction == .anterior ? x : view.columns - 1 - x
            guard let word = UInt16(exactly: count.rounded()) else { throw .valueOutOfRange(element: index) }
            words[(view.rows - 1 - z) * view.columns + column] = word
        }
        return words
    }

    private static func putTiming(_ dataset: Dataset, _ acquisition: PlanarAcquisition, _ view: PlanarView) {
        guard acquisition.acquisition == .wholeBody else {
            dataset.put(.actualFrameDuration, integer: Int((view.dwellSeconds * 1000).rounded()))
            return
        }
        let velocity = acquisition.fieldOfViewMillimetres.y.rounded() / view.dwellSeconds
        let length = (Double(view.rows) * view.spacing.y).rounded()
        dataset.put(.wholeBodyTechnique, "1PS")
        dataset.put(.scanVelocity, decimal: velocity)
        dataset.put(.scanLength, integer: Int(length))
        dataset.put(.actualFrameDuration, integer: Int((length / velocity * 1000).rounded()))
    }

    private static func putIsotope(_ dataset: Dataset, _ acquisition: PlanarAcquisition, _ windows: [EnergyWindow]) {
        for (index, window) in windows.enumerated() {
            dataset.append(to: .energyWindowInformationSequence) { item in
                item.put(.energyWindowName, "Window \(index + 1)")
                item.append(to: .energyWindowRangeSequence) { range in
                    range.put(.energyWindowLowerLimit, decimal: window.lower)
                    range.put(.energyWindowUpperLimit, decimal: window.upper)
                }
            }
        }
        dataset.append(to: .radiopharmaceuticalInformationSequence) { item in
            item.put(.radiopharmaceutical, "\(acquisition.radionuclide.name)-PSMA")
            let administration = acquisition.administration
            if let activity = administration.megabecquerels { item.put(.radionuclideTotalDose, decimal: activity) }
            // The NM Isotope Module has a time of day for the administration, and no date.
            if let start = administration.startedAt { item.put(.radiopharmaceuticalStartTime, start.dicomTime) }
            if acquisition.radionuclide == .lutetium177 {
                item.put(.radionuclideCodeSequence, code: .lutetium177)
            } else {
                item.putEmpty(.radionuclideCodeSequence)
            }
        }
    }

    private static func putDetector(_ dataset: Dataset, _ acquisition: PlanarAcquisition, _ view: PlanarView) {
        let isAnterior = view.direction == .anterior
        dataset.append(to: .detectorInformationSequence) { item in
            item.put(.collimatorGridName, acquisition.collimator.gridName ?? "")
            item.put(.collimatorType, acquisition.collimator.type ?? "")
            item.put(.fieldOfViewShape, "RECTANGLE")
            item.put(
                .fieldOfViewDimensions,
                integers: [
                    Int(acquisition.fieldOfViewMillimetres.x.rounded()),
                    Int(acquisition.fieldOfViewMillimetres.y.rounded()),
                ])
            item.put(.startAngle, decimal: isAnterior ? 180 : 0)
            if let radius = view.radialPositionMillimetres { item.put(.radialPosition, decimal: radius) }
            let extent = SIMD2(Double(view.columns - 1), Double(view.rows - 1)) * view.spacing
            item.put(.imageOrientationPatient, decimals: [isAnterior ? 1 : -1, 0, 0, 0, 0, -1])
            if let face = view.facePositionMillimetres {
                let x = isAnterior ? view.origin.x : view.origin.x + extent.x
                item.put(.imagePositionPatient, decimals: [x, face, view.origin.y + extent.y])
            } else {
                item.putEmpty(.imagePositionPatient)
            }
            item.put(.viewCodeSequence, code: isAnterior ? .anteriorProjection : .posteriorProjection)
        }
    }
}

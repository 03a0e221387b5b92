public import Imaging

/// A CT series as one volume.
///
/// - Units: `volume` in Hounsfield units.
public struct CTSeries: Equatable, Sendable {
    public let volume: Volume<Float>
    public let frameOfReferenceUID: String
    public let patientPosition: String?
    public let acquiredAt: LocalTimestamp?
    /// Peak voltage of the tube, in kV.
    public let peakKilovolts: Double?
    public let equipment: Equipment
    /// One for each slice, from the feet to the head.
    public let sources: [SourceReference]
}

/// A PET series as one volume.
///
/// - Units: `volume` in Bq/mL, at the time that `decayCorrection` names.
public struct PETSeries: Equatable, Sendable {
    /// The time to which the counts were corrected for decay.
    ///
    /// - Source: DICOM PS3.3 C.8.9.1, Decay Correction (0054,1102).
    public enum DecayCorrection: String, Sendable, Codable {
        case none = "NONE"
        /// To the start of the acquisition.
        case start = "START"
        /// To the administration.
        case administration = "ADMIN"
    }

    public let volume: Volume<Float>
    public let frameOfReferenceUID: String
    public let patientPosition: String?
    public let decayCorrection: DecayCorrection
    /// Start of the series, to which START refers.
    public let seriesStartedAt: LocalTimestamp?
    /// Start of the earliest slice's acquisition.
    public let acquiredAt: LocalTimestamp?
    public let administration: Administration
    public let halfLifeSeconds: Double?
    public let patientKilograms: Double?
    public let equipment: Equipment
    /// One for each slice, from the feet to the head.
    public let sources: [SourceReference]
}

/// Reads series of CT and PET slices by their positions, never by their order or numbers.
public enum SeriesReader {
    /// A CT voxel that the device marks as outside its field of view counts as air.
    public static let airHounsfieldUnits: Float = -1000

    /// - Throws: ``DICOMReadingError``.
    public static func readCT(filesAt paths: [String]) throws(DICOMReadingError) -> CTSeries {
        try readCT(open(paths))
    }

    /// - Throws: ``DICOMReadingError``.
    public static func readCT(_ datasets: [Dataset]) throws(DICOMReadingError) -> CTSeries {
        for dataset in datasets {
            try dataset.require(.computedTomography)
            let kinds = dataset.texts(.imageType)
            guard kinds.count >= 3, kinds[2] == "AXIAL" else { throw .refused(.imageType) }
        }
        let stack = try SliceStack(datasets)
        let volume = try stack.volume { (dataset, pixels) throws(DICOMReadingError) in
            let rescale = try Rescale(dataset)
            let padding = try dataset.paddingValue()
            return pixels.map { $0 == padding ? airHounsfieldUnits : rescale($0) }
        }
        let first = stack.datasets[0]
        return CTSeries(
            volume: volume, frameOfReferenceUID: try first.requiredText(.frameOfReferenceUID),
            patientPosition: first.text(.patientPosition), acquiredAt: earliestAcquisition(stack),
            peakKilovolts: try first.decimal(.kvp), equipment: Equipment(first), sources: try sources(stack))
    }

    /// - Throws: ``DICOMReadingError``; with ``Refusal/units`` unless the voxels are in Bq/mL.
    public static func readPET(filesAt paths: [String]) throws(DICOMReadingError) -> PETSeries {
        try readPET(open(paths))
    }

    /// - Throws: ``DICOMReadingError``; with ``Refusal/units`` unless the voxels are in Bq/mL.
    public static func readPET(_ datasets: [Dataset]) throws(DICOMReadingError) -> PETSeries {
        for dataset in datasets {
            try dataset.require(.positronEmission)
            guard dataset.text(.units) == "BQML" else { throw .refused(.units) }
            let corrections = dataset.texts(.correctedImage)
            guard corrections.isEmpty || corrections.contains("ATTN") else { throw .refused(.attenuationUncorrected) }
        }
        let stack = try SliceStack(datasets)
        let first = stack.datasets[0]
        // Slices missing at an end leave no gap, but the number that the series says it has.
        if let stated = try first.integer(.numberOfSlices), stated > datasets.count {
            throw .refused(.slicesMissing(afterSlice: datasets.count - 1))
        }
        let volume = try stack.volume { (dataset, pixels) throws(DICOMReadingError) in
            let rescale = try Rescale(dataset)
            return pixels.map { rescale($0) }
        }
        guard let correction = PETSeries.DecayCorrection(rawValue: try first.requiredText(.decayCorrection)) else {
            throw .refused(.valueMalformed(.decayCorrection))
        }
        let injected = first.items(.radiopharmaceuticalInformationSequence).first
        return PETSeries(
            volume: volume, frameOfReferenceUID: try first.requiredText(.frameOfReferenceUID),
            patientPosition: first.text(.patientPosition), decayCorrection: correction,
            seriesStartedAt: first.timestamp((.seriesDate, .seriesTime)), acquiredAt: earliestAcquisition(stack),
            administration: try Administration(first, megabecquerelsPerUnit: 1e-6),
            halfLifeSeconds: try injected?.decimal(.radionuclideHalfLife),
            patientKilograms: try first.decimal(.patientWeight), equipment: Equipment(first),
            sources: try sources(stack))
    }

    private static func open(_ paths: [String]) throws(DICOMReadingError) -> [Dataset] {
        var datasets: [Dataset] = []
        for path in paths { datasets.append(try Dataset(contentsOf: path)) }
        return datasets
    }

    private static func sources(_ stack: SliceStack) throws(DICOMReadingError) -> [SourceReference] {
        var sources: [SourceReference] = []
        for dataset in stack.datasets { sources.append(try SourceReference(dataset)) }
        return sources
    }

    private static func earliestAcquisition(_ stack: SliceStack) -> LocalTimestamp? {
        stack.datasets.compactMap { $0.timestamp((.acquisitionDate, .acquisitionTime)) }.min()
    }
}

/// A slice's own conversion of stored values.
///
/// - Source: DICOM PS3.3 C.11.1.1.2 and C.8.9.4, Rescale Slope and Intercept.
private struct Rescale {
    let slope, intercept: Double

    init(_ dataset: Dataset) throws(DICOMReadingError) {
        slope = try dataset.requiredDecimals(.rescaleSlope, count: 1)[0]
        intercept = try dataset.requiredDecimals(.rescaleIntercept, count: 1)[0]
        guard slope > 0 else { throw .refused(.valueMalformed(.rescaleSlope)) }
    }

    func callAsFunction(_ stored: Int32) -> Float { Float(slope * Double(stored) + intercept) }
}

extension Dataset {
    /// PixelPaddingValue in the pixels' own representation, which its dictionary entry leaves open.
    fileprivate func paddingValue() throws(DICOMReadingError) -> Int32? {
        guard let stored = try integer(.pixelPaddingValue) else { return nil }
        return try PixelLayout(of: self).value(cell: UInt32(truncatingIfNeeded: stored))
    }
}

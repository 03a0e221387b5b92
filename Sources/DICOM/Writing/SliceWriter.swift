public import Imaging

/// Writes CT and PET volumes as series of slices.
///
/// Files are named by the slice's number from the feet, `0001.dcm`, in a folder that exists.
///
/// - Source: DICOM PS3.3 A.3, CT Image IOD, and A.21, Positron Emission Tomography Image IOD.
public enum SliceWriter {
    public static let ctSeries = "ct"
    public static let petSeries = "pt"
    /// Stored CT values start here: air outside a device's field of view is no colder.
    private static let ctIntercept = -1024.0

    /// - Parameter volume: in Hounsfield units, rounded to whole ones.
    /// - Returns: what names the slices, from the feet to the head.
    /// - Throws: ``DICOMWritingError``.
    @discardableResult
    public static func writeCT(
        _ volume: Volume<Float>, peakKilovolts: Double = 120, study: SyntheticStudy,
        equipment: Equipment = Equipment(), to folder: String
    ) throws(DICOMWritingError) -> [SourceReference] {
        var references: [SourceReference] = []
        for slice in 0..<volume.grid.slices {
            let dataset = try ctSlice(
                volume, slice: slice, peakKilovolts: peakKilovolts, study: study, equipment: equipment)
            try dataset.write(to: path(slice, in: folder))
            references.append(study.reference(.computedTomography, series: ctSeries, instance: slice + 1))
        }
        return references
    }

    /// - Parameters:
    ///   - volume: in Bq/mL at the start of the study; every slice gets a scaling of its own.
    ///   - administration: of 68Ga; its activity in MBq, which a PET object holds in Bq.
    /// - Returns: what names the slices, from the feet to the head.
    /// - Throws: ``DICOMWritingError``.
    @discardableResult
    public static func writePET(
        _ volume: Volume<Float>, administration: Administration, study: SyntheticStudy,
        equipment: Equipment = Equipment(), to folder: String
    ) throws(DICOMWritingError) -> [SourceReference] {
        var references: [SourceReference] = []
        for slice in 0..<volume.grid.slices {
            let dataset = try petSlice(
                volume, slice: slice, administration: administration, study: study, equipment: equipment)
            try dataset.write(to: path(slice, in: folder))
            references.append(study.reference(.positronEmission, series: petSeries, instance: slice + 1))
        }
        return references
    }

    static func ctSlice(
        _ volume: Volume<Float>, slice: Int, peakKilovolts: Double, study: SyntheticStudy, equipment: Equipment
    ) throws(DICOMWritingError) -> Dataset {
        let dataset = Dataset()
        study.putHeader(
            dataset, .computedTomography, modality: "CT", series: ctSeries, number: 1, instance: slice + 1,
            equipment: equipment)
        study.putAcquisition(dataset)
        study.putFrameOfReference(dataset)
        dataset.put(.imageType, ["ORIGINAL", "PRIMARY", "AXIAL"])
        dataset.put(.seriesDescription, "CT for attenuation and anatomy")
        dataset.put(.patientPosition, "HFS")
        dataset.put(.acquisitionNumber, integer: 1)
        dataset.put(.kvp, decimal: peakKilovolts)
        let words = try stored(volume, slice, slope: 1, intercept: ctIntercept, highest: Double(UInt16.max))
        putPlane(dataset, volume.grid, slice, isSigned: false)
        dataset.put(.rescaleIntercept, decimal: ctIntercept)
        dataset.put(.rescaleSlope, decimal: 1)
        dataset.put(.rescaleType, "HU")
        dataset.put(.pixelData, words: words)
        return dataset
    }

    static func petSlice(
        _ volume: Volume<Float>, slice: Int, administration: Administration, study: SyntheticStudy,
        equipment: Equipment
    ) throws(DICOMWritingError) -> Dataset {
        let dataset = Dataset()
        study.putHeader(
            dataset, .positronEmission, modality: "PT", series: petSeries, number: 2, instance: slice + 1,
            equipment: equipment)
        study.putAcquisition(dataset)
        study.putFrameOfReference(dataset)
        dataset.put(.imageType, ["ORIGINAL", "PRIMARY"])
        dataset.put(.seriesDescription, "68Ga-PSMA PET, attenuation corrected")
        SyntheticStudy.putSupineHeadFirst(dataset)
        try putPETPlane(dataset, volume, slice)
        putPETSeries(dataset, slices: volume.grid.slices, slice: slice)
        putPETIsotope(dataset, administration)
        return dataset
    }

    /// A slice's pixels with a scaling of their own.
    ///
    /// - Throws: ``DICOMWritingError/valueOutOfRange(element:)`` for a negative value and one that is not finite.
    static func putPETPlane(_ dataset: Dataset, _ volume: Volume<Float>, _ slice: Int) throws(DICOMWritingError) {
        let plane = volume.grid.columns * volume.grid.rows
        let peak = Double(volume.voxels[slice * plane..<(slice + 1) * plane].max() ?? 0)
        let highest = Double(Int16.max)
        let slope = DecimalString(roundingUp: peak > 0 ? peak / highest : 1)
        let words = try stored(volume, slice, slope: slope.value, intercept: 0, highest: highest)
        putPlane(dataset, volume.grid, slice, isSigned: true)
        dataset.put(.rescaleIntercept, decimal: 0)
        dataset.put(.rescaleSlope, slope.text)
        dataset.put(.pixelData, words: words)
    }

    private static func putPETSeries(_ dataset: Dataset, slices: Int, slice: Int) {
        dataset.put(.units, "BQML")
        dataset.put(.countsSource, "EMISSION")
        dataset.put(.seriesType, ["WHOLE BODY", "IMAGE"])
        dataset.put(.numberOfSlices, integer: slices)
        dataset.put(.imageIndex, integer: slice + 1)
        dataset.put(.correctedImage, ["DECY", "ATTN", "SCAT", "RADL", "NORM"])
        dataset.put(.decayCorrection, "START")
        dataset.put(.decayFactor, decimal: 1)
        dataset.put(.randomsCorrectionMethod, "DLYD")
        dataset.put(.attenuationCorrectionMethod, "CT")
        dataset.put(.scatterCorrectionMethod, "Model-based")
        dataset.put(.actualFrameDuration, integer: 180_000)
        dataset.put(.frameReferenceTime, decimal: 0)
        dataset.putEmpty(.collimatorType)
    }

    /// - Source: 68Ga, DDEP: half-life 67.83 min, positrons in 88.88 % of decays.
    private static func putPETIsotope(_ dataset: Dataset, _ administration: Administration) {
        dataset.append(to: .radiopharmaceuticalInformationSequence) { item in
            item.put(.radiopharmaceutical, "68Ga-PSMA-11")
            if let start = administration.startedAt {
                item.put(.radiopharmaceuticalStartTime, start.dicomTime)
                item.put(.radiopharmaceuticalStartDateTime, start.dicomDate + start.dicomTime)
            }
            if let activity = administration.megabecquerels {
                item.put(.radionuclideTotalDose, decimal: activity * 1e6)
            }
            item.put(.radionuclideHalfLife, decimal: 4069.8)
            item.put(.radionuclidePositronFraction, decimal: 0.8888)
            item.put(.radionuclideCodeSequence, code: .gallium68)
        }
    }

    private static func putPlane(_ dataset: Dataset, _ grid: VoxelGrid, _ slice: Int, isSigned: Bool) {
        SyntheticStudy.putPixelFormat(dataset, columns: grid.columns, rows: grid.rows, isSigned: isSigned)
        let z = grid.origin.z + Double(slice) * grid.spacing.z
        dataset.put(.imagePositionPatient, decimals: [grid.origin.x, grid.origin.y, z])
        dataset.put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 1, 0])
        dataset.put(.pixelSpacing, decimals: [grid.spacing.y, grid.spacing.x])
        dataset.put(.sliceThickness, decimal: grid.spacing.z)
    }

    /// A slice's values as stored ones.
    ///
    /// - Throws: ``DICOMWritingError/valueOutOfRange(element:)`` for a value that is not finite or does not fit.
    private static func stored(
        _ volume: Volume<Float>, _ slice: Int, slope: Double, intercept: Double, highest: Double
    ) throws(DICOMWritingError) -> [UInt16] {
        let plane = volume.grid.columns * volume.grid.rows
        var words: [UInt16] = []
        words.reserveCapacity(plane)
        for voxel in slice * plane..<(slice + 1) * plane {
            let value = ((Double(volume.voxels[voxel]) - intercept) / slope).rounded()
            guard value >= 0, value <= highest else { throw .valueOutOfRange(element: voxel) }
            words.append(UInt16(value))
        }
        return words
    }

    private static func path(_ slice: Int, in folder: String) -> String {
        let digits = String(slice + 1)
        return folder + "/" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".dcm"
    }
}

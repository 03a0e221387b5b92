public import Imaging

/// An activity map as this service writes it: an RT Dose object with relative units and a real-world mapping to Bq/mL.
///
/// - Units: `volume` in Bq/mL when `time` is there, otherwise relative.
public struct ActivityMap: Sendable {
    public let volume: Volume<Float>
    /// When the activity was what the map says; nil for a map without a calibration.
    public let time: LocalTimestamp?
    /// Named by the series' description.
    public let radionuclide: String?
    public let frameOfReferenceUID: String
    /// In the bytes of its own character set, to tell patients apart; never shown.
    public let patientID: [UInt8]
    public let reference: SourceReference
}

/// - Source: DICOM PS3.3 C.8.8.3, RT Dose Module; C.7.6.16.2.11, Real World Value Mapping Macro.
public enum ActivityMapReader {
    /// - Throws: ``DICOMReadingError``; with ``Refusal/units`` for a dose in grays or a standard deviation.
    public static func read(_ dataset: Dataset) throws(DICOMReadingError) -> ActivityMap {
        try dataset.require(.radiotherapyDose)
        guard dataset.text(.doseUnits) == "RELATIVE", dataset.text(.doseType) == "PHYSICAL" else {
            throw .refused(.units)
        }
        let comment = dataset.text(.doseComment) ?? ""
        let mapping = dataset.items(.realWorldValueMappingSequence).first
        let unit = mapping?.items(.measurementUnitsCodeSequence).first?.text(.codeValue)
        let isCalibrated = unit == "Bq/ml" && comment.hasPrefix("Activity conc Bq/mL @ ")
        let scaling = try dataset.requiredDecimals(.doseGridScaling, count: 1)[0]
        guard scaling > 0 else { throw .refused(.valueMalformed(.doseGridScaling)) }
        let grid = try grid(of: dataset)
        let (_, stored) = try dataset.pixels()
        // Read as signed; the sign bit of 32 bits stays clear in what this service writes.
        let values = stored.map { Float(Double($0) * scaling) }
        guard let volume = try? Volume(grid: grid, voxels: values) else {
            throw .refused(.pixelDataLength(expected: grid.voxelCount, found: values.count))
        }
        return ActivityMap(
            volume: volume, time: isCalibrated ? try time(in: comment) : nil,
            radionuclide: radionuclide(in: dataset.text(.seriesDescription) ?? ""),
            frameOfReferenceUID: try dataset.requiredText(.frameOfReferenceUID),
            patientID: dataset.bytes(.patientID) ?? [], reference: try SourceReference(dataset))
    }

    private static func grid(of dataset: Dataset) throws(DICOMReadingError) -> VoxelGrid {
        guard try dataset.requiredDecimals(.imageOrientationPatient, count: 6) == [1, 0, 0, 0, 1, 0] else {
            throw .refused(.obliqueOrientation)
        }
        let origin = try dataset.requiredDecimals(.imagePositionPatient, count: 3)
        let spacing = try dataset.requiredDecimals(.pixelSpacing, count: 2)
        let offsets = try dataset.decimals(.gridFrameOffsetVector)
        guard offsets.count >= 2, offsets[0] == 0 else { throw .refused(.slicesTooFew(found: offsets.count)) }
        let step = offsets[1]
        for (slice, offset) in offsets.enumerated() where abs(offset - Double(slice) * step) > 0.01 * abs(step) {
            throw .refused(.slicesMissing(afterSlice: max(0, slice - 1)))
        }
        do {
            return try VoxelGrid(
                columns: try dataset.requiredInteger(.columns), rows: try dataset.requiredInteger(.rows),
                slices: offsets.count, spacing: SIMD3(spacing[1], spacing[0], step),
                origin: SIMD3(origin[0], origin[1], origin[2]))
        } catch let error as DICOMReadingError { throw error } catch {
            throw .refused(.impossibleDimensions(columns: 0, rows: 0, frames: offsets.count))
        }
    }

    /// `Activity conc Bq/mL @ YYYYMMDD HHMMSS`, and what follows after a semicolon.
    private static func time(in comment: String) throws(DICOMReadingError) -> LocalTimestamp {
        let words = comment.split(separator: ";")[0].split(separator: " ").suffix(2).map(String.init)
        guard words.count == 2, let time = LocalTimestamp(date: words[0], time: words[1]) else {
            throw .refused(.valueMalformed(.doseComment))
        }
        return time
    }

    private static func radionuclide(in description: String) -> String? {
        let last = description.split(separator: " ").last.map(String.init) ?? ""
        let digits = last.prefix { $0.isNumber }
        let rest = last.dropFirst(digits.count)
        return !digits.isEmpty && !rest.isEmpty && rest.allSatisfy { $0.isLetter } ? last : nil
    }
}

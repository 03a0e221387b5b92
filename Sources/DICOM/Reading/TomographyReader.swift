public import Imaging

/// A reconstructed SPECT as one volume.
///
/// - Units: `volume` in Bq/mL at `acquiredAt`.
public struct TomographicImage: Sendable {
    public let volume: Volume<Float>
    public let acquiredAt: LocalTimestamp
    /// Mass number and element symbol.
    public let radionuclide: String
    public let frameOfReferenceUID: String
    /// In the bytes of its own character set, to tell patients apart; never shown.
    public let patientID: [UInt8]
    public let reference: SourceReference
}

/// Reads nuclear medicine images that were reconstructed to slices and are in units of activity.
///
/// - Source: DICOM PS3.3 C.8.4.15, NM Reconstruction Module; C.8.4.9, NM Multi-frame Module; C.7.6.16.2.11, Real World
///   Value Mapping Macro.
public enum TomographyReader {
    /// - Throws: ``DICOMReadingError``; with ``Refusal/units`` for counts, which no calibration has made activity.
    public static func read(_ dataset: Dataset) throws(DICOMReadingError) -> TomographicImage {
        try dataset.require(.nuclearMedicine)
        let kinds = dataset.texts(.imageType)
        guard kinds.count >= 4, kinds[2] == "RECON TOMO", kinds[3] == "EMISSION" else { throw .refused(.imageType) }
        let scaling = try scaling(of: dataset)
        let (layout, stored) = try dataset.pixels()
        let (grid, order) = try grid(of: dataset, layout)
        let plane = layout.frameCount
        var volume = Volume<Float>(grid: grid, repeating: 0)
        for (frame, slice) in order.enumerated() {
            for pixel in 0..<plane {
                let value = scaling.slope * Double(stored[frame * plane + pixel]) + scaling.intercept
                // Reconstructions may leave a little less than nothing.
                volume.voxels[slice * plane + pixel] = Float(max(value, 0))
            }
        }
        guard let acquired = dataset.timestamp((.acquisitionDate, .acquisitionTime)) else {
            throw .needsInput(.acquisitionTime)
        }
        return TomographicImage(
            volume: volume, acquiredAt: acquired,
            radionuclide: try PlanarInstance.radionuclide(dataset, PlanarReadingRules()).name,
            frameOfReferenceUID: try dataset.requiredText(.frameOfReferenceUID),
            patientID: dataset.bytes(.patientID) ?? [], reference: try SourceReference(dataset))
    }

    /// From stored values to Bq/mL: by a real-world mapping, or by units and rescaling as a PET has them.
    private static func scaling(of dataset: Dataset) throws(DICOMReadingError) -> (slope: Double, intercept: Double) {
        for mapping in dataset.items(.realWorldValueMappingSequence) {
            guard mapping.items(.measurementUnitsCodeSequence).first?.text(.codeValue)?.lowercased() == "bq/ml",
                let slope = try mapping.decimal(.realWorldValueSlope), slope > 0
            else { continue }
            return (slope, try mapping.decimal(.realWorldValueIntercept) ?? 0)
        }
        guard dataset.text(.units) == "BQML", let slope = try dataset.decimal(.rescaleSlope), slope > 0 else {
            throw .refused(.units)
        }
        return (slope, try dataset.decimal(.rescaleIntercept) ?? 0)
    }

    /// - Returns: slices from the feet to the head, and the slice of every frame.
    private static func grid(
        of dataset: Dataset, _ layout: PixelLayout
    ) throws(DICOMReadingError) -> (VoxelGrid, [Int]) {
        let vector = try dataset.integers(.sliceVector)
        guard vector.count == layout.frames else {
            throw .refused(.frameVectorLength(.sliceVector, expected: layout.frames, found: vector.count))
        }
        guard Set(vector) == Set(1...layout.frames) else {
            throw .refused(.frameVectorRange(.sliceVector, value: vector.first { $0 < 1 || $0 > layout.frames } ?? 0))
        }
        guard layout.frames > 1 else { throw .refused(.slicesTooFew(found: layout.frames)) }
        let holder = dataset.items(.detectorInformationSequence).first ?? dataset
        let orientation = try holder.requiredDecimals(.imageOrientationPatient, count: 6)
        guard zip(orientation, [1, 0, 0, 0, 1, 0]).allSatisfy({ abs($0 - $1) < 1e-4 }) else {
            throw .refused(.obliqueOrientation)
        }
        let position = try holder.requiredDecimals(.imagePositionPatient, count: 3)
        let spacing = try dataset.requiredDecimals(.pixelSpacing, count: 2)
        // A negative distance goes from the head to the feet.
        let step = try dataset.requiredDecimals(.spacingBetweenSlices, count: 1)[0]
        let descends = step < 0
        let lowest = descends ? position[2] + Double(layout.frames - 1) * step : position[2]
        do {
            let grid = try VoxelGrid(
                columns: layout.columns, rows: layout.rows, slices: layout.frames,
                spacing: SIMD3(spacing[1], spacing[0], abs(step)), origin: SIMD3(position[0], position[1], lowest))
            return (grid, vector.map { descends ? layout.frames - $0 : $0 - 1 })
        } catch {
            throw .refused(
                .impossibleDimensions(columns: layout.columns, rows: layout.rows, frames: layout.frames))
        }
    }
}

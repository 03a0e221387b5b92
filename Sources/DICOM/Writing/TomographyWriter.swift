public import Imaging

/// Writes a reconstructed SPECT of 177Lu as one multi-frame nuclear medicine image, in Bq/mL by a real-world mapping.
///
/// - Source: DICOM PS3.3 A.5, Nuclear Medicine Image IOD.
public enum TomographyWriter {
    static let series = "spect"

    /// - Parameters:
    ///   - volume: in Bq/mL at the start of the study.
    ///   - frameOfReferenceUID: of the CT that the SPECT lies over; the study's own without one.
    /// - Throws: ``DICOMWritingError/valueOutOfRange(element:)``.
    public static func dataset(
        _ volume: Volume<Float>, study: SyntheticStudy, frameOfReferenceUID: String? = nil
    ) throws(DICOMWritingError) -> Dataset {
        let grid = volume.grid
        let peak = Double(volume.voxels.max() ?? 0)
        let slope = peak > 0 ? peak / Double(UInt16.max) : 1
        var words: [UInt16] = []
        for (index, value) in volume.voxels.enumerated() {
            guard let word = UInt16(exactly: (Double(value) / slope).rounded()) else {
                throw .valueOutOfRange(element: index)
            }
            words.append(word)
        }
        let dataset = Dataset()
        study.putHeader(
            dataset, .nuclearMedicine, modality: "NM", series: series, number: 3, instance: 1, equipment: Equipment())
        study.putAcquisition(dataset)
        study.putFrameOfReference(dataset)
        if let frameOfReferenceUID { dataset.put(.frameOfReferenceUID, frameOfReferenceUID) }
        dataset.put(.imageType, ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"])
        dataset.put(.seriesDescription, "177Lu SPECT")
        SyntheticStudy.putSupineHeadFirst(dataset)
        SyntheticStudy.putPixelFormat(dataset, columns: grid.columns, rows: grid.rows, isSigned: false)
        dataset.put(.pixelSpacing, decimals: [grid.spacing.y, grid.spacing.x])
        dataset.put(.sliceThickness, decimal: grid.spacing.z)
        dataset.put(.spacingBetweenSlices, decimal: grid.spacing.z)
        dataset.put(.numberOfFrames, integer: grid.slices)
        dataset.put(.frameIncrementPointer, tags: [.sliceVector])
        dataset.put(.sliceVector, integers: Array(1...grid.slices))
        dataset.put(.numberOfSlices, integer: grid.slices)
        dataset.put(.pixelData, words: words)
        dataset.append(to: .detectorInformationSequence) { item in
            item.put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 1, 0])
            item.put(.imagePositionPatient, decimals: [grid.origin.x, grid.origin.y, grid.origin.z])
        }
        dataset.append(to: .radiopharmaceuticalInformationSequence) { item in
            item.put(.radionuclideCodeSequence, code: .lutetium177)
        }
        dataset.append(to: .realWorldValueMappingSequence) { mapping in
            mapping.put(.realWorldValueFirstValueMapped, integer: 0)
            mapping.put(.realWorldValueLastValueMapped, integer: Int(UInt16.max))
            mapping.put(.realWorldValueIntercept, decimal: 0)
            mapping.put(.realWorldValueSlope, decimal: slope)
            mapping.put(.measurementUnitsCodeSequence, code: .becquerelsPerMillilitre)
        }
        return dataset
    }
}

public import Imaging

/// Writes contours as an RT Structure Set drawn on a CT series.
///
/// - Source: DICOM PS3.3 A.19, RT Structure Set IOD.
public enum StructureSetWriter {
    static let series = "rtstruct"

    /// - Parameters:
    ///   - study: that of the CT, whose frame of reference the contours share.
    ///   - ctReferences: the CT's slices.
    /// - Throws: ``DICOMWritingError``.
    public static func write(
        _ structures: StructureSet, on ctReferences: [SourceReference], study: SyntheticStudy, to path: String
    ) throws(DICOMWritingError) {
        try dataset(structures, on: ctReferences, study: study).write(to: path)
    }

    public static func dataset(
        _ structures: StructureSet, on ctReferences: [SourceReference], study: SyntheticStudy
    ) -> Dataset {
        let dataset = Dataset()
        study.putHeader(
            dataset, .structureSet, modality: "RTSTRUCT", series: series, number: 3, instance: 1,
            equipment: Equipment())
        dataset.putEmpty(.operatorsName)
        dataset.put(.seriesDescription, "Contours")
        dataset.put(.structureSetLabel, "PHANTOM")
        dataset.put(.structureSetDate, study.startedAt.dicomDate)
        dataset.put(.structureSetTime, study.startedAt.dicomTime)
        dataset.put(.approvalStatus, "UNAPPROVED")
        study.putFrameOfReference(dataset)
        putReferencedSeries(dataset, ctReferences, study)
        for (index, region) in structures.regions.enumerated() {
            putRegion(dataset, region, number: index + 1, frameOfReferenceUID: study.frameOfReferenceUID)
        }
        return dataset
    }

    /// To a thousandth of a millimetre: a value of an explicit representation has room for 65 534 bytes.
    private static func rounded(_ millimetres: Double) -> Double { (millimetres * 1000).rounded() / 1000 }

    private static func putReferencedSeries(_ dataset: Dataset, _ slices: [SourceReference], _ study: SyntheticStudy) {
        dataset.append(to: .referencedFrameOfReferenceSequence) { frame in
            frame.put(.frameOfReferenceUID, study.frameOfReferenceUID)
            guard let first = slices.first else { return }
            frame.append(to: .rtReferencedStudySequence) { item in
                // The class of a study, which no instance has, is the one that the standard retired.
                item.put(.referencedSOPClassUID, "1.2.840.10008.3.1.2.3.1")
                item.put(.referencedSOPInstanceUID, first.studyInstanceUID)
                item.append(to: .rtReferencedSeriesSequence) { series in
                    series.put(.seriesInstanceUID, first.seriesInstanceUID)
                    for slice in slices {
                        series.append(to: .contourImageSequence) { image in
                            image.put(.referencedSOPClassUID, slice.sopClassUID)
                            image.put(.referencedSOPInstanceUID, slice.sopInstanceUID)
                        }
                    }
                }
            }
        }
    }

    static func putRegion(
        _ dataset: Dataset, _ region: StructureSet.Region, number: Int, frameOfReferenceUID: String
    ) {
        dataset.append(to: .structureSetROISequence) { item in
            item.put(.roiNumber, integer: number)
            item.put(.referencedFrameOfReferenceUID, frameOfReferenceUID)
            item.put(.roiName, region.name)
            item.put(.roiGenerationAlgorithm, "AUTOMATIC")
        }
        dataset.append(to: .roiContourSequence) { item in
            item.put(.referencedROINumber, integer: number)
            for contour in region.contours {
                item.append(to: .contourSequence) { polygon in
                    polygon.put(.contourGeometricType, "CLOSED_PLANAR")
                    polygon.put(.numberOfContourPoints, integer: contour.count)
                    polygon.put(.contourData, decimals: contour.flatMap { [$0.x, $0.y, $0.z].map(Self.rounded) })
                }
            }
        }
        dataset.append(to: .rtROIObservationsSequence) { item in
            item.put(.observationNumber, integer: number)
            item.put(.referencedROINumber, integer: number)
            item.put(.rtROIInterpretedType, "ORGAN")
            item.putEmpty(.roiInterpreter)
        }
    }
}

public import Imaging

/// Contours of an RT Structure Set or a segmentation and the frame of reference in which they lie.
public struct ContouredAnatomy: Equatable, Sendable {
    public let structures: StructureSet
    public let frameOfReferenceUID: String
    /// When they were made, as far as the file says it.
    public let createdAt: LocalTimestamp?
    /// The series on which the contours were drawn, when the file names them.
    public let referencedSeriesUIDs: [String]
    /// Numbers of the regions that hold no closed polygon, such as points, and were left out.
    public let omittedRegions: [Int]
    public let source: SourceReference
}

/// Reads RT Structure Sets.
///
/// - Source: DICOM PS3.3 C.8.8.5 and C.8.8.6, Structure Set and ROI Contour Modules.
public enum StructureSetReader {
    /// How far, in millimetres, the points of a contour may lie from one axial plane.
    public static let planeTolerance = 0.01

    /// - Throws: ``DICOMReadingError``.
    public static func read(fileAt path: String) throws(DICOMReadingError) -> ContouredAnatomy {
        try read(Dataset(contentsOf: path))
    }

    /// - Throws: ``DICOMReadingError``; with ``Refusal/framesOfReferenceDiffer`` when the regions do not share one.
    public static func read(_ dataset: Dataset) throws(DICOMReadingError) -> ContouredAnatomy {
        try dataset.require(.structureSet)
        var names: [Int: String] = [:]
        var frames: Set<String> = []
        for item in dataset.items(.structureSetROISequence) {
            let number = try item.requiredInteger(.roiNumber)
            names[number] = item.text(.roiName) ?? "region-\(number)"
            frames.insert(try item.requiredText(.referencedFrameOfReferenceUID))
        }
        guard frames.count <= 1 else { throw .refused(.framesOfReferenceDiffer) }
        guard let frame = frames.first else { throw .needsInput(.frameOfReference) }

        var regions: [StructureSet.Region] = []
        var omitted: [Int] = []
        for item in dataset.items(.roiContourSequence) {
            let number = try item.requiredInteger(.referencedROINumber)
            guard let name = names[number] else { throw .refused(.contourMalformed(region: number)) }
            let contours = try contours(item, region: number)
            if contours.isEmpty {
                omitted.append(number)
            } else {
                regions.append(StructureSet.Region(name: name, contours: contours))
            }
        }
        return ContouredAnatomy(
            structures: StructureSet(regions: regions), frameOfReferenceUID: frame,
            createdAt: LocalTimestamp(dataset, date: .structureSetDate, time: .structureSetTime),
            referencedSeriesUIDs: referencedSeries(dataset), omittedRegions: omitted,
            source: try SourceReference(dataset))
    }

    /// The closed polygons of a region; points and open lines enclose nothing.
    private static func contours(
        _ region: Dataset, region number: Int
    ) throws(DICOMReadingError) -> [[SIMD3<Double>]] {
        var contours: [[SIMD3<Double>]] = []
        for item in region.items(.contourSequence)
        where item.text(.contourGeometricType)?.hasPrefix("CLOSED_PLANAR") == true {
            let numbers = try item.decimals(.contourData)
            let stated = try item.integer(.numberOfContourPoints) ?? numbers.count / 3
            guard numbers.count >= 9, numbers.count == 3 * stated else {
                throw .refused(.contourMalformed(region: number))
            }
            let points = (0..<stated).map { SIMD3(numbers[3 * $0], numbers[3 * $0 + 1], numbers[3 * $0 + 2]) }
            guard points.allSatisfy({ abs($0.z - points[0].z) <= planeTolerance }) else {
                throw .refused(.contourNotAxial(region: number))
            }
            contours.append(points)
        }
        return contours
    }

    private static func referencedSeries(_ dataset: Dataset) -> [String] {
        dataset.items(.referencedFrameOfReferenceSequence)
            .flatMap { $0.items(.rtReferencedStudySequence) }
            .flatMap { $0.items(.rtReferencedSeriesSequence) }
            .compactMap { $0.text(.seriesInstanceUID) }
    }
}

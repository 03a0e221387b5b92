import Imaging

/// Reads segmentations, binary and fractional, as the outlines of their segments.
///
/// - Source: DICOM PS3.3 A.51 and C.8.20, Segmentation IOD and its modules.
public enum SegmentationReader {
    /// More frames than this are no segmentation of one patient.
    public static let frameCountLimit = 100_000

    /// - Throws: ``DICOMReadingError``.
    public static func read(fileAt path: String) throws(DICOMReadingError) -> ContouredAnatomy {
        try read(Dataset(contentsOf: path))
    }

    /// - Throws: ``DICOMReadingError``; with ``Refusal/obliqueOrientation`` when the frames are not axial.
    public static func read(_ dataset: Dataset) throws(DICOMReadingError) -> ContouredAnatomy {
        try dataset.require(.segmentation)
        guard let frame = dataset.text(.frameOfReferenceUID) else { throw .needsInput(.frameOfReference) }
        let names = try names(dataset)
        let layout = try dataset.pixelLayout()
        let threshold = try threshold(dataset, layout)
        let shared = dataset.items(.sharedFunctionalGroupsSequence).first
        let groups = dataset.items(.perFrameFunctionalGroupsSequence)
        guard groups.count == layout.frames, groups.count <= frameCountLimit else {
            throw .refused(
                .frameVectorLength(
                    .perFrameFunctionalGroupsSequence, expected: layout.frames, found: groups.count))
        }
        var contours: [Int: [[SIMD3<Double>]]] = [:]
        for (index, group) in groups.enumerated() {
            let number = try number(group, shared)
            guard names[number] != nil else { throw .refused(.segmentUnknown(number: number)) }
            let values = try dataset.smallPixels(ofFrame: index, layout)
            let plane = try FramePlane(group, shared, layout)
            contours[number, default: []] += try plane.outlines(values.map { $0 >= threshold })
        }
        let regions = names.sorted { $0.key < $1.key }.compactMap { number, name in
            contours[number].flatMap { $0.isEmpty ? nil : StructureSet.Region(name: name, contours: $0) }
        }
        return ContouredAnatomy(
            structures: StructureSet(regions: regions), frameOfReferenceUID: frame,
            createdAt: LocalTimestamp(dataset, date: .contentDate, time: .contentTime),
            referencedSeriesUIDs: dataset.items(.referencedSeriesSequence).compactMap { $0.text(.seriesInstanceUID) },
            omittedRegions: names.keys.filter { contours[$0]?.isEmpty ?? true }.sorted(),
            source: try SourceReference(dataset))
    }

    /// The label of each segment; what it shows when it has none.
    private static func names(_ dataset: Dataset) throws(DICOMReadingError) -> [Int: String] {
        var names: [Int: String] = [:]
        for segment in dataset.items(.segmentSequence) {
            let number = try segment.requiredInteger(.segmentNumber)
            let meaning = segment.items(.segmentedPropertyTypeCodeSequence).first?.text(.codeMeaning)
            names[number] = segment.text(.segmentLabel) ?? meaning ?? "region-\(number)"
        }
        return names
    }

    /// The least stored value that is inside: half of what stands for a whole voxel.
    private static func threshold(_ dataset: Dataset, _ layout: PixelLayout) throws(DICOMReadingError) -> UInt8 {
        switch (dataset.text(.segmentationType), layout.bitsAllocated) {
        case ("BINARY", 1), ("BINARY", 8): return 1
        case ("FRACTIONAL", 8):
            let highest = try dataset.requiredInteger(.maximumFractionalValue)
            guard (1...255).contains(highest) else { throw .refused(.valueMalformed(.maximumFractionalValue)) }
            return UInt8((highest + 1) / 2)
        case ("BINARY", _), ("FRACTIONAL", _):
            throw .refused(.pixelFormat(bitsAllocated: layout.bitsAllocated, bitsStored: layout.bitsStored))
        default: throw .refused(.segmentationType)
        }
    }

    private static func number(_ group: Dataset, _ shared: Dataset?) throws(DICOMReadingError) -> Int {
        let identification =
            group.items(.segmentIdentificationSequence).first ?? shared?.items(.segmentIdentificationSequence).first
        guard let identification else { throw .refused(.attributeMissing(.segmentIdentificationSequence)) }
        return try identification.requiredInteger(.referencedSegmentNumber)
    }
}

/// Where the pixels of one axial frame lie.
private struct FramePlane {
    private let columns, rows: Int
    private let spacing: SIMD2<Double>
    /// Centre of the pixel with the least x and y.
    private let origin: SIMD3<Double>
    private let rowAscends, columnAscends: Bool

    init(_ group: Dataset, _ shared: Dataset?, _ layout: PixelLayout) throws(DICOMReadingError) {
        func item(_ tag: AttributeTag) throws(DICOMReadingError) -> Dataset {
            guard let item = group.items(tag).first ?? shared?.items(tag).first else {
                throw .refused(.attributeMissing(tag))
            }
            return item
        }
        let axes = try SliceAxes(item(.planeOrientationSequence))
        guard axes.row == 0, axes.column == 1 else { throw .refused(.obliqueOrientation) }
        let position = try item(.planePositionSequence).requiredDecimals(.imagePositionPatient, count: 3)
        let distances = try item(.pixelMeasuresSequence).requiredDecimals(.pixelSpacing, count: 2)
        guard distances.allSatisfy({ $0 > 0 }) else { throw .refused(.valueMalformed(.pixelSpacing)) }
        (columns, rows) = (layout.columns, layout.rows)
        // The first value of PixelSpacing is the distance between rows.
        spacing = SIMD2(distances[1], distances[0])
        (rowAscends, columnAscends) = (axes.rowAscends, axes.columnAscends)
        origin = SIMD3(
            position[0] - (rowAscends ? 0 : Double(columns - 1) * spacing.x),
            position[1] - (columnAscends ? 0 : Double(rows - 1) * spacing.y), position[2])
    }

    /// - Parameter isInside: as the file stores it.
    func outlines(_ isInside: [Bool]) throws(DICOMReadingError) -> [[SIMD3<Double>]] {
        guard isInside.contains(true) else { return [] }
        var ordered = isInside
        if !rowAscends || !columnAscends {
            for row in 0..<rows {
                for column in 0..<columns {
                    let source = (columnAscends ? row : rows - 1 - row) * columns
                    ordered[row * columns + column] = isInside[source + (rowAscends ? column : columns - 1 - column)]
                }
            }
        }
        do {
            // One plane has no thickness of its own: outlines do not depend on it.
            let grid = try VoxelGrid(
                columns: columns, rows: rows, slices: 1, spacing: SIMD3(spacing.x, spacing.y, 1), origin: origin)
            return try StructureSet.Region(name: "", outlining: Volume(grid: grid, voxels: ordered)).contours
        } catch { throw .refused(.impossibleDimensions(columns: columns, rows: rows, frames: 1)) }
    }
}

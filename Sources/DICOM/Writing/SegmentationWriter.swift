public import Imaging

/// Writes regions as a segmentation object.
///
/// - Source: DICOM PS3.3 A.51, Segmentation IOD.
public enum SegmentationWriter {
    /// One region by name: the part of each voxel that lies inside.
    public struct Segment: Sendable {
        public let name: String
        /// On some of the voxels of the grid that the segmentation is written on.
        public let coverage: Volume<Float>

        public init(name: String, coverage: Volume<Float>) { (self.name, self.coverage) = (name, coverage) }

        public init(name: String, mask: Volume<Bool>) { self.init(name: name, coverage: mask.map { $0 ? 1 : 0 }) }
    }

    public enum Encoding: String, Sendable, CaseIterable {
        /// One bit per pixel: inside when at least half of the voxel is.
        case binary = "BINARY"
        /// One byte per pixel, the part of the voxel in 255ths.
        case fractional = "FRACTIONAL"
    }

    static let series = "seg"

    /// - Parameters:
    ///   - grid: the voxels of the frames, which are axial planes of it.
    ///   - references: the images that were segmented, one for each of the grid's slices from the feet to the head; when
    ///     there are more or fewer, none is named.
    ///   - study: that of the images, whose frame of reference the segmentation shares.
    /// - Throws: ``DICOMWritingError/segmentsEmpty`` when no voxel of any segment is inside;
    ///   ``DICOMWritingError/segmentOffTheGrid`` when a segment's voxels are not voxels of the grid.
    public static func dataset(
        _ segments: [Segment], encoding: Encoding = .binary, on grid: VoxelGrid, references: [SourceReference],
        study: SyntheticStudy
    ) throws(DICOMWritingError) -> Dataset {
        let dataset = Dataset()
        study.putHeader(
            dataset, .segmentation, modality: "SEG", series: series, number: 4, instance: 1, equipment: Equipment())
        study.putFrameOfReference(dataset)
        dataset.put(.contentDate, study.startedAt.dicomDate)
        dataset.put(.contentTime, study.startedAt.dicomTime)
        dataset.put(.seriesDescription, "Segmentation")
        dataset.put(.deviceSerialNumber, "0")
        dataset.put(.softwareVersions, "0")
        try put(
            segments, encoding, on: grid, references: references, dimensions: study.uids.uid(series, "dimensions"),
            into: dataset)
        return dataset
    }

    /// The attributes of everything but patient, study, series, equipment and frame of reference.
    ///
    /// - Throws: as ``dataset(_:encoding:on:references:study:)``.
    static func put(
        _ segments: [Segment], _ encoding: Encoding, on grid: VoxelGrid, references: [SourceReference],
        dimensions: String, into dataset: Dataset
    ) throws(DICOMWritingError) {
        var frames: [SegmentFrame] = []
        for (index, segment) in segments.enumerated() {
            frames += try SegmentFrame.frames(of: segment, number: index + 1, encoding, on: grid)
        }
        guard !frames.isEmpty else { throw .segmentsEmpty }
        dataset.put(.imageType, ["DERIVED", "PRIMARY"])
        dataset.put(.contentLabel, "REGIONS")
        dataset.putEmpty(.contentDescription, .contentCreatorName)
        dataset.put(.lossyImageCompression, "00")
        SyntheticStudy.putPixelFormat(
            dataset, columns: grid.columns, rows: grid.rows, isSigned: false, bits: encoding == .binary ? 1 : 8)
        dataset.put(.numberOfFrames, integer: frames.count)
        dataset.put(.segmentationType, encoding.rawValue)
        dataset.put(.segmentsOverlap, "UNDEFINED")
        if encoding == .fractional {
            dataset.put(.segmentationFractionalType, "OCCUPANCY")
            dataset.put(.maximumFractionalValue, integer: 255)
        }
        for (index, segment) in segments.enumerated() { putSegment(segment.name, number: index + 1, dataset) }
        let sources = references.count == grid.slices ? references : []
        putReferences(sources, dataset)
        putDimensions(dimensions, dataset)
        putGroups(frames, grid, sources, dataset)
        dataset.put(.pixelData, words: SegmentFrame.words(frames, encoding))
    }

    private static func putSegment(_ name: String, number: Int, _ dataset: Dataset) {
        let property = SegmentedProperty(name)
        dataset.append(to: .segmentSequence) { item in
            item.put(.segmentNumber, integer: number)
            item.put(.segmentLabel, name)
            item.put(.segmentAlgorithmType, "AUTOMATIC")
            item.put(.segmentAlgorithmName, "Scintivol")
            item.put(.segmentedPropertyCategoryCodeSequence, code: property.category)
            item.put(.segmentedPropertyTypeCodeSequence, code: property.type)
        }
    }

    private static func putReferences(_ references: [SourceReference], _ dataset: Dataset) {
        guard let first = references.first else { return }
        dataset.append(to: .referencedSeriesSequence) { series in
            series.put(.seriesInstanceUID, first.seriesInstanceUID)
            for reference in references {
                series.append(to: .referencedInstanceSequence) { item in
                    item.put(.referencedSOPClassUID, reference.sopClassUID)
                    item.put(.referencedSOPInstanceUID, reference.sopInstanceUID)
                }
            }
        }
    }

    private static func putDimensions(_ uid: String, _ dataset: Dataset) {
        dataset.append(to: .dimensionOrganizationSequence) { $0.put(.dimensionOrganizationUID, uid) }
        let indices: [(pointer: AttributeTag, group: AttributeTag)] = [
            (.referencedSegmentNumber, .segmentIdentificationSequence),
            (.imagePositionPatient, .planePositionSequence),
        ]
        for index in indices {
            dataset.append(to: .dimensionIndexSequence) { item in
                item.put(.dimensionOrganizationUID, uid)
                item.put(.dimensionIndexPointer, tags: [index.pointer])
                item.put(.functionalGroupPointer, tags: [index.group])
            }
        }
    }

    private static func putGroups(
        _ frames: [SegmentFrame], _ grid: VoxelGrid, _ sources: [SourceReference], _ dataset: Dataset
    ) {
        dataset.append(to: .sharedFunctionalGroupsSequence) { shared in
            shared.append(to: .planeOrientationSequence) {
                $0.put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 1, 0])
            }
            shared.append(to: .pixelMeasuresSequence) { item in
                item.put(.pixelSpacing, decimals: [grid.spacing.y, grid.spacing.x])
                item.put(.sliceThickness, decimal: grid.spacing.z)
                item.put(.spacingBetweenSlices, decimal: grid.spacing.z)
            }
        }
        let slices = Set(frames.map(\.slice)).sorted()
        for frame in frames {
            let place = grid.position(x: 0, y: 0, z: Double(frame.slice))
            dataset.append(to: .perFrameFunctionalGroupsSequence) { group in
                group.append(to: .frameContentSequence) { item in
                    let index = (slices.firstIndex(of: frame.slice) ?? 0) + 1
                    item.put(.dimensionIndexValues, integers: [frame.number, index])
                }
                group.append(to: .planePositionSequence) {
                    $0.put(.imagePositionPatient, decimals: [place.x, place.y, place.z])
                }
                group.append(to: .segmentIdentificationSequence) {
                    $0.put(.referencedSegmentNumber, integer: frame.number)
                }
                if !sources.isEmpty { putSource(sources[frame.slice], group) }
            }
        }
    }
}

extension SegmentationWriter {
    private static func putSource(_ source: SourceReference, _ group: Dataset) {
        group.append(to: .derivationImageSequence) { derivation in
            derivation.put(.derivationCodeSequence, code: .segmentation)
            derivation.append(to: .sourceImageSequence) { image in
                image.put(.referencedSOPClassUID, source.sopClassUID)
                image.put(.referencedSOPInstanceUID, source.sopInstanceUID)
                image.put(.purposeOfReferenceCodeSequence, code: .sourceImage)
            }
        }
    }
}

/// One axial plane of one segment.
private struct SegmentFrame {
    let number, slice: Int
    /// - Shape: `[row, column]`
    let pixels: [UInt8]

    static func frames(
        of segment: SegmentationWriter.Segment, number: Int, _ encoding: SegmentationWriter.Encoding, on grid: VoxelGrid
    ) throws(DICOMWritingError) -> [SegmentFrame] {
        let own = segment.coverage.grid
        let place = grid.index(of: own.origin)
        let first = place.rounded(.toNearestOrEven)
        let start = SIMD3(Int(first.x), Int(first.y), Int(first.z))
        guard own.spacing == grid.spacing, ((place - first) * (place - first)).sum() < 1e-6, start.x >= 0,
            start.y >= 0, start.z >= 0, start.x + own.columns <= grid.columns, start.y + own.rows <= grid.rows,
            start.z + own.slices <= grid.slices
        else { throw .segmentOffTheGrid }
        return (0..<own.slices).compactMap { z in
            var pixels = [UInt8](repeating: 0, count: grid.columns * grid.rows)
            for y in 0..<own.rows {
                for x in 0..<own.columns {
                    let part = min(max(segment.coverage[x, y, z], 0), 1)
                    let value = encoding == .binary ? (part >= 0.5 ? 1 : 0) : UInt8((part * 255).rounded())
                    pixels[(start.y + y) * grid.columns + start.x + x] = value
                }
            }
            guard pixels.contains(where: { $0 > 0 }) else { return nil }
            return SegmentFrame(number: number, slice: start.z + z, pixels: pixels)
        }
    }

    /// All frames one after the other, eight bits or one byte to a byte, two bytes to a word.
    static func words(_ frames: [SegmentFrame], _ encoding: SegmentationWriter.Encoding) -> [UInt16] {
        let pixelsPerWord = encoding == .binary ? 16 : 2
        let count = frames.reduce(0) { $0 + $1.pixels.count }
        var words = [UInt16](repeating: 0, count: (count + pixelsPerWord - 1) / pixelsPerWord)
        var index = 0
        for frame in frames {
            for pixel in frame.pixels {
                words[index / pixelsPerWord] |= UInt16(pixel) << (index % pixelsPerWord * (16 / pixelsPerWord))
                index += 1
            }
        }
        return words
    }
}

/// What a segment shows, in SNOMED CT.
///
/// - Source: DICOM PS3.16, CID 7150 and 7166.
private struct SegmentedProperty {
    let category, type: CodedConcept

    init(_ name: String) {
        let organ = Self.organs.first { name.lowercased().hasPrefix($0.prefix) }
        category =
            organ == nil
            ? CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
            : CodedConcept("123037004", "SCT", "Anatomical Structure")
        type = organ.map { CodedConcept($0.code, "SCT", $0.meaning) } ?? CodedConcept("4147007", "SCT", "Mass")
    }

    private static let organs: [(prefix: String, code: String, meaning: String)] = [
        ("kidney", "64033007", "Kidney"), ("liver", "10200004", "Liver"), ("spleen", "78961009", "Spleen"),
        ("bladder", "89837001", "Bladder"), ("stomach", "69695003", "Stomach"), ("pancreas", "15776009", "Pancreas"),
        ("small_intestine", "30315005", "Small Intestine"), ("parotid", "45289007", "Parotid gland"),
        ("submandibular", "54019009", "Submandibular gland"), ("lacrimal", "13561001", "Lacrimal gland"),
        ("lung", "39607008", "Lung"), ("bone", "272673000", "Bone"),
    ]
}

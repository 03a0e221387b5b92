import DICOM
import Imaging
import Testing

struct SegmentationReaderTests {
    let grid: VoxelGrid
    let kidney, lesion: Volume<Float>
    let references: [SourceReference]

    init() throws {
        // Rows times columns is no multiple of eight, so that frames begin within a byte.
        grid = try VoxelGrid(
            columns: 13, rows: 9, slices: 6, spacing: SIMD3(2, 2.5, 4), origin: SIMD3(-11, -9.5, 40))
        let box = try VoxelGrid(
            columns: 5, rows: 4, slices: 3, spacing: grid.spacing, origin: grid.position(x: 6, y: 2, z: 1))
        // An asymmetric shape of whole, half and small parts.
        kidney = try Volume(
            grid: box, voxels: (0..<60).map { index in [1, 0.5, 0.3, 0, 0.9, 1, 1][index * 5 % 7] })
        let spot = try VoxelGrid(
            columns: 1, rows: 2, slices: 1, spacing: grid.spacing, origin: grid.position(x: 1, y: 6, z: 4))
        lesion = Volume(grid: spot, repeating: 1)
        references = (1...6).map {
            SyntheticPatient.petStudy.reference(.computedTomography, series: "ct", instance: $0)
        }
    }

    private func dataset(_ encoding: SegmentationWriter.Encoding = .binary) throws -> Dataset {
        try SegmentationWriter.dataset(
            [.init(name: "Kidney left", coverage: kidney), .init(name: "lesion", coverage: lesion)], encoding: encoding,
            on: grid, references: references, study: SyntheticPatient.petStudy)
    }

    private func expected(_ segment: Volume<Float>) -> Volume<Bool> {
        var mask = Volume<Bool>(grid: grid, repeating: false)
        let start = grid.index(of: segment.grid.origin)
        for z in 0..<segment.grid.slices {
            for y in 0..<segment.grid.rows {
                for x in 0..<segment.grid.columns where segment[x, y, z] >= 0.5 {
                    mask[Int(start.x.rounded()) + x, Int(start.y.rounded()) + y, Int(start.z.rounded()) + z] = true
                }
            }
        }
        return mask
    }

    @Test(arguments: SegmentationWriter.Encoding.allCases)
    func regionsComeBack(encoding: SegmentationWriter.Encoding) throws {
        let folder = try TemporaryFolder()
        try dataset(encoding).write(to: folder.file("seg.dcm"))
        let anatomy = try SegmentationReader.read(fileAt: folder.file("seg.dcm"))
        #expect(anatomy.structures.regions.map(\.name) == ["Kidney left", "lesion"])
        #expect(try anatomy.structures.regions[0].mask(on: grid) == expected(kidney))
        #expect(try anatomy.structures.regions[1].mask(on: grid) == expected(lesion))
        #expect(anatomy.frameOfReferenceUID == SyntheticPatient.petStudy.frameOfReferenceUID)
        #expect(anatomy.referencedSeriesUIDs == [references[0].seriesInstanceUID])
        #expect(anatomy.createdAt == SyntheticPatient.petStudy.startedAt)
        #expect(anatomy.omittedRegions.isEmpty)
    }

    /// Another reader sees the same pixels in the same order.
    @Test(arguments: SegmentationWriter.Encoding.allCases)
    func pydicomReadsTheSamePixels(encoding: SegmentationWriter.Encoding) throws {
        let folder = try TemporaryFolder()
        try dataset(encoding).write(to: folder.file("seg.dcm"))
        let code = """
            import pydicom, sys
            d = pydicom.dcmread(sys.argv[1])
            total = 0
            for f, g in enumerate(d.PerFrameFunctionalGroupsSequence):
                for (r, c) in zip(*d.pixel_array[f].nonzero()):
                    p = g.PlanePositionSequence[0].ImagePositionPatient
                    total += int(d.pixel_array[f][r][c]) * (1 + r * 3 + c * 7 + round(float(p[2])))
            print(total)
            """
        let printed = try PythonReader.run(code, on: folder.file("seg.dcm"))
        var total = 0
        for segment in [kidney, lesion] {
            let start = grid.index(of: segment.grid.origin)
            for z in 0..<segment.grid.slices {
                for y in 0..<segment.grid.rows {
                    for x in 0..<segment.grid.columns {
                        let part = segment[x, y, z]
                        let stored = encoding == .binary ? (part >= 0.5 ? 1 : 0) : Int((part * 255).rounded())
                        let (row, column) = (Int(start.y.rounded()) + y, Int(start.x.rounded()) + x)
                        total += stored * (1 + row * 3 + column * 7 + 40 + (Int(start.z.rounded()) + z) * 4)
                    }
                }
            }
        }
        #expect(printed.split(separator: "\n").last.map(String.init) == "\(total)")
    }

    @Test func framesMayRunTheOtherWay() throws {
        let dataset = try dataset()
        let shared = dataset.items(.sharedFunctionalGroupsSequence)[0]
        shared.items(.planeOrientationSequence)[0].put(.imageOrientationPatient, decimals: [-1, 0, 0, 0, -1, 0])
        for group in dataset.items(.perFrameFunctionalGroupsSequence) {
            let item = group.items(.planePositionSequence)[0]
            let place = try item.decimals(.imagePositionPatient)
            item.put(.imagePositionPatient, decimals: [-place[0], -place[1], place[2]])
        }
        // Turned by half a circle about the z axis through the origin.
        let turned = try SegmentationReader.read(dataset).structures.regions[0]
        let straight = try SegmentationReader.read(try self.dataset()).structures.regions[0]
        func extent(_ region: StructureSet.Region, _ sign: Double) -> [Double] {
            let points = region.contours.flatMap(\.self)
            let (x, y) = (points.map { $0.x * sign }, points.map { $0.y * sign })
            return [x.min() ?? 0, x.max() ?? 0, y.min() ?? 0, y.max() ?? 0, x.reduce(0, +), y.reduce(0, +)]
        }
        for (a, b) in zip(extent(turned, -1), extent(straight, 1)) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func aSegmentWithoutALabelIsCalledByWhatItShows() throws {
        let dataset = try dataset()
        dataset.items(.segmentSequence)[0].remove(.segmentLabel)
        dataset.items(.segmentSequence)[1].remove(.segmentLabel)
        dataset.items(.segmentSequence)[1].remove(.segmentedPropertyTypeCodeSequence)
        #expect(try SegmentationReader.read(dataset).structures.regions.map(\.name) == ["Kidney", "region-2"])
    }

    @Test func refusesWhatItCannotPlace() throws {
        var broken = try dataset()
        broken.items(.segmentSequence)[1].put(.segmentNumber, integer: 7)
        #expect(throws: DICOMReadingError.refused(.segmentUnknown(number: 2))) { try SegmentationReader.read(broken) }

        broken = try dataset()
        broken.items(.sharedFunctionalGroupsSequence)[0].items(.planeOrientationSequence)[0]
            .put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 0, -1])
        #expect(throws: DICOMReadingError.refused(.obliqueOrientation)) { try SegmentationReader.read(broken) }

        broken = try dataset()
        broken.put(.segmentationType, "LABELMAP")
        #expect(throws: DICOMReadingError.refused(.segmentationType)) { try SegmentationReader.read(broken) }

        broken = try dataset()
        broken.append(to: .perFrameFunctionalGroupsSequence)
        #expect(
            throws: DICOMReadingError.refused(
                .frameVectorLength(.perFrameFunctionalGroupsSequence, expected: 4, found: 5))
        ) { try SegmentationReader.read(broken) }

        broken = try dataset()
        broken.put(.numberOfFrames, integer: 400)
        let expected = (13 * 9 * 400 + 7) / 8
        let found = ((13 * 9 * 4 + 15) / 16) * 2
        #expect(throws: DICOMReadingError.refused(.pixelDataLength(expected: expected, found: found))) {
            try SegmentationReader.read(broken)
        }

        broken = try dataset()
        broken.remove(.frameOfReferenceUID)
        #expect(throws: DICOMReadingError.needsInput(.frameOfReference)) { try SegmentationReader.read(broken) }

        broken = try dataset(.fractional)
        broken.put(.maximumFractionalValue, integer: 0)
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.maximumFractionalValue))) {
            try SegmentationReader.read(broken)
        }
    }

    @Test func theWriterRefusesWhatIsNotOnItsGrid() throws {
        let off = try VoxelGrid(
            columns: 2, rows: 2, slices: 2, spacing: grid.spacing, origin: grid.position(x: 0.5, y: 0, z: 0))
        func write(_ coverage: Volume<Float>) throws {
            _ = try SegmentationWriter.dataset(
                [.init(name: "x", coverage: coverage)], on: grid, references: references,
                study: SyntheticPatient.petStudy)
        }
        #expect(throws: DICOMWritingError.segmentOffTheGrid) { try write(Volume(grid: off, repeating: 1)) }
        #expect(throws: DICOMWritingError.segmentsEmpty) { try write(lesion.map { $0 * 0.4 }) }
    }
}

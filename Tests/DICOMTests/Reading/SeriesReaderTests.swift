import DICOM
import Imaging
import Testing

struct SeriesReaderTests {
    let folder: TemporaryFolder
    let ct: Volume<Float>
    let slices: [Dataset]

    init() throws {
        folder = try TemporaryFolder()
        ct = try SyntheticPatient.volume()
        try SliceWriter.writeCT(ct, study: SyntheticPatient.petStudy, to: folder.folder("ct"))
        slices = try folder.files(in: "ct").map { try Dataset(contentsOf: $0) }
    }

    private func error() -> DICOMReadingError? { error(slices) }

    private func error(_ datasets: [Dataset]) -> DICOMReadingError? {
        do {
            _ = try SeriesReader.readCT(datasets)
            return nil
        } catch {
            return error
        }
    }

    @Test func slicesAreOrderedByPosition() throws {
        let paths = try folder.files(in: "ct")
        let series = try SeriesReader.readCT(filesAt: [3, 0, 4, 2, 1].map { paths[$0] })
        #expect(series.volume == ct)
        #expect(series.frameOfReferenceUID == SyntheticPatient.petStudy.frameOfReferenceUID)
        #expect(series.patientPosition == "HFS")
        #expect(series.peakKilovolts == 120)
        #expect(series.acquiredAt == SyntheticPatient.petStudy.startedAt)
        let expected = (1...5).map {
            SyntheticPatient.petStudy.reference(.computedTomography, series: "ct", instance: $0)
        }
        #expect(series.sources == expected)
    }

    @Test func signedPixelsAndPaddingAreRead() throws {
        for slice in slices {
            let words = try slice.pixels().values.map { UInt16(bitPattern: Int16($0 - 1024)) }
            slice.put(.pixelData, words: [0xF830] + words.dropFirst())
            slice.put(.pixelRepresentation, integer: 1)
            slice.put(.rescaleIntercept, decimal: 0)
            slice.put(.pixelPaddingValue, integer: 0xF830)
        }
        let back = try SeriesReader.readCT(slices).volume
        #expect(back[0, 0, 2] == SeriesReader.airHounsfieldUnits)
        #expect(back[1, 0, 2] == ct[1, 0, 2])
    }

    /// Every way in which the axes of slices can lie along the patient's is read onto the patient's axes.
    @Test(
        arguments: [
            [1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0], [0, 1, 0, 1, 0, 0], [1, 0, 0, 0, 0, -1],
            [0, 1, 0, 0, 0, -1],
        ] as [[Double]])
    func alignedOrientationsAreTurned(cosines: [Double]) throws {
        let row = SIMD3(cosines[0], cosines[1], cosines[2])
        let column = SIMD3(cosines[3], cosines[4], cosines[5])
        let normal =
            SIMD3(1, 1, 1) - SIMD3(abs(row.x), abs(row.y), abs(row.z))
            - SIMD3(abs(column.x), abs(column.y), abs(column.z))
        for (index, slice) in slices.enumerated() {
            slice.put(.imageOrientationPatient, decimals: cosines)
            let position = normal * Double(index) * 3
            slice.put(.imagePositionPatient, decimals: [position.x, position.y, position.z])
        }
        let back = try SeriesReader.readCT(slices).volume
        for (index, r, c) in [(0, 0, 0), (4, 5, 7), (2, 1, 6)] {
            // The standard's own equation for the place of a pixel.
            let place = normal * Double(index) * 3 + row * Double(c) * 2 + column * Double(r) * 2
            let found = back.grid.index(of: place)
            let voxel = SIMD3<Int>(Int(found.x.rounded()), Int(found.y.rounded()), Int(found.z.rounded()))
            #expect(back[voxel.x, voxel.y, voxel.z] == ct[c, r, index])
        }
    }

    @Test func refusesGapsAndRepeats() throws {
        #expect(error(Array(slices[0...1] + slices[3...4])) == .refused(.slicesMissing(afterSlice: 1)))
        #expect(error(slices + [slices[2]]) == .refused(.sliceRepeated(slice: 2)))
        #expect(error([slices[0]]) == .refused(.slicesTooFew(found: 1)))
        #expect(error([]) == .refused(.noInstances))
    }

    @Test func refusesTiltsAndObliqueSlices() throws {
        slices[3].put(.gantryDetectorTilt, decimal: 12)
        #expect(error() == .refused(.gantryTilt))
        slices[3].put(.gantryDetectorTilt, decimal: 0)
        #expect(error() == nil)
        for (index, slice) in slices.enumerated() {
            slice.put(.imagePositionPatient, decimals: [0, Double(index) * 0.6, Double(index) * 3])
        }
        #expect(error() == .refused(.gantryTilt))
        for slice in slices { slice.put(.imageOrientationPatient, decimals: [0.999, 0.0447, 0, -0.0447, 0.999, 0]) }
        #expect(error() == .refused(.obliqueOrientation))
    }

    @Test func refusesMixtures() throws {
        slices[2].put(.frameOfReferenceUID, "1.2.3")
        #expect(error() == .refused(.framesOfReferenceDiffer))
        slices[2].put(.frameOfReferenceUID, SyntheticPatient.petStudy.frameOfReferenceUID)
        for (tag, value) in [(AttributeTag.pixelSpacing, "2\\2.1"), (.seriesInstanceUID, "1.2.3")] {
            let old = try #require(slices[2].bytes(tag))
            slices[2].put(tag, value)
            #expect(error() == .refused(.slicesDiffer(tag)))
            slices[2].put(tag, bytes: old)
        }
        for slice in slices { slice.put(.numberOfFrames, integer: 2) }
        #expect(error() == .refused(.slicesDiffer(.numberOfFrames)))
        slices[2].remove(.frameOfReferenceUID)
        #expect(error() == .needsInput(.frameOfReference))
    }

    @Test func refusesWhatIsNoAxialCT() throws {
        slices[1].put(.imageType, "ORIGINAL\\PRIMARY\\LOCALIZER")
        #expect(error() == .refused(.imageType))
        slices[1].put(.sopClassUID, SOPClass.positronEmission.rawValue)
        #expect(error() == .refused(.sopClass(expected: .computedTomography)))
    }

    @Test func refusesValuesThatAreNone() {
        slices[1].put(.imagePositionPatient, "0\\0\\1,5")
        #expect(error() == .refused(.valueMalformed(.imagePositionPatient)))
        slices[1].remove(.imagePositionPatient)
        #expect(error() == .refused(.attributeMissing(.imagePositionPatient)))
        slices[0].put(.rescaleSlope, "0")
        #expect(error(Array(slices[0...0] + slices[2...2])) == .refused(.valueMalformed(.rescaleSlope)))
    }
}

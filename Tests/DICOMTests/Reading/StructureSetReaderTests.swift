import DICOM
import Imaging
import Testing

struct StructureSetReaderTests {
    let references: [SourceReference]
    let dataset: Dataset

    init() {
        references = (1...5).map {
            SyntheticPatient.petStudy.reference(.computedTomography, series: "ct", instance: $0)
        }
        dataset = StructureSetWriter.dataset(
            SyntheticPatient.structures, on: references, study: SyntheticPatient.petStudy)
    }

    @Test func contoursComeBack() throws {
        let folder = try TemporaryFolder()
        try StructureSetWriter.write(
            SyntheticPatient.structures, on: references, study: SyntheticPatient.petStudy, to: folder.file("rt.dcm"))
        let anatomy = try StructureSetReader.read(fileAt: folder.file("rt.dcm"))
        #expect(anatomy.structures == SyntheticPatient.structures)
        #expect(anatomy.frameOfReferenceUID == SyntheticPatient.petStudy.frameOfReferenceUID)
        #expect(anatomy.referencedSeriesUIDs == [references[0].seriesInstanceUID])
        #expect(anatomy.omittedRegions.isEmpty)
    }

    @Test func pointsAreLeftOutAndNamed() throws {
        dataset.items(.roiContourSequence)[1].items(.contourSequence)[0].put(.contourGeometricType, "POINT")
        let anatomy = try StructureSetReader.read(dataset)
        #expect(anatomy.structures.regions.map(\.name) == ["Liver"])
        #expect(anatomy.omittedRegions == [2])
    }

    @Test func refusesBrokenContours() throws {
        let contour = dataset.items(.roiContourSequence)[0].items(.contourSequence)[0]
        contour.put(.contourData, decimals: [0, 0, 0, 1, 0, 0, 1, 1, 4])
        #expect(throws: DICOMReadingError.refused(.contourNotAxial(region: 1))) { try StructureSetReader.read(dataset) }
        contour.put(.contourData, decimals: [0, 0, 0, 1, 0, 0, 1, 1])
        #expect(throws: DICOMReadingError.refused(.contourMalformed(region: 1))) {
            try StructureSetReader.read(dataset)
        }
        contour.put(.contourData, "0\\0\\0\\1\\0\\0\\1\\NaN\\0")
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.contourData))) {
            try StructureSetReader.read(dataset)
        }
    }

    @Test func refusesRegionsInSeveralFrames() {
        dataset.items(.structureSetROISequence)[1].put(.referencedFrameOfReferenceUID, "1.2.3")
        #expect(throws: DICOMReadingError.refused(.framesOfReferenceDiffer)) { try StructureSetReader.read(dataset) }
    }

    @Test func aFolderIsGroupedIntoSeries() throws {
        let folder = try TemporaryFolder()
        try SyntheticPatient.nm().write(to: folder.file("nm.dcm"))
        try dataset.write(to: folder.file("rt.dcm"))
        try SliceWriter.writeCT(
            SyntheticPatient.volume(), study: SyntheticPatient.petStudy, to: folder.folder("ct"))
        let paths =
            [folder.file("rt.dcm"), folder.file("nothing.dcm"), folder.file("nm.dcm")] + (try folder.files(in: "ct"))
        let inventory = SeriesInventory(filesAt: paths)
        #expect(inventory.series.map(\.modality) == ["RTSTRUCT", "NM", "CT"])
        #expect(inventory.series(of: .computedTomography).first?.paths.count == 5)
        #expect(
            inventory.series(of: .nuclearMedicine).first?.studyInstanceUID == SyntheticPatient.nmStudy.studyInstanceUID)
        #expect(inventory.unreadablePaths == [folder.file("nothing.dcm")])
        let frames = Set(inventory.series.compactMap(\.frameOfReferenceUID))
        #expect(frames.count == 2)
    }
}

import DICOM
import Imaging
import Testing

/// The activity map as PET images.
@Suite struct PETCopyTests {
    private static let given = Administration(megabecquerels: 7400, startedAt: SyntheticPatient.administered)
    private let folder: TemporaryFolder
    private let map: Volume<Float>
    private let slices: [Dataset]

    init() throws {
        folder = try TemporaryFolder()
        map = try SyntheticPatient.volume(from: 0)
        let nm = folder.file("nm.dcm")
        try PlanarWriter.write(SyntheticPatient.acquisition(), study: SyntheticPatient.nmStudy, to: nm)
        let context = SyntheticPatient.doseContext(ctGrid: map.grid, sources: [])
        slices = try RTDoseWriter(context: context, source: Dataset(contentsOf: nm)).petSlices(
            of: map, planar: PlanarReader().read(filesAt: [nm]), administration: Self.given, isSupineHeadFirst: true,
            seriesNumber: 3)
    }

    /// Our own reader of PET series, which takes becquerel per millilitre alone, gets the map back.
    @Test func theReaderGetsTheMapBack() throws {
        var paths: [String] = []
        for (index, slice) in slices.enumerated() {
            paths.append(folder.file("\(index).dcm"))
            try slice.write(to: paths[index])
        }
        let series = try SeriesReader.readPET(filesAt: paths)
        #expect(series.volume.grid == map.grid)
        let peak = map.voxels.max() ?? 0
        for (found, value) in zip(series.volume.voxels, map.voxels) {
            #expect(abs(found - value) <= peak / Float(Int16.max))
        }
        #expect(series.decayCorrection == .start)
        #expect(series.seriesStartedAt == SyntheticPatient.nmStudy.startedAt)
        #expect(series.administration.megabecquerels == 7400)
        #expect(series.halfLifeSeconds == Radionuclide.lutetium177.halfLifeSeconds)
    }

    @Test func slicesSayThatTheyAreDerived() throws {
        #expect(Set(slices.compactMap { $0.text(.sopInstanceUID) }).count == map.grid.slices)
        for slice in slices {
            #expect(slice.texts(.imageType) == ["DERIVED", "PRIMARY"])
            #expect(slice.text(.derivationDescription)?.contains("not for clinical use") == true)
            #expect(slice.items(.contributingEquipmentSequence).count == 1)
        }
    }

    @Test func whatIsNoActivityIsNotWritten() throws {
        var wrong = map
        wrong.voxels[5] = .nan
        let nm = folder.file("nm.dcm")
        let context = SyntheticPatient.doseContext(ctGrid: map.grid, sources: [])
        let writer = RTDoseWriter(context: context, source: try Dataset(contentsOf: nm))
        let planar = try PlanarReader().read(filesAt: [nm])
        #expect(throws: DICOMWritingError.self) {
            try writer.petSlices(
                of: wrong, planar: planar, administration: Self.given, isSupineHeadFirst: true, seriesNumber: 3)
        }
    }
}

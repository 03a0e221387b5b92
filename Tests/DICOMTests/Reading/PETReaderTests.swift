import DICOM
import Imaging
import Testing

struct PETReaderTests {
    let folder: TemporaryFolder
    let pet: Volume<Float>
    let slices: [Dataset]

    init() throws {
        folder = try TemporaryFolder()
        // Slices of very different activity: each has a scaling of its own.
        var volume = try SyntheticPatient.volume(from: 0)
        let plane = volume.grid.columns * volume.grid.rows
        for voxel in volume.voxels.indices { volume.voxels[voxel] *= [1, 1000, 0, 7, 0.01][voxel / plane] }
        pet = volume
        try SliceWriter.writePET(
            pet, administration: Administration(megabecquerels: 152, startedAt: SyntheticPatient.administered),
            study: SyntheticPatient.petStudy, to: folder.folder("pt"))
        slices = try folder.files(in: "pt").map { try Dataset(contentsOf: $0) }
    }

    @Test func everySliceHasItsOwnScaling() throws {
        let series = try SeriesReader.readPET(filesAt: folder.files(in: "pt").reversed())
        let plane = pet.grid.columns * pet.grid.rows
        #expect(series.volume.grid == pet.grid)
        for slice in 0..<pet.grid.slices {
            let range = slice * plane..<(slice + 1) * plane
            let step = (pet.voxels[range].max() ?? 0) / Float(Int16.max)
            for voxel in range {
                #expect(abs(series.volume.voxels[voxel] - pet.voxels[voxel]) <= step / 2 * 1.001)
            }
        }
    }

    @Test func administrationAndTimesAreRead() throws {
        let series = try SeriesReader.readPET(slices)
        // The file holds Bq, unlike a nuclear medicine image.
        #expect(
            try slices[0].items(.radiopharmaceuticalInformationSequence)[0].decimal(.radionuclideTotalDose) == 152e6)
        #expect(abs((series.administration.megabecquerels ?? 0) - 152) < 1e-9)
        #expect(series.administration.startedAt == SyntheticPatient.administered)
        #expect(series.decayCorrection == .start)
        #expect(series.seriesStartedAt == SyntheticPatient.petStudy.startedAt)
        #expect(series.halfLifeSeconds == 4069.8)
        #expect(series.patientKilograms == 75)
        #expect(series.frameOfReferenceUID == SyntheticPatient.petStudy.frameOfReferenceUID)
    }

    @Test(arguments: ["CNTS", "PROPCPS", "GML", ""])
    func refusesOtherUnits(units: String) {
        slices[1].put(.units, units)
        #expect(throws: DICOMReadingError.refused(.units)) { try SeriesReader.readPET(slices) }
    }

    @Test func refusesUncorrectedAttenuation() {
        slices[1].put(.correctedImage, ["DECY", "NORM"])
        #expect(throws: DICOMReadingError.refused(.attenuationUncorrected)) { try SeriesReader.readPET(slices) }
    }

    @Test func noticesSlicesMissingAtTheEnd() {
        #expect(throws: DICOMReadingError.refused(.slicesMissing(afterSlice: 3))) {
            try SeriesReader.readPET(Array(slices.dropLast()))
        }
    }

    @Test func refusesADecayCorrectionThatIsNone() {
        for slice in slices { slice.put(.decayCorrection, "SOMETIME") }
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.decayCorrection))) {
            try SeriesReader.readPET(slices)
        }
    }
}

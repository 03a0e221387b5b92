import DICOM
import Imaging
import Testing

struct ActivityMapReaderTests {
    private let time = LocalTimestamp(year: 2025, month: 11, day: 1, secondsOfDay: 36_930)

    private func dataset(_ map: DoseMap) throws -> Dataset {
        try RTDoseWriter(context: SyntheticPatient.doseContext(), source: SyntheticPatient.nm())
            .dataset(of: map, output: "activity", seriesNumber: 1)
    }

    @Test func readsBackWhatIsWritten() throws {
        let volume = try SyntheticPatient.volume(from: 0).map { $0 * 12.5 }
        let map = try ActivityMapReader.read(
            dataset(DoseMap(.activityConcentration(at: time), volume: volume, radionuclide: "177Lu")))
        #expect(map.volume.grid == volume.grid && map.time == time && map.radionuclide == "177Lu")
        #expect(map.frameOfReferenceUID == SyntheticPatient.petStudy.frameOfReferenceUID)
        let step = (volume.voxels.max() ?? 0) / 65_535
        for (read, written) in zip(map.volume.voxels, volume.voxels) { #expect(abs(read - written) <= step) }
    }

    @Test func aMapWithoutCalibrationHasNoTime() throws {
        let volume = try SyntheticPatient.volume(from: 0)
        let map = try ActivityMapReader.read(dataset(DoseMap(.relativeActivity, volume: volume)))
        #expect(map.time == nil && map.radionuclide == nil)
    }

    @Test func refusesDosesAndDeviations() throws {
        let volume = try SyntheticPatient.volume(from: 0)
        for map in [
            DoseMap(.absorbedDose, volume: volume),
            DoseMap(.activityConcentration(at: time), statistic: .standardDeviation, volume: volume),
        ] {
            let dataset = try dataset(map)
            #expect(throws: DICOMReadingError.refused(.units)) { try ActivityMapReader.read(dataset) }
        }
        let broken = try dataset(DoseMap(.activityConcentration(at: time), volume: volume))
        broken.put(.doseComment, "Activity conc Bq/mL @ 20251301 101530")
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.doseComment))) { try ActivityMapReader.read(broken) }
    }
}

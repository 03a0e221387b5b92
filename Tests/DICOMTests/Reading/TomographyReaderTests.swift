import DICOM
import Imaging
import Testing

@Suite struct TomographyReaderTests {
    private static let study = SyntheticStudy(
        seed: 5, name: "spect", description: "SPECT",
        startedAt: LocalTimestamp(year: 2024, month: 3, day: 26, secondsOfDay: 36_000))

    /// Every voxel another value.
    private static func volume() throws -> Volume<Float> {
        let grid = try VoxelGrid(
            columns: 4, rows: 3, slices: 5, spacing: SIMD3(4.8, 4.8, 4.8), origin: SIMD3(-10, 20, 100))
        return try Volume(grid: grid, voxels: (0..<60).map { Float($0) * 1000 })
    }

    private static func error(_ dataset: Dataset) -> DICOMReadingError? {
        do {
            _ = try TomographyReader.read(dataset)
            return nil
        } catch { return error }
    }

    @Test func readsWhatWasWritten() throws {
        let volume = try Self.volume()
        let image = try TomographyReader.read(
            TomographyWriter.dataset(volume, study: Self.study, frameOfReferenceUID: "1.2.3"))
        #expect(image.volume.grid == volume.grid && image.radionuclide == "177Lu")
        #expect(zip(image.volume.voxels, volume.voxels).allSatisfy { abs($0 - $1) <= 0.51 * 59_000 / 65_535 })
        #expect(image.frameOfReferenceUID == "1.2.3" && image.acquiredAt == Self.study.startedAt)
    }

    /// Frames follow their vector, and a negative distance leads from the head to the feet.
    @Test func slicesLieWhereTheyAreSaidToLie() throws {
        let volume = try Self.volume()
        let upright = try TomographyReader.read(TomographyWriter.dataset(volume, study: Self.study))
        let dataset = try TomographyWriter.dataset(volume, study: Self.study)
        dataset.put(.sliceVector, integers: [5, 4, 3, 2, 1])
        let reordered = try TomographyReader.read(dataset)
        #expect(reordered.volume[1, 2, 0] == upright.volume[1, 2, 4])
        let descending = try TomographyWriter.dataset(volume, study: Self.study)
        descending.put(.spacingBetweenSlices, decimal: -4.8)
        let turned = try TomographyReader.read(descending)
        #expect(abs(turned.volume.grid.origin.z - (100 - 4 * 4.8)) < 1e-9)
        #expect(turned.volume[1, 2, 0] == upright.volume[1, 2, 4])
    }

    @Test func unitsComeFromAMappingOrFromRescaling() throws {
        let dataset = try TomographyWriter.dataset(Self.volume(), study: Self.study)
        let mapped = try TomographyReader.read(dataset).volume
        dataset.putEmpty(.realWorldValueMappingSequence)
        #expect(Self.error(dataset) == .refused(.units))
        dataset.put(.units, "BQML")
        #expect(Self.error(dataset) == .refused(.units))
        dataset.put(.rescaleSlope, decimal: 2)
        dataset.put(.rescaleIntercept, decimal: 5)
        let rescaled = try TomographyReader.read(dataset).volume
        #expect(rescaled.voxels[0] == 5 && rescaled.voxels[59] == 2 * 65_535 + 5)
        #expect(mapped.voxels[59] == 59_000)
    }

    @Test func refusesWhatIsNoSPECT() throws {
        let cases: [(DICOMReadingError, (Dataset) -> Void)] = [
            (.refused(.imageType), { $0.put(.imageType, ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]) }),
            (
                .refused(.frameVectorLength(.sliceVector, expected: 5, found: 2)),
                { $0.put(.sliceVector, integers: [1, 2]) }
            ),
            (.refused(.frameVectorRange(.sliceVector, value: 9)), { $0.put(.sliceVector, integers: [1, 2, 3, 4, 9]) }),
            (.refused(.attributeMissing(.spacingBetweenSlices)), { $0.putEmpty(.spacingBetweenSlices) }),
            (.needsInput(.acquisitionTime), { $0.putEmpty(.acquisitionDate) }),
            (.needsInput(.radionuclide), { $0.putEmpty(.radiopharmaceuticalInformationSequence) }),
            (
                .refused(.obliqueOrientation),
                {
                    $0.items(.detectorInformationSequence)[0]
                        .put(.imageOrientationPatient, decimals: [0.9, 0.1, 0, 0, 1, 0])
                }
            ),
        ]
        for (expected, change) in cases {
            let dataset = try TomographyWriter.dataset(Self.volume(), study: Self.study)
            change(dataset)
            #expect(Self.error(dataset) == expected)
        }
    }
}

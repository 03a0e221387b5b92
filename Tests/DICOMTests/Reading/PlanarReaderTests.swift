import DICOM
import Imaging
import Testing

struct PlanarReaderTests {
    @Test(arguments: [PlanarStudy.Acquisition.wholeBody, .static])
    func everyViewComesBackAtItsPlace(kind: PlanarStudy.Acquisition) throws {
        let folder = try TemporaryFolder()
        let written = try SyntheticPatient.acquisition(kind)
        try PlanarWriter.write(written, study: SyntheticPatient.nmStudy, to: folder.file("nm.dcm"))
        let study = try PlanarReader().read(filesAt: [folder.file("nm.dcm")])
        #expect(study.acquisition == kind)
        #expect(study.views.count == 6)
        for view in written.views {
            let back = try #require(study.view(view.direction, in: view.window))
            #expect(back.counts == view.counts)
            #expect(back.spacing == view.spacing)
            #expect(abs(back.origin.x - view.origin.x) < 1e-9 && abs(back.origin.y - view.origin.y) < 1e-9)
            #expect(abs(back.dwellSeconds - view.dwellSeconds) < 1e-6 * view.dwellSeconds)
            #expect(back.facePositionMillimetres == view.facePositionMillimetres)
            #expect(back.radialPositionMillimetres == 150)
        }
        #expect(study.radionuclide == .lutetium177)
        #expect(study.administration.megabecquerels == 7400)
        #expect(study.administration.secondsOfDay == 36_000)
        #expect(study.startedAt == SyntheticPatient.nmStudy.startedAt)
        #expect(study.equipment == SyntheticPatient.camera)
        #expect(study.collimator == Collimator(type: "PARA", gridName: "ME"))
        #expect(study.sources.count == 1)
    }

    @Test func photopeakAndItsNeighboursAreFoundByEnergy() throws {
        let study = try PlanarReader().read([SyntheticPatient.nm()])
        let peak = try #require(study.photopeaks.first)
        #expect(study.photopeaks.count == 1)
        #expect(peak.line.energy == 208.37)
        #expect(peak.window == SyntheticPatient.peak)
        #expect(peak.lowerScatter == SyntheticPatient.lowerScatter)
        #expect(peak.upperScatter == SyntheticPatient.upperScatter)
    }

    @Test func aSecondLineHasAPhotopeakOfItsOwn() {
        let second = EnergyWindow(lower: 101.7, upper: 124.3)
        let windows = [
            second, SyntheticPatient.upperScatter, SyntheticPatient.peak, EnergyWindow(lower: 15, upper: 300),
        ]
        let peaks = Photopeak.classify(windows, of: .lutetium177)
        #expect(peaks.map(\.window) == [SyntheticPatient.peak, second])
        #expect(peaks[0].lowerScatter == nil)
        #expect(peaks[1].upperScatter == nil)
    }

    @Test func framesAreFoundByTheirVectors() throws {
        // The same frames, the posterior detector first and the windows upside down.
        let dataset = try SyntheticPatient.nm()
        let frame = 12 * 20
        let words = try dataset.pixels().values.map { UInt16($0) }
        let order = [5, 4, 3, 2, 1, 0]
        dataset.put(.pixelData, words: order.flatMap { words[$0 * frame..<($0 + 1) * frame] })
        dataset.put(.energyWindowVector, integers: [3, 3, 2, 2, 1, 1])
        dataset.put(.detectorVector, integers: [2, 1, 2, 1, 2, 1])
        let shuffled = try PlanarReader().read([dataset])
        let plain = try PlanarReader().read([SyntheticPatient.nm()])
        for view in plain.views { #expect(shuffled.view(view.direction, in: view.window) == view) }
    }

    @Test func signedPixelsAreCounts() throws {
        let dataset = try SyntheticPatient.nm()
        dataset.put(.pixelRepresentation, integer: 1)
        #expect(try PlanarReader().read([dataset]).views == PlanarReader().read([SyntheticPatient.nm()]).views)
    }

    @Test func twoInstancesMakeAPair() throws {
        let acquisition = try SyntheticPatient.acquisition()
        func instance(_ direction: ViewDirection, _ number: Int) throws -> Dataset {
            try PlanarWriter.dataset(
                acquisition, study: SyntheticPatient.nmStudy, instance: number, directions: [direction])
        }
        let posterior = try instance(.posterior, 2)
        posterior.put(.acquisitionTime, "101533")
        let study = try PlanarReader().read([posterior, instance(.anterior, 1)])
        #expect(study.views == (try PlanarReader().read([SyntheticPatient.nm()])).views)
        #expect(study.findings.contains(.paired(instances: 2, secondsApart: 2.75)))
        #expect(study.startedAt == SyntheticPatient.nmStudy.startedAt)

        posterior.put(.acquisitionTime, "101536")
        #expect(throws: DICOMReadingError.refused(.instancesUnpaired(.acquisitionTime))) {
            try PlanarReader().read([posterior, instance(.anterior, 1)])
        }
        #expect(throws: DICOMReadingError.needsInput(.oppositeView)) {
            try PlanarReader().read([instance(.anterior, 1)])
        }
        #expect(throws: DICOMReadingError.needsInput(.viewAmbiguous)) {
            try PlanarReader().read([instance(.anterior, 1), instance(.anterior, 2)])
        }
    }

    @Test(arguments: [
        (AttributeTag.studyInstanceUID, "1.2.3"), (.pixelSpacing, "4.8\\4.8"), (.actualFrameDuration, "77"),
        (.imageType, "ORIGINAL\\PRIMARY\\STATIC\\EMISSION"),
    ])
    func instancesThatDifferAreNoPair(tag: AttributeTag, value: String) throws {
        let acquisition = try SyntheticPatient.acquisition()
        let pair = try ViewDirection.allCases.map { direction in
            try PlanarWriter.dataset(acquisition, study: SyntheticPatient.nmStudy, directions: [direction])
        }
        pair[1].put(tag, value)
        #expect(throws: DICOMReadingError.refused(.instancesUnpaired(tag))) { try PlanarReader().read(pair) }
    }

    @Test func acquisitionTimeFallsBackToTheSeries() throws {
        let dataset = try SyntheticPatient.nm()
        dataset.remove(.acquisitionDate)
        #expect(try PlanarReader().read([dataset]).findings.contains(.startOfSeries))
        dataset.remove(.seriesTime)
        #expect(throws: DICOMReadingError.needsInput(.acquisitionTime)) { try PlanarReader().read([dataset]) }
    }
}

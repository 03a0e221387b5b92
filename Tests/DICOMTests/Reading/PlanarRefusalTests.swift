import DICOM
import Imaging
import Testing

struct PlanarRefusalTests {
    let dataset: Dataset

    init() throws { dataset = try SyntheticPatient.nm() }

    private func error(_ rules: PlanarReadingRules = PlanarReadingRules()) -> DICOMReadingError? {
        do {
            _ = try PlanarReader(rules: rules).read([dataset])
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "ORIGINAL\\PRIMARY\\TOMO\\EMISSION", "ORIGINAL\\PRIMARY\\GATED\\EMISSION",
        "ORIGINAL\\PRIMARY\\DYNAMIC\\EMISSION",
        "ORIGINAL\\PRIMARY\\RECON TOMO\\EMISSION", "ORIGINAL\\PRIMARY\\STATIC\\TRANSMISSION", "ORIGINAL\\PRIMARY",
    ])
    func refusesImagesOfOtherKinds(kind: String) {
        dataset.put(.imageType, kind)
        #expect(error() == .refused(.imageType))
    }

    @Test func refusesOtherClasses() {
        dataset.put(.sopClassUID, SOPClass.positronEmission.rawValue)
        #expect(error() == .refused(.sopClass(expected: .nuclearMedicine)))
    }

    @Test func refusesFramesThatTheVectorsDoNotExplain() {
        dataset.put(.detectorVector, integers: [1, 2, 1, 2, 1])
        #expect(error() == .refused(.frameVectorLength(.detectorVector, expected: 6, found: 5)))
        dataset.put(.detectorVector, integers: [1, 2, 1, 2, 1, 2, 1])
        #expect(error() == .refused(.frameVectorLength(.detectorVector, expected: 6, found: 7)))
        dataset.put(.detectorVector, integers: [1, 2, 1, 2, 1, 3])
        #expect(error() == .refused(.frameVectorRange(.detectorVector, value: 3)))
        dataset.put(.detectorVector, integers: [1, 2, 0, 2, 1, 2])
        #expect(error() == .refused(.frameVectorRange(.detectorVector, value: 0)))
        dataset.put(.detectorVector, integers: [1, 2, 1, 1, 1, 2])
        #expect(error() == .refused(.frameRepeated(window: 2, detector: 1)))
        dataset.remove(.detectorVector)
        #expect(error() == .refused(.frameVectorLength(.detectorVector, expected: 6, found: 0)))
    }

    @Test func refusesFramesOverTime() {
        dataset.put(.frameIncrementPointer, tags: [.energyWindowVector, AttributeTag(0x0054, 0x0100, .US)])
        #expect(error() == .refused(.frameIncrement))
    }

    @Test func refusesCountsThatDoNotAddUp() throws {
        let sum = try #require(try dataset.integer(.countsAccumulated))
        dataset.put(.countsAccumulated, integer: sum + 1)
        #expect(error() == .refused(.countsDiffer(stated: sum + 1, found: sum)))
        var rules = PlanarReadingRules()
        rules.countTolerance = 0.001
        #expect(error(rules) == nil)
        dataset.put(.countsAccumulated, integer: 0)
        #expect(try PlanarReader().read([dataset]).findings.contains(.countsNotStated))
    }

    @Test func refusesNegativeCounts() throws {
        var words = try dataset.pixels().values.map { UInt16($0) }
        words[0] = 0xFFFF
        dataset.put(.pixelData, words: words)
        dataset.put(.pixelRepresentation, integer: 1)
        #expect(error() == .refused(.negativeCounts))
    }

    @Test func refusesLossyCopiesAndTiltedViews() {
        dataset.put(.lossyImageCompression, "01")
        #expect(error() == .refused(.lossyCompression))
        let tilted: [Double] = [0.9, 0, 0.43589, 0, 0, -1]
        dataset.items(.detectorInformationSequence)[0].put(.imageOrientationPatient, decimals: tilted)
        dataset.remove(.lossyImageCompression)
        #expect(error() == .refused(.planarOrientation))
    }

    @Test(arguments: [
        (AttributeTag.pixelSpacing, MissingInput.pixelSpacing), (.actualFrameDuration, .frameDuration),
        (.scanVelocity, .scanVelocity), (.scanLength, .scanLength),
        (.radiopharmaceuticalInformationSequence, .radionuclide), (.energyWindowInformationSequence, .energyWindow),
        (.detectorInformationSequence, .view),
    ])
    func asksForWhatIsMissing(tag: AttributeTag, missing: MissingInput) {
        dataset.remove(tag)
        #expect(error() == .needsInput(missing))
        dataset.putEmpty(tag)
        #expect(error() == .needsInput(missing))
    }

    @Test(arguments: [
        (AttributeTag.actualFrameDuration, MissingInput.frameDuration), (.scanVelocity, .scanVelocity),
        (.scanLength, .scanLength),
    ])
    func zeroIsMissing(tag: AttributeTag, missing: MissingInput) {
        dataset.put(tag, "0")
        #expect(error() == .needsInput(missing))
    }

    @Test func asksForTheFieldOfViewOfASweep() throws {
        for detector in dataset.items(.detectorInformationSequence) {
            detector.put(.fieldOfViewDimensions, integer: 400)
        }
        #expect(error() == .needsInput(.fieldOfView))
        var rules = PlanarReadingRules()
        rules.fieldOfViewMillimetres = SIMD2(533, 194)
        let dwell = try PlanarReader(rules: rules).read([dataset]).views[0].dwellSeconds
        #expect(abs(dwell - 193.5 * 194 / 387) < 1e-6)
    }

    @Test func asksWhichWindowIsThePhotopeak() {
        let windows = dataset.items(.energyWindowInformationSequence)
        windows[1].items(.energyWindowRangeSequence)[0].put(.energyWindowUpperLimit, decimal: 200)
        #expect(error() == .needsInput(.photopeak))
        windows[1].items(.energyWindowRangeSequence)[0].put(.energyWindowUpperLimit, decimal: 100)
        #expect(error() == .needsInput(.energyWindow))
    }

    @Test func refusesARadionuclideThatNobodyKnows() {
        let item = dataset.items(.radiopharmaceuticalInformationSequence)[0]
        item.items(.radionuclideCodeSequence)[0].put(.codeValue, "C-163A8")
        var rules = PlanarReadingRules()
        rules.radionuclide = .lutetium177
        // The file speaks, so the site's word does not count.
        #expect(error(rules) == .refused(.radionuclideUnsupported))
    }

    @Test func sitesSupplyWhatFilesLeaveOut() throws {
        let truth = try PlanarReader().read([dataset])
        for tag in [
            AttributeTag.pixelSpacing, .radiopharmaceuticalInformationSequence, .energyWindowInformationSequence,
        ] {
            dataset.putEmpty(tag)
        }
        dataset.put(.scanVelocity, "0")
        var rules = PlanarReadingRules()
        rules.pixelSpacingMillimetres = SIMD2(4.8, 4.7)
        rules.radionuclide = .lutetium177
        rules.energyWindows = [SyntheticPatient.lowerScatter, SyntheticPatient.peak, SyntheticPatient.upperScatter]
        rules.scanVelocityMillimetresPerSecond = 2
        let study = try PlanarReader(rules: rules).read([dataset])
        #expect(study.views.map(\.counts) == truth.views.map(\.counts))
        for tag in [AttributeTag.pixelSpacing, .energyWindowInformationSequence, .scanVelocity] {
            #expect(study.findings.contains(.suppliedBySite(tag)))
        }
    }

    @Test func reasonCodesAreDistinct() {
        let codes = MissingInput.allCases.map { DICOMReadingError.needsInput($0).reasonCode }
        #expect(Set(codes).count == codes.count)
        #expect(DICOMReadingError.refused(.gantryTilt).reasonCode == "gantry-tilt")
        #expect(DICOMReadingError.needsInput(.view).reasonCode == "view-unknown")
        #expect(MissingInput.view.attribute.description == "(0054,0220)")
    }
}

import DICOM
import Imaging
import Testing

/// From which side a detector looks, by one evidence after the other, and how its pixels are turned.
struct PlanarViewRuleTests {
    let dataset: Dataset
    let truth: PlanarStudy

    init() throws {
        dataset = try SyntheticPatient.nm()
        truth = try PlanarReader().read([SyntheticPatient.nm()])
    }

    private var detectors: [Dataset] { dataset.items(.detectorInformationSequence) }

    private func remove(_ tags: AttributeTag...) {
        for detector in detectors { tags.forEach(detector.remove) }
    }

    private func counts(_ study: PlanarStudy) -> [[Float]] { study.views.map(\.counts) }

    private func evidence(_ study: PlanarStudy) -> [ViewEvidence] {
        study.findings.compactMap { finding in
            if case .view(_, _, let evidence) = finding { evidence } else { nil }
        }
    }

    @Test func viewCodeComesFirst() throws {
        #expect(evidence(truth) == [.viewCode, .viewCode])
        #expect(truth.findings.contains(.turnedByDetectorOrientation(detector: 2)))
    }

    @Test(arguments: [("G-5215", "G-5216"), ("399348003", "272479007"), ("R-10206", "R-40888")])
    func olderCodesAreUnderstood(codes: (String, String)) throws {
        for (detector, code) in zip(detectors, [codes.0, codes.1]) {
            detector.remove(.viewCodeSequence)
            detector.append(to: .viewCodeSequence) { $0.put(.codeValue, code) }
        }
        #expect(try PlanarReader().read([dataset]).views == truth.views)
    }

    @Test func codesAloneTurnByConvention() throws {
        remove(.imageOrientationPatient, .imagePositionPatient)
        let study = try PlanarReader().read([dataset])
        #expect(counts(study) == counts(truth))
        #expect(study.views[0].facePositionMillimetres == nil)
        // Centred, for want of a position.
        #expect(abs(study.views[0].origin.x + 11 * 4.8 / 2) < 1e-9)
    }

    @Test func orientationAloneTellsTheView() throws {
        remove(.viewCodeSequence)
        let study = try PlanarReader().read([dataset])
        #expect(study.views == truth.views)
        #expect(evidence(study) == [.imageOrientation, .imageOrientation])
    }

    @Test func disputesAreReported() throws {
        detectors[0].put(.startAngle, decimal: 0)
        #expect(try PlanarReader().read([dataset]).findings.contains(.viewDisputed(detector: 1, by: .startAngle)))
        detectors[1].put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 0, -1])
        let findings = try PlanarReader().read([dataset]).findings
        #expect(findings.contains(.viewDisputed(detector: 2, by: .imageOrientation)))
    }

    @Test func angleAloneDecidesNothing() throws {
        remove(.viewCodeSequence, .imageOrientationPatient)
        #expect(throws: DICOMReadingError.needsInput(.view)) { try PlanarReader().read([dataset]) }
    }

    @Test func aSiteRuleIsTheLastWord() throws {
        remove(.viewCodeSequence, .imageOrientationPatient)
        var rules = PlanarReadingRules()
        rules.viewRules = [
            .init(device: Equipment(manufacturer: "Other"), directions: [.posterior, .anterior]),
            .init(device: Equipment(station: "CAM1"), directions: [.anterior, .posterior]),
        ]
        let study = try PlanarReader(rules: rules).read([dataset])
        #expect(counts(study) == counts(truth))
        #expect(evidence(study) == [.siteRule, .siteRule])
        rules.viewRules = [.init(device: Equipment(station: "CAM2"), directions: [.anterior, .posterior])]
        #expect(throws: DICOMReadingError.needsInput(.view)) { try PlanarReader(rules: rules).read([dataset]) }
        rules.viewRules = [.init(directions: [.anterior, .anterior])]
        #expect(throws: DICOMReadingError.needsInput(.viewAmbiguous)) { try PlanarReader(rules: rules).read([dataset]) }
    }

    /// Where a site says that its device counts angles as most do.
    @Test func theAngleDecidesWhereASiteSaysSo() throws {
        remove(.viewCodeSequence, .imageOrientationPatient)
        detectors[0].put(.startAngle, decimal: 180)
        detectors[1].put(.startAngle, decimal: 0)
        var rules = PlanarReadingRules()
        rules.startAngleDecides = true
        let study = try PlanarReader(rules: rules).read([dataset])
        #expect(counts(study) == counts(truth))
        #expect(evidence(study) == [.startAngle, .startAngle])
    }

    @Test func aSiteAddsItsOwnWords() throws {
        let acquisition = try SyntheticPatient.acquisition()
        let pair = try zip(ViewDirection.allCases, ["scan VENTRAL 1", "scan dorsal 2"]).map { direction, words in
            let one = try PlanarWriter.dataset(acquisition, study: SyntheticPatient.nmStudy, directions: [direction])
            for detector in one.items(.detectorInformationSequence) {
                detector.remove(.viewCodeSequence)
                detector.remove(.imageOrientationPatient)
            }
            one.put(.seriesDescription, words)
            return one
        }
        #expect(throws: DICOMReadingError.needsInput(.view)) { try PlanarReader().read(pair) }
        var rules = PlanarReadingRules()
        (rules.anteriorWords, rules.posteriorWords) = (["VENTRAL"], ["DORSAL"])
        let study = try PlanarReader(rules: rules).read(pair)
        #expect(counts(study) == counts(truth) && evidence(study) == [.words, .words])
    }

    @Test func aPronePatientTurnsTheBackToTheUpperDetector() throws {
        remove(.viewCodeSequence, .imageOrientationPatient)
        let lie = dataset.items(.patientOrientationCodeSequence)[0]
        lie.remove(.patientOrientationModifierCodeSequence)
        lie.append(to: .patientOrientationModifierCodeSequence) { $0.put(.codeValue, "F-10310") }
        var rules = PlanarReadingRules()
        rules.viewRules = [.init(directions: [.posterior, .anterior])]
        #expect(counts(try PlanarReader(rules: rules).read([dataset])) == counts(truth))
    }

    @Test func feetFirstTurnsThePictureByHalfACircle() throws {
        remove(.imageOrientationPatient)
        dataset.remove(.patientGantryRelationshipCodeSequence)
        dataset.append(to: .patientGantryRelationshipCodeSequence) { $0.put(.codeValue, "F-10480") }
        let study = try PlanarReader().read([dataset])
        #expect(counts(study) == counts(truth).map { $0.reversed() })
    }

    @Test(arguments: [
        (AttributeTag.imageID, "ANT", "POST"), (.viewPosition, "ANTERIOR", "POSTERIOR"),
        (.seriesDescription, "WB anterior post therapy", "WB posterior post therapy"),
    ])
    func wordsNameTheViewOfAnInstance(tag: AttributeTag, anterior: String, posterior: String) throws {
        let acquisition = try SyntheticPatient.acquisition()
        let pair = try zip(ViewDirection.allCases, [anterior, posterior]).map { direction, words in
            let one = try PlanarWriter.dataset(acquisition, study: SyntheticPatient.nmStudy, directions: [direction])
            for detector in one.items(.detectorInformationSequence) {
                detector.remove(.viewCodeSequence)
                detector.remove(.imageOrientationPatient)
            }
            one.put(tag, words)
            return one
        }
        let study = try PlanarReader().read(pair)
        #expect(counts(study) == counts(truth))
        #expect(evidence(study) == [.words, .words])
        pair[1].put(tag, "WB post therapy")
        if tag == .seriesDescription {
            #expect(throws: DICOMReadingError.needsInput(.view)) { try PlanarReader().read(pair) }
        }
    }

    @Test func mirroredStorageShowsInTheCorrelation() throws {
        func correlations(_ study: PlanarStudy) -> (Double, Double) {
            for case .mirroring(let turned, let mirrored) in study.findings { return (turned, mirrored) }
            return (0, 0)
        }
        let plain = correlations(truth)
        #expect(plain.0 > 0.95 && plain.1 < 0.5)
        // The posterior detector claims to be stored as seen from the front, which it is not.
        detectors[1].put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 0, -1])
        let mirrored = correlations(try PlanarReader().read([dataset]))
        #expect(mirrored.1 > 0.95 && mirrored.0 < 0.5)
    }

    @Test func aPatientWhoseLieIsUnknownIsTakenAsSupine() throws {
        #expect(!truth.findings.contains(.supineHeadFirstAssumed))
        dataset.remove(.patientOrientationCodeSequence)
        #expect(try PlanarReader().read([dataset]).findings.contains(.supineHeadFirstAssumed))
    }
}

import DICOM
import Imaging
import Testing

struct RTDoseWriterTests {
    let folder: TemporaryFolder
    let source: Dataset
    let map: Volume<Float>

    init() throws {
        folder = try TemporaryFolder()
        source = try SyntheticPatient.nm()
        map = try SyntheticPatient.volume(from: 0).map { $0 * 123.4 }
    }

    private func writer(_ context: RTDoseContext = SyntheticPatient.doseContext()) -> RTDoseWriter {
        RTDoseWriter(context: context, source: source)
    }

    private let activity = DoseMap.Quantity.activityConcentration(
        at: LocalTimestamp(year: 2025, month: 11, day: 1, secondsOfDay: 36_930.25))

    @Test(arguments: [EncodedDose.Storage.sixteen, .thirtyTwo])
    func storedTimesScalingIsTheMapToHalfAStep(storage: EncodedDose.Storage) throws {
        let path = folder.file("dose.dcm")
        try writer(SyntheticPatient.doseContext(storage: storage)).write(
            DoseMap(activity, volume: map), output: "activity", seriesNumber: 1, to: path)
        let back = try Dataset(contentsOf: path)
        let scaling = try #require(try back.decimal(.doseGridScaling))
        let (layout, values) = try back.pixels()
        #expect(layout.bitsAllocated == storage.rawValue)
        #expect(layout.frames == map.grid.slices)
        for (stored, value) in zip(values, map.voxels) {
            // Half a step, and the last bit of the arithmetic.
            #expect(abs(Double(stored) * scaling - Double(value)) <= scaling / 2 * (1 + 1e-6))
        }
        #expect((values.max() ?? 0) >= Int32(storage.peak) - 1)
        let mapping = try #require(back.items(.realWorldValueMappingSequence).first)
        #expect(try mapping.decimal(.realWorldValueSlope) == scaling)
        #expect(mapping.items(.measurementUnitsCodeSequence).first?.text(.codeValue) == "Bq/ml")
    }

    @Test func activityIsRelativeAndSaysWhatItIs() throws {
        let dataset = try writer().dataset(of: DoseMap(activity, volume: map), output: "activity", seriesNumber: 1)
        #expect(dataset.text(.doseUnits) == "RELATIVE")
        #expect(dataset.text(.doseType) == "PHYSICAL")
        #expect(dataset.text(.doseSummationType) == "PLAN")
        let comment = try #require(dataset.text(.doseComment))
        #expect(comment == "Activity conc Bq/mL @ 20251101 101530; not for clinical use")
        #expect(comment.utf8.count <= 64)
        #expect(try dataset.decimals(.gridFrameOffsetVector) == [0, 3, 6, 9, 12])
        #expect(try dataset.decimals(.imagePositionPatient) == [-7.5, -12.25, 100])
        #expect(dataset.text(.frameOfReferenceUID) == SyntheticPatient.petStudy.frameOfReferenceUID)
    }

    @Test func doseIsInGrayAndUncertaintyIsAnError() throws {
        let dose = try writer().dataset(of: DoseMap(.absorbedDose, volume: map), output: "dose", seriesNumber: 1)
        #expect(dose.text(.doseUnits) == "GY")
        #expect(dose.items(.realWorldValueMappingSequence).isEmpty)
        let spread = DoseMap(.absorbedDose, statistic: .standardDeviation, volume: map)
        #expect(try writer().dataset(of: spread, output: "sd", seriesNumber: 1).text(.doseType) == "ERROR")
    }

    @Test func patientAndStudyAreTheSourcesBytes() throws {
        source.put(.specificCharacterSet, "ISO_IR 100")
        source.put(.patientName, bytes: [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72])
        source.remove(.patientSex)
        let dataset = try writer().dataset(of: DoseMap(activity, volume: map), output: "activity", seriesNumber: 1)
        for tag in [
            AttributeTag.specificCharacterSet, .patientName, .patientID, .studyInstanceUID, .studyDate, .studyID,
        ] {
            #expect(dataset.bytes(tag) == source.bytes(tag))
        }
        #expect(dataset.bytes(.patientSex) == [])
        #expect(dataset.bytes(.accessionNumber) == [])
    }

    @Test func namesItsPlanItsSourcesAndItsMaker() throws {
        let reference = try SourceReference(source)
        let context = SyntheticPatient.doseContext(sources: [reference])
        let dataset = try writer(context).dataset(of: DoseMap(activity, volume: map), output: "a", seriesNumber: 1)
        let plan = writer(context).plan()
        let referenced = dataset.items(.referencedRTPlanSequence).first?.text(.referencedSOPInstanceUID)
        #expect(referenced == plan.text(.sopInstanceUID))
        let instance = try #require(dataset.items(.referencedInstanceSequence).first)
        #expect(instance.text(.referencedSOPInstanceUID) == reference.sopInstanceUID)
        #expect(instance.items(.purposeOfReferenceCodeSequence).first?.text(.codeValue) == "121322")
        let maker = try #require(dataset.items(.contributingEquipmentSequence).first)
        #expect(maker.text(.contributionDescription) == "model aa11 recipe bb22 seed 42")
        #expect(maker.texts(.softwareVersions) == ["1.2.3", "0123abc"])

        let given = SyntheticPatient.doseContext(plan: .existing(sopInstanceUID: "1.2.9"))
        let other = try writer(given).dataset(of: DoseMap(activity, volume: map), output: "a", seriesNumber: 1)
        #expect(other.items(.referencedRTPlanSequence).first?.text(.referencedSOPInstanceUID) == "1.2.9")
        let overview = try writer(SyntheticPatient.doseContext(plan: .overview))
            .dataset(of: DoseMap(activity, volume: map), output: "a", seriesNumber: 1)
        #expect(overview.text(.doseSummationType) == "PLAN_OVERVIEW")
        #expect(overview.items(.referencedRTPlanSequence).isEmpty)
    }

    @Test func aRetryMakesTheSameObject() throws {
        func uid(_ job: String, _ output: String) throws -> String? {
            try writer(SyntheticPatient.doseContext(job: job))
                .dataset(of: DoseMap(activity, volume: map), output: output, seriesNumber: 1).text(.sopInstanceUID)
        }
        #expect(try uid("job 1", "activity") == uid("job 1", "activity"))
        #expect(try uid("job 1", "activity") != uid("job 1", "dose"))
        #expect(try uid("job 1", "activity") != uid("job 2", "activity"))
    }

    @Test(arguments: [-1, Float.nan, .infinity])
    func refusesWhatIsNotADose(value: Float) throws {
        var broken = map
        broken.voxels[17] = value
        #expect(throws: DICOMWritingError.notADose(voxel: 17)) { try EncodedDose(broken) }
    }

    @Test func refusesGridsThatReadersMisplace() throws {
        let flat = try VoxelGrid(columns: 2, rows: 2, slices: 2, spacing: SIMD3(2, 3, 3), origin: SIMD3(0, 0, 0))
        #expect(throws: DICOMWritingError.pixelsNotSquare(columnMillimetres: 2, rowMillimetres: 3)) {
            try writer().dataset(
                of: DoseMap(.absorbedDose, volume: Volume(grid: flat, repeating: 1)), output: "a", seriesNumber: 1)
        }
        let ct = try VoxelGrid(columns: 2, rows: 2, slices: 9, spacing: SIMD3(1, 1, 3), origin: SIMD3(0, 0, 101))
        #expect(throws: DICOMWritingError.slicesOffTheCT) {
            try writer(SyntheticPatient.doseContext(ctGrid: ct))
                .dataset(of: DoseMap(.absorbedDose, volume: map), output: "a", seriesNumber: 1)
        }
    }

    @Test func doseGridLiesOnTheCT() throws {
        let ct = try VoxelGrid(
            columns: 512, rows: 512, slices: 300, spacing: SIMD3(0.9765625, 0.9765625, 3),
            origin: SIMD3(-249, -249, -700))
        let grid = ct.doseGrid(near: 4.8)
        #expect(grid.spacing == SIMD3(4.8828125, 4.8828125, 6))
        #expect(grid.columns == 103 && grid.slices == 150)
        #expect(grid.origin == ct.origin)
    }

    @Test func aFlatMapOfZerosIsWritten() throws {
        let zeros = Volume<Float>(grid: map.grid, repeating: 0)
        #expect(try EncodedDose(zeros).pixels.allSatisfy { $0 == 0 })
    }

    @Test func pydicomReadsIt() throws {
        let path = folder.file("dose.dcm")
        try writer().write(DoseMap(activity, volume: map), output: "activity", seriesNumber: 1, to: path)
        let script = """
            import sys, pydicom
            d = pydicom.dcmread(sys.argv[1])
            a = d.pixel_array * float(d.DoseGridScaling)
            print(a.shape, len(d.GridFrameOffsetVector), "%.4e" % a.max())
            """
        let said = try PythonReader.run(script, on: path)
        #expect(said == "(5, 6, 8) 5 \(PythonReader.scientific(map.voxels.max() ?? 0))\n")
    }
}

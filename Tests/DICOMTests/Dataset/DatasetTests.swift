import DICOM
import Foundation
import Testing

struct DatasetTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func roundTrip(_ dataset: Dataset) throws -> Dataset {
        dataset.put(.sopClassUID, SOPClass.nuclearMedicine.rawValue)
        dataset.put(.sopInstanceUID, "1.2.3")
        try dataset.write(to: folder.file("a.dcm"))
        return try Dataset(contentsOf: folder.file("a.dcm"))
    }

    @Test func valuesComeBack() throws {
        let dataset = Dataset()
        dataset.put(.imageType, ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"])
        dataset.put(.pixelSpacing, decimals: [4.8, 1.0 / 3])
        dataset.put(.energyWindowVector, integers: [1, 1, 2, 2])
        dataset.put(.frameIncrementPointer, tags: [.energyWindowVector, .detectorVector])
        dataset.put(.countsAccumulated, integer: 2_000_000_000)
        dataset.put(.realWorldValueSlope, decimal: 1.0 / 3)
        dataset.append(to: .detectorInformationSequence) { $0.put(.startAngle, decimal: 180) }
        dataset.append(to: .detectorInformationSequence) { item in
            item.append(to: .viewCodeSequence) { $0.put(.codeValue, "G-5216") }
        }
        dataset.putEmpty(.studyID)
        let back = try roundTrip(dataset)
        #expect(back.transferSyntax == "1.2.840.10008.1.2.1")
        #expect(back.texts(.imageType) == ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"])
        #expect(try back.decimals(.pixelSpacing) == [4.8, 0.3333333333])
        #expect(try back.integers(.energyWindowVector) == [1, 1, 2, 2])
        #expect(try back.integers(.frameIncrementPointer) == [0x0054_0010, 0x0054_0020])
        #expect(try back.integer(.countsAccumulated) == 2_000_000_000)
        #expect(try back.decimal(.realWorldValueSlope) == 1.0 / 3)
        #expect(back.items(.detectorInformationSequence).count == 2)
        let nested = back.items(.detectorInformationSequence)[1].items(.viewCodeSequence)
        #expect(nested.first?.text(.codeValue) == "G-5216")
        #expect(back.bytes(.studyID) == [])
        #expect(back.bytes(.accessionNumber) == nil)
        #expect(back.text(.studyID) == nil)
    }

    @Test func itemsOutliveTheVariableOfTheirDataset() throws {
        let dataset = Dataset()
        dataset.append(to: .detectorInformationSequence) { $0.put(.collimatorType, "PARA") }
        let item = try roundTrip(dataset).items(.detectorInformationSequence)[0]
        #expect(item.text(.collimatorType) == "PARA")
    }

    @Test(arguments: ["1,5", "nan", "inf", "1e999", "0x10", "1.5.2", "ten"])
    func refusesWhatIsNoDecimalNumber(text: String) throws {
        let dataset = Dataset()
        dataset.put(.scanVelocity, text)
        let back = try roundTrip(dataset)
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.scanVelocity))) { try back.decimal(.scanVelocity) }
    }

    @Test func patientBytesSurviveInTheirCharacterSet() throws {
        let name: [UInt8] = Array("M".utf8) + [0xFC] + Array("ller^Ann".utf8)
        let dataset = Dataset()
        dataset.put(.specificCharacterSet, "ISO_IR 100")
        dataset.put(.patientName, bytes: name)
        let back = try roundTrip(dataset)
        #expect(back.bytes(.patientName) == name)
        #expect(back.text(.patientName) == "Müller^Ann")
        let copy = Dataset()
        copy.copy([.specificCharacterSet, .patientName, .patientID], from: back)
        #expect(copy.bytes(.patientName) == name)
        #expect(copy.bytes(.patientID) == [])
    }

    @Test func refusesFilesThatAreNotWhole() throws {
        let paths = ["short.dcm", "text.dcm", "missing.dcm"].map { folder.file($0) }
        try SyntheticPatient.nm().write(to: folder.file("whole.dcm"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("whole.dcm")))
        try bytes.prefix(bytes.count - 100).write(to: URL(fileURLWithPath: paths[0]))
        try Data("not a DICOM file, but long enough to hold a preamble".utf8).write(to: URL(fileURLWithPath: paths[1]))
        for path in paths {
            #expect(throws: DICOMReadingError.refused(.unreadableFile)) {
                _ = try Dataset(contentsOf: path).pixels()
            }
        }
    }

    @Test func aFullDiskIsAnError() throws {
        // The other device takes everything, so it is the lack of room that is noticed.
        try SyntheticPatient.nm().write(to: "/dev/null")
        #expect(throws: DICOMWritingError.fileNotWritten) { try SyntheticPatient.nm().write(to: "/dev/full") }
    }

    @Test(arguments: [8, 16, 32], [false, true])
    func pixelsOfEveryFormat(bits: Int, isSigned: Bool) throws {
        let dataset = Dataset()
        dataset.put(.rows, integer: 1)
        dataset.put(.columns, integer: 2)
        dataset.put(.bitsAllocated, integer: bits)
        dataset.put(.bitsStored, integer: bits == 16 ? 12 : bits)
        dataset.put(.pixelRepresentation, integer: isSigned ? 1 : 0)
        // The pixels 1 and -2, or the largest number but one.
        let words: [UInt16] =
            switch bits {
            case 8: [0xFE01]
            case 16: [0x0001, 0xFFFE]
            default: [0x0001, 0x0000, 0xFFFE, isSigned ? 0xFFFF : 0x7FFF]
            }
        dataset.put(.pixelData, words: words)
        let unsigned: [Int: Int32] = [8: 0xFE, 16: 0xFFE, 32: 0x7FFF_FFFE]
        #expect(try roundTrip(dataset).pixels().values == [1, isSigned ? -2 : unsigned[bits, default: 0]])
    }

    @Test func refusesPixelsThatDoNotFillTheImage() throws {
        let dataset = try SyntheticPatient.nm()
        dataset.put(.rows, integer: 21)
        #expect(throws: DICOMReadingError.refused(.pixelDataLength(expected: 12 * 21 * 6 * 2, found: 12 * 20 * 6 * 2)))
        {
            try dataset.pixels()
        }
        dataset.put(.numberOfFrames, integer: Int(Int32.max))
        #expect(throws: DICOMReadingError.self) { try dataset.pixels() }
    }

    @Test func compressedPixelsComeBackAsTheyWere() throws {
        let dataset = try SyntheticPatient.nm()
        try dataset.write(to: folder.file("plain.dcm"))
        let (rle, jpeg) = (folder.file("rle.dcm"), folder.file("jpeg.dcm"))
        #expect(try output(of: "/usr/bin/dcmcrle", [folder.file("plain.dcm"), rle]).status == 0)
        #expect(try output(of: "/usr/bin/dcmcjpeg", ["+e1", folder.file("plain.dcm"), jpeg]).status == 0)
        for path in [rle, jpeg] {
            #expect(try Dataset(contentsOf: path).pixels().values == dataset.pixels().values)
        }
    }
}

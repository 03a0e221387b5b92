/// One study of a synthetic patient: whom it shows, when, and the identifiers that follow from its seed.
public struct SyntheticStudy: Equatable, Sendable {
    public let patientName, patientID, patientBirthDate, patientSex: String
    public let patientKilograms: Double
    public let studyID, studyDescription: String
    public let startedAt: LocalTimestamp
    public let uids: UIDGenerator

    /// - Parameters:
    ///   - seed: makes the patient, who is the same in every study of one seed.
    ///   - name: tells the patient's studies apart; each has a frame of reference of its own.
    public init(seed: UInt64, name: String, description: String, startedAt: LocalTimestamp, kilograms: Double = 75) {
        patientName = "Phantom^Seed \(seed)"
        patientID = "SCINTIVOL-\(seed)"
        patientBirthDate = "19500101"
        patientSex = "M"
        patientKilograms = kilograms
        studyID = name.uppercased()
        studyDescription = description
        self.startedAt = startedAt
        uids = UIDGenerator(namespace: "scintivol phantom \(seed) \(name)")
    }

    public var studyInstanceUID: String { uids.uid("study") }
    public var frameOfReferenceUID: String { uids.uid("frame of reference") }

    public func seriesInstanceUID(_ series: String) -> String { uids.uid(series, "series") }

    /// What names an instance of a series, counted from 1.
    public func reference(_ sopClass: SOPClass, series: String, instance: Int) -> SourceReference {
        SourceReference(
            sopClassUID: sopClass.rawValue, sopInstanceUID: uids.uid(series, "instance", "\(instance)"),
            seriesInstanceUID: seriesInstanceUID(series), studyInstanceUID: studyInstanceUID)
    }

    /// The attributes of patient, study, series and instance.
    func putHeader(
        _ dataset: Dataset, _ sopClass: SOPClass, modality: String, series: String, number: Int, instance: Int,
        equipment: Equipment
    ) {
        let reference = reference(sopClass, series: series, instance: instance)
        dataset.put(.sopClassUID, sopClass.rawValue)
        dataset.put(.sopInstanceUID, reference.sopInstanceUID)
        dataset.put(.patientName, patientName)
        dataset.put(.patientID, patientID)
        dataset.put(.patientBirthDate, patientBirthDate)
        dataset.put(.patientSex, patientSex)
        dataset.put(.patientWeight, decimal: patientKilograms)
        dataset.put(.studyInstanceUID, reference.studyInstanceUID)
        dataset.put(.studyID, studyID)
        dataset.put(.studyDescription, studyDescription)
        dataset.putEmpty(.accessionNumber, .referringPhysicianName)
        dataset.put(.seriesInstanceUID, reference.seriesInstanceUID)
        dataset.put(.seriesNumber, integer: number)
        dataset.put(.modality, modality)
        dataset.put(.instanceNumber, integer: instance)
        for (date, time) in [(AttributeTag.studyDate, AttributeTag.studyTime), (.seriesDate, .seriesTime)] {
            dataset.put(date, startedAt.dicomDate)
            dataset.put(time, startedAt.dicomTime)
        }
        dataset.put(.manufacturer, equipment.manufacturer ?? "Scintivol phantom")
        dataset.put(.manufacturerModelName, equipment.model ?? "Phantom")
        dataset.put(.stationName, equipment.station ?? "PHANTOM")
    }

    /// What images of a patient have and RT objects have not; the acquisition's start is the study's.
    func putAcquisition(_ dataset: Dataset) {
        dataset.put(.bodyPartExamined, "WHOLEBODY")
        for (date, time) in [
            (AttributeTag.acquisitionDate, AttributeTag.acquisitionTime), (.contentDate, .contentTime),
        ] {
            dataset.put(date, startedAt.dicomDate)
            dataset.put(time, startedAt.dicomTime)
        }
    }

    func putFrameOfReference(_ dataset: Dataset) {
        dataset.put(.frameOfReferenceUID, frameOfReferenceUID)
        dataset.putEmpty(.positionReferenceIndicator)
    }

    /// Pixels of one sample each.
    static func putPixelFormat(_ dataset: Dataset, columns: Int, rows: Int, isSigned: Bool, bits: Int = 16) {
        dataset.put(.samplesPerPixel, integer: 1)
        dataset.put(.photometricInterpretation, "MONOCHROME2")
        dataset.put(.rows, integer: rows)
        dataset.put(.columns, integer: columns)
        dataset.put(.bitsAllocated, integer: bits)
        dataset.put(.bitsStored, integer: bits)
        dataset.put(.highBit, integer: bits - 1)
        dataset.put(.pixelRepresentation, integer: isSigned ? 1 : 0)
    }

    /// The patient lies supine and head first, in the codes that nuclear medicine and PET images use.
    static func putSupineHeadFirst(_ dataset: Dataset) {
        dataset.append(to: .patientOrientationCodeSequence) { item in
            item.put(.codeValue, CodedConcept.recumbent.value)
            item.put(.codingSchemeDesignator, CodedConcept.recumbent.scheme)
            item.put(.codeMeaning, CodedConcept.recumbent.meaning)
            item.put(.patientOrientationModifierCodeSequence, code: .supine)
        }
        dataset.put(.patientGantryRelationshipCodeSequence, code: .headFirst)
    }
}

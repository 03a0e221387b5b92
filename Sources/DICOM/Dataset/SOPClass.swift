/// The classes of instances that this module reads or writes.
///
/// - Source: DICOM PS3.4, B.5, Standard SOP Classes.
public enum SOPClass: String, Sendable, CaseIterable, Codable {
    case nuclearMedicine = "1.2.840.10008.5.1.4.1.1.20"
    case computedTomography = "1.2.840.10008.5.1.4.1.1.2"
    case positronEmission = "1.2.840.10008.5.1.4.1.1.128"
    case structureSet = "1.2.840.10008.5.1.4.1.1.481.3"
    case segmentation = "1.2.840.10008.5.1.4.1.1.66.4"
    case spatialRegistration = "1.2.840.10008.5.1.4.1.1.66.1"
    case radiopharmaceuticalDoseReport = "1.2.840.10008.5.1.4.1.1.88.68"
    case radiotherapyDose = "1.2.840.10008.5.1.4.1.1.481.2"
    case radiotherapyPlan = "1.2.840.10008.5.1.4.1.1.481.5"
    case enhancedStructuredReport = "1.2.840.10008.5.1.4.1.1.88.22"
    case encapsulatedPDF = "1.2.840.10008.5.1.4.1.1.104.1"
}

/// What was given to a patient, as the report of its administration says it.
///
/// - Source: DICOM PS3.16 TID 10021, Radiopharmaceutical Radiation Dose, and TID 10022, Radiopharmaceutical
///   Administration Event Data.
public struct AdministrationReport: Equatable, Sendable {
    /// As ``Radionuclide`` names it; nil for one that is named by a code that is not known here.
    public let radionuclide: String?
    public let administration: Administration
    public let source: SourceReference

    /// An administration longer ago than this, ten half-lives of lutetium, is that of another cycle.
    public static let ageLimitSeconds = 66.0 * 86_400
    /// Containers in containers; the template has two.
    private static let depthLimit = 8

    /// - Throws: ``DICOMReadingError``; ``MissingInput/administration`` when radionuclide, activity or start is not stated.
    public init(fileAt path: String) throws(DICOMReadingError) {
        let dataset = try Dataset(contentsOf: path)
        try dataset.require(.radiopharmaceuticalDoseReport)
        source = try SourceReference(dataset)
        var found = Content()
        try Self.read(dataset, into: &found, depth: 0)
        guard let activity = found.megabecquerels, activity > 0, let start = found.startedAt,
            !found.radionuclideCodes.isEmpty
        else {
            throw .needsInput(.administration)
        }
        let codes = found.radionuclideCodes
        radionuclide = CodedConcept.radionuclideCodes.first { !$0.value.isDisjoint(with: codes) }?.key
        administration = Administration(
            megabecquerels: activity, startedAt: start, secondsOfDay: start.secondsOfDay)
    }

    private struct Content {
        var radionuclideCodes: [String] = []
        var megabecquerels: Double?
        var startedAt: LocalTimestamp?
    }

    private static func read(_ item: Dataset, into found: inout Content, depth: Int) throws(DICOMReadingError) {
        guard depth < depthLimit else { return }
        for child in item.items(.contentSequence) {
            let concept = child.codes(.conceptNameCodeSequence).first
            switch concept {
            // Administered activity.
            case "113507":
                for value in child.items(.measuredValueSequence) {
                    guard let number = try value.decimal(.numericValue),
                        let scale = megabecquerels[value.codes(.measurementUnitsCodeSequence).first ?? ""]
                    else { continue }
                    found.megabecquerels = number * scale
                }
            // Radiopharmaceutical Start DateTime.
            case "123003": found.startedAt = child.text(.dateTime).flatMap { LocalTimestamp(dateTime: $0) }
            // Radionuclide, in SNOMED CT and SNOMED-RT.
            case "89457008", "C-10072":
                found.radionuclideCodes = child.codes(.conceptCodeSequence)
            default: try read(child, into: &found, depth: depth + 1)
            }
        }
    }

    /// - Source: UCUM.
    private static let megabecquerels: [String: Double] = ["MBq": 1, "kBq": 1e-3, "Bq": 1e-6, "GBq": 1e3, "mCi": 37]
}

/// Names one instance that a result was made from.
public struct SourceReference: Hashable, Sendable, Codable {
    public let sopClassUID, sopInstanceUID, seriesInstanceUID, studyInstanceUID: String

    public init(sopClassUID: String, sopInstanceUID: String, seriesInstanceUID: String, studyInstanceUID: String) {
        self.sopClassUID = sopClassUID
        self.sopInstanceUID = sopInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.studyInstanceUID = studyInstanceUID
    }

    /// - Throws: ``DICOMReadingError`` when one of the four UIDs is missing.
    public init(_ dataset: Dataset) throws(DICOMReadingError) {
        sopClassUID = try dataset.requiredText(.sopClassUID)
        sopInstanceUID = try dataset.requiredText(.sopInstanceUID)
        seriesInstanceUID = try dataset.requiredText(.seriesInstanceUID)
        studyInstanceUID = try dataset.requiredText(.studyInstanceUID)
    }
}

/// The device that made an image, as its file names it.
public struct Equipment: Hashable, Sendable, Codable {
    public let manufacturer, model, station: String?

    public init(manufacturer: String? = nil, model: String? = nil, station: String? = nil) {
        (self.manufacturer, self.model, self.station) = (manufacturer, model, station)
    }

    public init(_ dataset: Dataset) {
        manufacturer = dataset.text(.manufacturer)
        model = dataset.text(.manufacturerModelName)
        station = dataset.text(.stationName)
    }
}

extension Dataset {
    /// - Throws: ``DICOMReadingError`` with ``Refusal/sopClass(expected:)``.
    func require(_ sopClass: SOPClass) throws(DICOMReadingError) {
        guard text(.sopClassUID) == sopClass.rawValue else { throw .refused(.sopClass(expected: sopClass)) }
    }

    /// The first pair of date and time that the file holds.
    func timestamp(_ pairs: (date: AttributeTag, time: AttributeTag)...) -> LocalTimestamp? {
        for pair in pairs {
            if let date = text(pair.date), let time = text(pair.time),
                let stamp = LocalTimestamp(date: date, time: time)
            {
                return stamp
            }
        }
        return nil
    }
}

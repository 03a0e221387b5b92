/// Files grouped by the series that they belong to.
public struct SeriesInventory: Equatable, Sendable {
    public struct Series: Equatable, Sendable {
        public let studyInstanceUID, seriesInstanceUID: String
        public let modality: String
        /// Nil for a class that this module does not read.
        public let sopClass: SOPClass?
        public let frameOfReferenceUID: String?
        public let paths: [String]
    }

    /// In the order in which their first files came.
    public let series: [Series]
    /// Files that are no DICOM instances.
    public let unreadablePaths: [String]

    /// Opens every file once; pixel data stay on disk.
    public init(filesAt paths: [String]) {
        struct Key: Hashable {
            let study, series: String
            let sopClass: String?
        }
        var order: [Key] = []
        var members: [Key: (modality: String, frame: String?, paths: [String])] = [:]
        var unreadable: [String] = []
        for path in paths {
            do {
                let dataset = try Dataset(contentsOf: path)
                let key = Key(
                    study: try dataset.requiredText(.studyInstanceUID),
                    series: try dataset.requiredText(.seriesInstanceUID), sopClass: dataset.text(.sopClassUID))
                if members[key] == nil { order.append(key) }
                let modality = dataset.text(.modality) ?? ""
                members[key, default: (modality, dataset.text(.frameOfReferenceUID), [])].paths.append(path)
            } catch {
                unreadable.append(path)
            }
        }
        series = order.compactMap { key in
            members[key].map { member in
                Series(
                    studyInstanceUID: key.study, seriesInstanceUID: key.series, modality: member.modality,
                    sopClass: key.sopClass.flatMap { SOPClass(rawValue: $0) }, frameOfReferenceUID: member.frame,
                    paths: member.paths)
            }
        }
        unreadablePaths = unreadable
    }

    /// The series of a class.
    public func series(of sopClass: SOPClass) -> [Series] { series.filter { $0.sopClass == sopClass } }
}

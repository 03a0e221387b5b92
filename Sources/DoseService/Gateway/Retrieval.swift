import DICOM

/// Finds the PET/CT of a planar study's patient in an archive and has it sent. Its calls block.
struct Retrieval {
    /// What is fetched of the study that holds the PET.
    static let modalities: Set<String> = ["PT", "CT", "RTSTRUCT", "SEG", "REG", "SR"]
    /// Studies that are looked into, the latest first.
    static let studyLimit = 20

    /// Has objects of a selection sent; says how many came and did not.
    typealias Fetch = (ArchiveQuery, QueryIdentifier) throws(NetworkError) -> (sent: Int, failed: Int)

    let peer: StoragePeer
    let bring: Fetch
    let planar: ScannedObject

    private struct Study {
        let instance: String
        let date: String
    }

    /// Has the latest PET/CT before the planar scan sent.
    ///
    /// - Returns: a word for what came of it.
    func fetchAnatomy() throws(NetworkError) -> String {
        guard let identifier = planar.patientID, Self.isExact(identifier) else { return "identifier-unusable" }
        for study in try studies(identifier).prefix(Self.studyLimit) {
            let all = try series(of: study)
            // A planar study may hold a copy of an earlier result as PET images: it is no PET/CT.
            guard !all.contains(where: { $0.modality == "NM" }) else { continue }
            let series = all.filter { Self.modalities.contains($0.modality) }
            guard series.contains(where: { $0.modality == "PT" }) else { continue }
            return try fetch(series)
        }
        return "not-found"
    }

    func fetch(_ series: [CaseContent.Series]) throws(NetworkError) -> String {
        var patient = peer
        patient.responseDeadline = ArchiveSearch.moveDeadline
        var (sent, failed) = (0, 0)
        for series in series {
            var selection = QueryIdentifier()
            selection[.studyInstance] = series.study
            selection[.seriesInstance] = series.series
            do throws(NetworkError) {
                let outcome = try bring(ArchiveQuery(peer: patient), selection)
                (sent, failed) = (sent + outcome.sent, failed + outcome.failed)
            } catch .refused {
                // One series that the archive does not give does not keep the others from coming.
                failed += 1
            }
        }
        return sent == 0 ? "nothing-sent" : failed == 0 ? "sent" : "sent-in-part"
    }

    /// Studies of this patient with a PET image, the latest first, none later than the planar scan.
    private func studies(_ identifier: [UInt8]) throws(NetworkError) -> [Study] {
        var question = QueryIdentifier()
        if !planar.specificCharacterSet.isEmpty {
            question[.specificCharacterSet] = planar.specificCharacterSet.joined(separator: "\\")
        }
        question.set(.patientID, bytes: identifier)
        for key in [ElementNumber.studyInstance, .studyDate, .modalitiesInStudy, .issuerOfPatientID] {
            question.set(key)
        }
        let answers = try ArchiveQuery(peer: peer).find(.study, question)
        return answers.compactMap { answer -> Study? in
            // Archives match more loosely than is asked: only the very same patient will do.
            guard let found = answer.values[.patientID], Self.trimmed(found) == Self.trimmed(identifier),
                isSameIssuer(answer.values[.issuerOfPatientID]), let instance = answer[.studyInstance],
                instance != planar.studyInstance.description
            else { return nil }
            if let stated = answer[.modalitiesInStudy], !stated.split(separator: "\\").contains("PT") { return nil }
            let date = answer[.studyDate] ?? ""
            if let own = planar.studyDate, date > own { return nil }
            return Study(instance: instance, date: date)
        }.sorted { $0.date > $1.date }
    }

    /// An issuer that only one side names is no contradiction.
    private func isSameIssuer(_ found: [UInt8]?) -> Bool {
        guard let found, let own = planar.issuerOfPatientID, !Self.trimmed(found).isEmpty else { return true }
        return Self.trimmed(found) == Self.trimmed(own)
    }

    private func series(of study: Study) throws(NetworkError) -> [CaseContent.Series] {
        var question = QueryIdentifier()
        question[.studyInstance] = study.instance
        for key in [ElementNumber.seriesInstance, .modality, .seriesInstanceCount] { question.set(key) }
        return try ArchiveQuery(peer: peer).find(.series, question).compactMap { answer in
            guard let series = answer[.seriesInstance], let modality = answer[.modality] else { return nil }
            let count = answer[.seriesInstanceCount].flatMap { Int($0) } ?? 0
            return .init(study: study.instance, series: series, modality: modality, count: count)
        }
    }

    /// `*` and `?` match anything in a query, and `\` begins another value: an identifier with one of them would ask
    /// for others' studies.
    private static func isExact(_ identifier: [UInt8]) -> Bool {
        !identifier.isEmpty
            && !identifier.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "\\")].contains($0) }
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let padding: Set<UInt8> = [0, UInt8(ascii: " ")]
        let start = bytes.drop { padding.contains($0) }
        return Array(start.reversed().drop { padding.contains($0) }.reversed())
    }
}

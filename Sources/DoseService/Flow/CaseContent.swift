/// Which of a patient's instances make a case, and what is missing.
package struct CaseContent: Equatable {
    /// One instance as the index knows it.
    package struct Instance: Equatable {
        package let id: Int64
        package let modality: String
        package let series: String
        package let frameOfReference: String?
        package var study = ""
        /// Digests of what the instance says of its patient besides the identifier.
        package var birth: String?
        package var name: String?
        package var sex: String?
        /// Its file has been removed.
        package var isPurged = false

        package init(id: Int64, modality: String, series: String, frameOfReference: String?) {
            (self.id, self.modality, self.series) = (id, modality, series)
            self.frameOfReference = frameOfReference
        }
    }

    /// A series of the case, and how many of its instances are here.
    package struct Series: Equatable {
        package let study, series, modality: String
        package let count: Int
    }

    package let instances: [Int64]
    /// Equal when the same instances were chosen, with the same answers and for the same fate.
    package let key: String
    /// The same as if nothing kept the case from going on.
    package let plainKey: String
    /// What a reconstruction still needs: a stable code and the fields asked for.
    package let missing: (code: String, fields: [String])?

    package let series: [Series]

    /// Takes all planar instances, the latest PET series, the CT series of its frame of reference with most slices,
    /// the latest contours on it, and the reports of what was administered.
    ///
    /// When no CT shares the PET's frame of reference and somebody has registered something, the largest CT and all
    /// registrations are taken: whether they join the two shows when they are read.
    ///
    /// - Parameters:
    ///   - answers: what people have said of this case.
    ///   - counts: how many instances an archive says that a series has.
    package init(
        choosingFrom all: [Instance], answers: AnsweredFields = AnsweredFields(), counts: [String: Int] = [:]
    ) {
        let planar = all.filter { $0.modality == "NM" }
        let anatomy = Anatomy(choosingFrom: all)
        let (ct, pet) = (anatomy.ct, anatomy.pet)
        let chosen = planar + anatomy.instances + all.filter { $0.modality == "SR" }
        let found = Self.series(of: chosen)
        series = found
        instances = chosen.map(\.id).sorted()
        missing =
            if planar.isEmpty {
                ("nm-missing", ["nm"])
            } else if pet.isEmpty {
                ("pt-missing", all.contains { $0.modality == "CT" } ? ["pt"] : ["pt", "ct"])
            } else if ct.isEmpty {
                ("ct-missing", ["ct"])
            } else if Self.isOfTwo(chosen), !answers.consents(to: CaseAnswers.Consent.identity) {
                ("identity-conflict", [CaseAnswers.Consent.identity])
            } else if chosen.contains(where: \.isPurged) {
                ("sources-purged", Self.roles(chosen.filter(\.isPurged).map(\.modality)))
            } else if let cut = Self.incomplete(found, counts), !answers.consents(to: CaseAnswers.Consent.wholeSeries) {
                ("series-incomplete", Self.roles(cut) + [CaseAnswers.Consent.wholeSeries])
            } else {
                nil
            }
        // What keeps a case from going on is part of what it is: once it is mended the case is another.
        let hold = missing.map { ["sources-purged", "series-incomplete"].contains($0.code) ? $0.code : "" } ?? ""
        let text = instances.map(String.init).joined(separator: ",") + answers.key
        plainKey = Digest.hex(of: Array(text.utf8))
        key = hold.isEmpty ? plainKey : Digest.hex(of: Array((text + hold).utf8))
    }

    private struct Anatomy {
        let ct, pet: [Instance]
        let contours: Instance?
        let registrations: [Instance]

        init(choosingFrom all: [Instance]) {
            let pet = CaseContent.latestSeries(all.filter { $0.modality == "PT" })
            let frame = pet.first?.frameOfReference
            let registrations = all.filter { $0.modality == "REG" }
            let scans = all.filter { $0.modality == "CT" }
            let sharing = scans.filter { $0.frameOfReference == frame }
            let fitting = sharing.isEmpty && !registrations.isEmpty ? scans : sharing
            let ct =
                Dictionary(grouping: fitting, by: \.series).values.max {
                    ($0.count, $0.last?.id ?? 0) < ($1.count, $1.last?.id ?? 0)
                } ?? []
            let ctFrame = ct.first?.frameOfReference ?? frame
            contours = all.last {
                ["RTSTRUCT", "SEG"].contains($0.modality) && $0.frameOfReference ?? ctFrame == ctFrame
            }
            (self.ct, self.pet, self.registrations) = (ct, pet, registrations)
        }

        var instances: [Instance] { ct + pet + (contours.map { [$0] } ?? []) + registrations }
    }

    /// What a patient's own model is trained on: the anatomy that a case of these instances would take. Nil while it is not
    /// whole, or when it cannot be of one patient.
    static func trainable(
        among all: [Instance], counts: [String: Int]
    ) -> (instances: [Int64], key: String)? {
        let anatomy = Anatomy(choosingFrom: all)
        let chosen = anatomy.instances
        guard !anatomy.ct.isEmpty, !anatomy.pet.isEmpty, !isOfTwo(chosen), !chosen.contains(where: \.isPurged),
            incomplete(series(of: chosen), counts) == nil
        else { return nil }
        let ids = chosen.map(\.id).sorted()
        return (ids, Digest.hex(of: Array(ids.map(String.init).joined(separator: ",").utf8)))
    }

    private static func series(of chosen: [Instance]) -> [Series] {
        Dictionary(grouping: chosen, by: \.series).values.compactMap { members in
            members.first.map {
                Series(study: $0.study, series: $0.series, modality: $0.modality, count: members.count)
            }
        }.sorted { ($0.modality, $0.series) < ($1.modality, $1.series) }
    }

    /// Two instances with one identifier that cannot be of one patient: other birth dates or sexes, or other names
    /// where the birth date says nothing.
    private static func isOfTwo(_ chosen: [Instance]) -> Bool {
        let births = Set(chosen.compactMap(\.birth))
        if births.count > 1 || Set(chosen.compactMap(\.sex).filter { $0 != "O" }).count > 1 { return true }
        return chosen.contains { $0.birth == nil } && Set(chosen.compactMap(\.name)).count > 1
    }

    private static func incomplete(_ series: [Series], _ counts: [String: Int]) -> [String]? {
        let cut = series.filter { counts[$0.series, default: 0] > $0.count }.map(\.modality)
        return cut.isEmpty ? nil : cut
    }

    private static func roles(_ modalities: [String]) -> [String] { Set(modalities.map { $0.lowercased() }).sorted() }

    /// The case was put together from these very instances before their files were removed: nothing is new.
    func isUsed(since known: String?) -> Bool { missing?.code == "sources-purged" && plainKey == known }

    private static func latestSeries(_ instances: [Instance]) -> [Instance] {
        guard let latest = instances.last?.series else { return [] }
        return instances.filter { $0.series == latest }
    }

    package static func == (left: CaseContent, right: CaseContent) -> Bool { left.key == right.key }
}

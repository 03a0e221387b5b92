import DoseService
import Testing

/// Which instances make a case.
@Suite struct CaseContentTests {
    private static func instance(
        _ id: Int64, _ modality: String, series: String? = nil, frame: String? = "frame"
    ) -> CaseContent.Instance {
        CaseContent.Instance(
            id: id, modality: modality, series: series ?? modality,
            frameOfReference: modality == "NM" ? "planar" : frame)
    }

    @Test(arguments: [
        ([], "nm-missing", ["nm"]), (["CT", "PT", "RTSTRUCT"], "nm-missing", ["nm"]),
        (["NM"], "pt-missing", ["pt", "ct"]), (["NM", "CT"], "pt-missing", ["pt"]),
        (["NM", "PT"], "ct-missing", ["ct"]), (["NM", "PT", "RTSTRUCT"], "ct-missing", ["ct"]),
    ])
    func saysWhatIsMissing(modalities: [String], code: String, fields: [String]) {
        let all = modalities.enumerated().map { Self.instance(Int64($0.offset), $0.element) }
        let content = CaseContent(choosingFrom: all)
        #expect(content.missing?.code == code && content.missing?.fields == fields)
    }

    @Test(arguments: [["NM", "CT", "PT"], ["RTSTRUCT", "PT", "CT", "NM"], ["NM", "SEG", "CT", "PT"]])
    func isCompleteInAnyOrderAndWithoutContours(modalities: [String]) {
        let all = modalities.enumerated().map { Self.instance(Int64($0.offset), $0.element) }
        let content = CaseContent(choosingFrom: all)
        #expect(content.missing == nil)
        #expect(content.instances == all.map(\.id))
    }

    @Test func takesTheLatestPETAndTheLargestCTOfItsFrame() {
        let all = [
            Self.instance(1, "NM"), Self.instance(2, "PT", series: "early"), Self.instance(3, "CT", series: "scout"),
            Self.instance(4, "CT", series: "body"), Self.instance(5, "CT", series: "body"),
            Self.instance(6, "CT", series: "elsewhere", frame: "other"),
            Self.instance(7, "CT", series: "elsewhere", frame: "other"),
            Self.instance(8, "CT", series: "elsewhere", frame: "other"), Self.instance(9, "PT", series: "late"),
            Self.instance(10, "PT", series: "late"),
        ]
        let content = CaseContent(choosingFrom: all)
        #expect(content.instances == [1, 4, 5, 9, 10] && content.missing == nil)
    }

    @Test func takesTheLaterOfTwoEqualCTSeries() {
        let all = [
            Self.instance(1, "NM"), Self.instance(2, "PT"), Self.instance(3, "CT", series: "first"),
            Self.instance(4, "CT", series: "second"),
        ]
        #expect(CaseContent(choosingFrom: all).instances == [1, 2, 4])
    }

    @Test func takesTheLatestContoursOfTheFrame() {
        let body = [Self.instance(1, "NM"), Self.instance(2, "PT"), Self.instance(3, "CT")]
        let contours = [
            Self.instance(4, "RTSTRUCT", series: "a"), Self.instance(5, "RTSTRUCT", series: "b"),
            Self.instance(6, "RTSTRUCT", series: "c", frame: "other"),
        ]
        #expect(CaseContent(choosingFrom: body + contours).instances == [1, 2, 3, 5])
        let unframed = Self.instance(7, "RTSTRUCT", series: "d", frame: nil)
        #expect(CaseContent(choosingFrom: body + contours + [unframed]).instances == [1, 2, 3, 7])
    }

    @Test func aCTOfAnotherFrameIsNone() {
        let all = [Self.instance(1, "NM"), Self.instance(2, "PT"), Self.instance(3, "CT", frame: "other")]
        #expect(CaseContent(choosingFrom: all).missing?.code == "ct-missing")
    }

    @Test func theKeyChangesWithTheInstancesAlone() {
        let all = [Self.instance(1, "NM"), Self.instance(2, "PT"), Self.instance(3, "CT")]
        let content = CaseContent(choosingFrom: all)
        #expect(CaseContent(choosingFrom: [all[2], all[0], all[1]]) == content)
        #expect(CaseContent(choosingFrom: all + [Self.instance(4, "CT")]).key != content.key)
        // What is not chosen makes no revision.
        #expect(CaseContent(choosingFrom: all + [Self.instance(4, "CT", frame: "other")]) == content)
        // 1,23 is not 12,3.
        let joined = CaseContent(choosingFrom: [Self.instance(1, "NM"), Self.instance(23, "NM")])
        #expect(joined != CaseContent(choosingFrom: [Self.instance(12, "NM"), Self.instance(3, "NM")]))
    }
}

/// What keeps a complete case from going on.
@Suite struct CaseHoldTests {
    private static func complete(_ change: (inout CaseContent.Instance) -> Void = { _ in }) -> [CaseContent.Instance] {
        ["NM", "PT", "CT"].enumerated().map { index, modality in
            var instance = CaseContent.Instance(
                id: Int64(index + 1), modality: modality, series: modality,
                frameOfReference: modality == "NM" ? "planar" : "frame")
            (instance.study, instance.birth, instance.name, instance.sex) = ("study \(modality)", "b", "n", "F")
            change(&instance)
            return instance
        }
    }

    private static func ct(_ change: @escaping (inout CaseContent.Instance) -> Void) -> [CaseContent.Instance] {
        complete { if $0.modality == "CT" { change(&$0) } }
    }

    @Test func oneIdentityGoesOn() {
        #expect(CaseContent(choosingFrom: Self.complete()).missing == nil)
        // Somebody married, or a device leaves the sex out or writes `O`.
        #expect(CaseContent(choosingFrom: Self.ct { $0.name = "other" }).missing == nil)
        #expect(CaseContent(choosingFrom: Self.ct { $0.sex = nil }).missing == nil)
        #expect(CaseContent(choosingFrom: Self.ct { $0.sex = "O" }).missing == nil)
        #expect(CaseContent(choosingFrom: Self.ct { $0.birth = nil }).missing == nil)
    }

    @Test func twoPatientsUnderOneIdentifierWaitForAPerson() {
        let conflicts = [
            Self.ct { $0.birth = "other" }, Self.ct { $0.sex = "M" },
            Self.ct {
                $0.birth = nil
                $0.name = "other"
            },
        ]
        for instances in conflicts {
            let content = CaseContent(choosingFrom: instances)
            #expect(content.missing?.code == "identity-conflict" && content.missing?.fields == ["identity.confirmed"])
            let confirmed = AnsweredFields(["identity.confirmed": .bool(true)])
            let answered = CaseContent(choosingFrom: instances, answers: confirmed)
            #expect(answered.missing == nil && answered.key != content.key)
        }
        // What is not chosen is nobody's conflict.
        var stranger = CaseContent.Instance(id: 9, modality: "CT", series: "other", frameOfReference: "elsewhere")
        stranger.birth = "other"
        #expect(CaseContent(choosingFrom: Self.complete() + [stranger]).missing == nil)
    }

    @Test func aSeriesOfWhichTheArchiveHasMoreWaits() {
        let instances = Self.complete()
        let cut = CaseContent(choosingFrom: instances, counts: ["CT": 2, "PT": 1, "NM": 0])
        #expect(cut.missing?.code == "series-incomplete" && cut.missing?.fields == ["ct", "series.whole"])
        let whole = CaseContent(choosingFrom: instances, counts: ["CT": 1])
        #expect(whole.missing == nil && whole.key != cut.key)
        let forced = AnsweredFields(["series.whole": .bool(true)])
        #expect(CaseContent(choosingFrom: instances, answers: forced, counts: ["CT": 2]).missing == nil)
    }

    @Test func whatWasPurgedIsAskedForAgain() {
        let content = CaseContent(choosingFrom: Self.ct { $0.isPurged = true })
        #expect(content.missing?.code == "sources-purged" && content.missing?.fields == ["ct"])
        #expect(content.key != CaseContent(choosingFrom: Self.complete()).key)
    }
}

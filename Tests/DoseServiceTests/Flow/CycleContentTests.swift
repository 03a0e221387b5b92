import DICOM
import DoseService
import Testing

/// Which planar studies follow one administration.
@Suite struct CycleContentTests {
    private static let given = LocalTimestamp(year: 2024, month: 3, day: 25, secondsOfDay: 36_000)

    private static func point(
        _ result: Int64, hours: Double, given: LocalTimestamp? = given, megabecquerel: Double? = 7400,
        radionuclide: String = "177Lu", calibrated: Bool = true
    ) -> CycleContent.Point {
        CycleContent.Point(
            result: result,
            acquisition: .init(
                radionuclide: radionuclide, acquiredAt: Self.given.advanced(bySeconds: hours * 3600),
                administeredAt: given, administeredMegabecquerel: megabecquerel), isCalibrated: calibrated)
    }

    private static func cycle(
        _ id: Int64?, given: LocalTimestamp?, megabecquerel: Double? = nil, isStated: Bool = false
    ) -> CycleContent.Cycle {
        .init(
            id: id, radionuclide: "177Lu", administeredAt: given, megabecquerel: megabecquerel, isStated: isStated)
    }

    @Test func imagesOfOneAdministrationBelongTogetherInTheOrderOfTheirTimes() {
        let later = Self.given.advanced(bySeconds: 42 * 86_400)
        let almost = Self.given.advanced(bySeconds: 3600)
        let found = CycleContent.cycles(
            of: [
                Self.point(3, hours: 72, given: almost), Self.point(1, hours: 24),
                Self.point(5, hours: 42 * 24 + 24, given: later), Self.point(7, hours: 24, radionuclide: "131I"),
            ], known: [Self.cycle(9, given: Self.given)])
        #expect(found.map { $0.points.map(\.result) } == [[1, 3], [7], [5]])
        #expect(found.map(\.id) == [9, nil, nil])
        #expect(found.allSatisfy { $0.missing == nil && $0.administeredMegabecquerel == 7400 })
    }

    @Test func nothingOfAnAdministrationIsGuessed() {
        let silent = CycleContent.cycles(of: [Self.point(1, hours: 24, given: nil)], known: [])
        #expect(silent.count == 1 && silent[0].administeredAt == nil)
        #expect(silent[0].missing?.code == "administration-missing")
        #expect(silent[0].missing?.fields == ["administered_at"])
        let unweighed = CycleContent.cycles(of: [Self.point(1, hours: 24, megabecquerel: nil)], known: [])
        #expect(unweighed[0].missing?.fields == ["administered_mbq"])
        let disputed = CycleContent.cycles(
            of: [Self.point(1, hours: 24), Self.point(2, hours: 72, megabecquerel: 7600)], known: [])
        #expect(disputed[0].missing?.code == "administration-ambiguous")
        let rounded = CycleContent.cycles(
            of: [Self.point(1, hours: 24), Self.point(2, hours: 72, megabecquerel: 7440)], known: [])
        #expect(rounded[0].missing == nil && rounded[0].administeredMegabecquerel == 7400)
        let relative = CycleContent.cycles(of: [Self.point(1, hours: 24, calibrated: false)], known: [])
        #expect(relative[0].missing?.code == "activity-uncalibrated")
    }

    /// Images that say nothing follow an administration that a person has stated, and only for three weeks.
    @Test func aStatedAdministrationTakesSilentImages() {
        let stated = Self.cycle(4, given: Self.given, megabecquerel: 7000, isStated: true)
        let silent = Self.point(1, hours: 24, given: nil, megabecquerel: nil)
        let found = CycleContent.cycles(of: [silent], known: [stated])
        #expect(found.map(\.id) == [4] && found[0].missing == nil && found[0].administeredMegabecquerel == 7000)
        for hours in [-1.0, 528] {
            let away = Self.point(2, hours: hours, given: nil)
            #expect(CycleContent.cycles(of: [away], known: [stated]).map(\.id) == [nil], "\(hours)")
        }
        #expect(CycleContent.cycles(of: [silent], known: [Self.cycle(4, given: Self.given)]).map(\.id) == [nil])
    }

    @Test func theKeyFollowsWhatADoseIsComputedFrom() {
        func key(_ points: [CycleContent.Point], earlier: [Int64] = []) -> String {
            CycleContent.cycles(of: points, known: [])[0].key(earlier: earlier)
        }
        let one = key([Self.point(1, hours: 24)])
        #expect(one == key([Self.point(1, hours: 24), Self.point(2, hours: 72, calibrated: false)]))
        #expect(one != key([Self.point(2, hours: 24)]) && one != key([Self.point(1, hours: 24)], earlier: [3]))
        #expect(one != key([Self.point(1, hours: 24, megabecquerel: 7000)]))
        let cycle = CycleContent.cycles(of: [Self.point(1, hours: 24)], known: [])[0]
        let anchored = cycle.key(earlier: [], tomographies: [3])
        #expect(anchored != one && anchored != cycle.key(earlier: [3]))
    }
}

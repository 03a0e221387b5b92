import Jobs
import Testing

@Suite struct FailpointTests {
    @Test func doesWhatIsPlannedAtThatVisit() throws {
        let plan = try #require(FailpointPlan("after-claim=kill@2,mid-run=pause:250,finish-commit-sent=stop"))
        #expect(plan.visit(.afterClaim) == nil)
        #expect(plan.visit(.afterClaim) == .kill)
        #expect(plan.visit(.afterClaim) == nil)
        #expect(plan.visit(.midRun) == .pause(milliseconds: 250))
        #expect(plan.visit(.finishCommitSent) == .stop)
        #expect(plan.visit(.beforeClaimCommits) == nil)
    }

    @Test(arguments: [
        "", "nowhere=kill", "after-claim", "after-claim=", "after-claim=kill@0", "after-claim=kill@x", "mid-run=pause",
        "mid-run=pause:-1", "mid-run=explode", "after-claim=kill,", "after-claim=kill@1@2", "mid-run=pause:1:2",
    ])
    func refusesWhatItDoesNotUnderstand(text: String) {
        #expect(FailpointPlan(text) == nil)
    }

    /// Every place has its name in the environment.
    @Test(arguments: Failpoint.allCases)
    func everyPlaceCanBeNamed(place: Failpoint) {
        #expect(FailpointPlan("\(place.rawValue)=stop")?.visit(place) == .stop)
    }

    @Test func waitsDoubleAndAreSpread() {
        var timing = JobTiming()
        timing.firstRetryWait = .seconds(10)
        timing.longestRetryWait = .seconds(60)
        #expect((1...4).map { timing.retryWait(afterAttempt: $0, chance: 1) } == [10, 20, 40, 60].map { .seconds($0) })
        #expect(timing.retryWait(afterAttempt: 2, chance: 0) == .seconds(10))
        #expect(timing.retryWait(afterAttempt: 2, chance: 0.5) == .seconds(15))
        #expect(timing.retryWait(afterAttempt: 200, chance: 7) == .seconds(60))
    }
}

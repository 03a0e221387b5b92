import Reconstruction
import Testing

/// Arms that lie beside the body in the planar scan and were raised in the CT.
@Suite(.serialized) struct BodyShadowTests {
    private func outcome(_ seed: UInt64, _ change: (inout SyntheticPatient.Recipe) -> Void) throws
        -> EvaluationCase.Outcome
    {
        var recipe = SyntheticPatient.Recipe(seed: seed)
        recipe.resolution = .swift
        change(&recipe)
        let method = try #require(EvaluationMethod(name: "stage0"))
        return try EvaluationCase(recipe).outcome(of: method) { work in
            try work()
            return 0
        }
    }

    /// Taken for scatter, the arms would make every organ a fifth to a third too low.
    @Test(arguments: [22, 24] as [UInt64])
    func armsThatNoCTShowsTakeNothingFromTheOrgans(seed: UInt64) throws {
        let found = try outcome(seed) { $0.population = .varied }
        let estimate = try #require(found.estimate)
        #expect(estimate.findings.contains("activity-beside-the-body"))
        for (name, error) in found.score.organErrorPercent where EvaluationCase.scoredOrgans.contains(name) {
            #expect(abs(error) < 12, "\(name): \(error) %")
        }
        // Counts that nothing explains do not count as badly explained.
        for view in estimate.views { #expect(view.chiSquare < 1.3) }
        let beside = try #require(estimate.views.first)
        #expect(beside.countsMeasured < 0.98 * beside.measured.reduce(0) { $0 + Double($1) })
    }

    @Test func nothingBesideTheBodyIsNothingSaid() throws {
        let estimate = try #require(try outcome(13) { _ in }.estimate)
        #expect(!estimate.findings.contains("activity-beside-the-body"))
        for view in estimate.views {
            #expect(view.countsMeasured == view.measured.reduce(0) { $0 + Double($1) })
        }
    }
}

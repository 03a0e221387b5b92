import Imaging
import Reconstruction
import Testing

/// What the last parts of Stage 0 are for, on a patient who has moved, takes up unevenly, and has lesions that nothing showed.
@Suite(.serialized) struct IngredientTests {
    private static let patient = Result { try EvaluationCase(.evaluated(seed: 1001, suite: .hard)) }

    private func outcome(_ name: String) throws -> EvaluationCase.Outcome {
        try Self.patient.get().outcome(of: try #require(EvaluationMethod(name: name))) { work in
            try work()
            return 0
        }
    }

    @Test func activityThatNothingShowedIsFoundWhereItIs() throws {
        let patient = try Self.patient.get().patient
        let found = try outcome("stage0")
        let without = try outcome("stage0-without-foci")
        let unexplained = try #require(found.estimate).unexplained
        #expect(try #require(without.estimate).unexplained.isEmpty)
        let hottest = try #require(
            patient.lesions.filter { $0.kind == .unseen }.max { $0.megabecquerel < $1.megabecquerel })
        let near = unexplained.filter { focus in
            let way = focus.position - hottest.centreMillimetres
            return (way.x * way.x + way.z * way.z).squareRoot() < 20
        }
        let focus = try #require(near.max { $0.activity < $1.activity })
        #expect(focus.activity > 0.4 * hottest.megabecquerel && focus.activity < 2.5 * hottest.megabecquerel)
        // Its depth is what two views tell least of, and the deviation says so.
        let depth = abs(focus.position.y - hottest.centreMillimetres.y)
        #expect(depth < 4 * focus.depthDeviation + 15, "\(depth) of \(focus.depthDeviation)")
        let recovery = (
            try #require(found.score.unseenLesionRecovery), try #require(without.score.unseenLesionRecovery)
        )
        #expect(recovery.0 > 1.5 * recovery.1, "\(recovery)")
        #expect(found.score.map.relativeMAE < without.score.map.relativeMAE)
    }

    @Test func voxelsMoveAsFarAsTheCountsAskForIt() throws {
        let (even, uneven) = (try outcome("stage0-without-heterogeneity"), try outcome("stage0"))
        #expect(try #require(uneven.score.deviance) < #require(even.score.deviance))
        #expect(uneven.score.map.relativeMAE < even.score.map.relativeMAE)
        #expect(uneven.score.map.similarity.organs.max > even.score.map.similarity.organs.max)
        #expect(uneven.map.voxels.allSatisfy { $0 >= 0 && $0.isFinite })
        // Organs keep what the fit of the regions found in them: the step moves activity about, it does not make any.
        let sums = [even, uneven].map { $0.map.voxels.reduce(0) { $0 + Double($1) } }
        #expect(abs(sums[1] / sums[0] - 1) < 0.05)
    }

    @Test func convergenceIsReported() throws {
        let estimate = try #require(try outcome("stage0").estimate)
        #expect(estimate.hasConverged && estimate.iterations > 1)
        #expect(estimate.convergenceDecrement >= 0 && estimate.convergenceDecrement < 2)
        for organ in estimate.organs { #expect((0...1).contains(organ.dataShare) && organ.deviationPercent > 0) }
    }
}

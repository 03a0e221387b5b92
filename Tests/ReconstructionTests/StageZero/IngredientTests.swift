import Imaging
import Reconstruction
import Testing

/// What the last parts of Stage 0 are for, on a patient who has moved, takes up unevenly, and has lesions that nothing showed.
@Suite(.serialized) struct IngredientTests {
    private static let patient = Result { try EvaluationCase(.evaluated(seed: 1020, suite: .hard)) }
    private static let whole = Result { try made("stage0") }

    private func outcome(_ name: String) throws -> EvaluationCase.Outcome {
        name == "stage0" ? try Self.whole.get() : try Self.made(name)
    }

    private static func made(_ name: String) throws -> EvaluationCase.Outcome {
        try patient.get().outcome(of: try #require(EvaluationMethod(name: name))) { work in
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
        // The one that is found best; its depth is what two views tell least of, and the deviation says so.
        let pairs = unexplained.flatMap { focus in
            patient.lesions.filter { $0.kind == .unseen }.map { lesion in
                let way = focus.position - lesion.centreMillimetres
                return (
                    distance: (way.x * way.x + way.z * way.z).squareRoot(), depth: abs(way.y), focus: focus,
                    part: focus.activity / lesion.megabecquerel
                )
            }
        }
        let best = try #require(pairs.min { $0.distance < $1.distance })
        #expect(best.distance < 12 && (0.3...3).contains(best.part), "\(best)")
        #expect(best.depth < 4 * best.focus.depthDeviation + 15, "\(best)")
        let recovery = (
            try #require(found.score.unseenLesionRecovery), try #require(without.score.unseenLesionRecovery)
        )
        #expect(recovery.0 > 1.5 * recovery.1, "\(recovery)")
        // What is found there is taken from nowhere else.
        #expect(found.score.map.relativeMAE < 1.01 * without.score.map.relativeMAE)
    }

    /// Two lesions of the spine, whose depth the view from the front hardly tells; the counts alone put one 39 mm too far to
    /// the front and the other into the skin of the back.
    @Test func whereViewsHardlyTellTheDepthItIsABones() throws {
        let spine = try EvaluationCase(.evaluated(seed: 1004, suite: .hard))
        let outcome = try spine.outcome(of: try #require(EvaluationMethod(name: "stage0"))) { work in
            try work()
            return 0
        }
        let unexplained = try #require(outcome.estimate).unexplained
        let lesions = spine.patient.lesions.filter { $0.kind == .unseen && $0.millilitres >= 5 }
        #expect(lesions.count == 3)
        var deviations: [Double] = []
        for lesion in lesions {
            func distance(_ focus: ActivityEstimate.UnexplainedActivity) -> Double {
                let way = focus.position - lesion.centreMillimetres
                return (way * way).sum().squareRoot()
            }
            let nearest = try #require(unexplained.min { distance($0) < distance($1) })
            #expect(distance(nearest) < 15, "\(lesion)")
            deviations.append(nearest.depthDeviation)
        }
        // That they lie in the bone is likely and not known: the deviation that is told is not the bone's own.
        #expect(deviations.contains { $0 > 8 }, "\(deviations)")
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

    /// The counts tell that nothing is uneven and nothing has moved: what moved as if it had would be moved by noise.
    @Test func whatIsEvenAndLiesStillStaysSo() throws {
        let narrow = try EvaluationCase(.evaluated(seed: 1003, suite: .narrow))
        let names = ["stage0", "stage0-without-adaptation", "stage0-without-heterogeneity", "true-levels"]
        let outcomes = try names.map { name in
            try narrow.outcome(of: try #require(EvaluationMethod(name: name))) { work in
                try work()
                return 0
            }
        }
        let errors = outcomes.map(\.score.map.relativeMAE)
        #expect(errors[0] < 0.7 * errors[1] && errors[0] < 1.05 * errors[2], "\(errors)")
        // Borders that pass through voxels are no error that nobody could avoid.
        #expect(errors[3] < 0.05, "\(errors)")
        let shifts = try outcomes.prefix(2).map { outcome in
            try #require(outcome.estimate).organs.map { ($0.shift * $0.shift).sum().squareRoot() }.reduce(0, +)
        }
        #expect(shifts[0] < 0.5 * shifts[1], "\(shifts)")
    }

    @Test func convergenceIsReported() throws {
        let estimate = try #require(try outcome("stage0").estimate)
        #expect(estimate.hasConverged && estimate.iterations > 1)
        #expect(estimate.convergenceDecrement >= 0 && estimate.convergenceDecrement < 2)
        for organ in estimate.organs { #expect((0...1).contains(organ.dataShare) && organ.deviationPercent > 0) }
    }
}

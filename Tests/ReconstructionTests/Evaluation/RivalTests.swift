import Anatomy
import Imaging
import Reconstruction
import Testing

/// What the rival methods must do on patients in whom it is known.
@Suite(.serialized) struct RivalTests {
    /// PET and therapy alike, nothing has moved: a scaled PET is the truth but for its blur and noise.
    private static func unchanged(spacing: Double = PatientAnatomy.usualSpacing) throws -> EvaluationCase {
        var recipe = SyntheticPatient.Recipe(seed: 3)
        (recipe.motion, recipe.unevenness, recipe.cortexToMedulla) = (0, 0, 1...1)
        (recipe.levelSpread, recipe.lesionLevelSpread) = (0, 0)
        recipe.resolution = .swift
        return try EvaluationCase(recipe, spacing: spacing)
    }

    private func score(_ method: String, _ patient: EvaluationCase) throws -> EvaluationCase.Score {
        let known = try #require(EvaluationMethod(name: method))
        return try patient.outcome(of: known) { work in
            try work()
            return 1.5
        }.score
    }

    @Test func eachIsAsGoodAsItsAssumptions() throws {
        let patient = try Self.unchanged()
        let template = try score("template", patient)
        let scales = try score("organ-scales", patient)
        let likelihood = try score("mlem", patient)
        let conjugate = try score("conjugate-view", patient)

        #expect(template.seconds == 1.5)
        #expect(template.map.relativeMAE < 0.35)
        // With the PET right, a fit of levels has nothing to gain but the blur; views alone never reach either.
        #expect(scales.map.relativeMAE < 0.35)
        for views in [likelihood, conjugate] {
            #expect(views.map.relativeMAE > 2 * template.map.relativeMAE)
            #expect(views.map.relativeMAE < 1.2)
        }
        for name in ["liver", "kidney_left", "kidney_right"] {
            #expect(abs(try #require(scales.organErrorPercent[name])) < 10, "organ scales, \(name)")
            #expect(abs(try #require(conjugate.organErrorPercent[name])) < 80, "conjugate view, \(name)")
        }
        // Only a method with deviations has intervals.
        #expect(template.within68.isEmpty && conjugate.within95.isEmpty)
        #expect(Set(scales.within68.keys) == Set(EvaluationCase.scoredOrgans))
        // Its images have to explain the counts.
        #expect(try #require(scales.deviance) < 2)
    }

    /// What larger voxels of a reconstruction cost is not hidden by a truth on the same voxels.
    @Test func scoresAreOnVoxelsOfTheUsualSize() throws {
        var recipe = SyntheticPatient.Recipe(seed: 3)
        recipe.resolution = .swift
        let (usual, coarse) = try (EvaluationCase(recipe), EvaluationCase(recipe, spacing: 10))
        let template = try #require(EvaluationMethod(name: "template"))
        let outcome = try coarse.outcome(of: template) { work in
            try work()
            return 0
        }
        #expect(
            outcome.map.grid == coarse.anatomy.grid && outcome.map.grid.spacing.x > 1.5 * usual.truth.grid.spacing.x)
        let body = usual.anatomy.body
        let asked = try MapScores(
            outcome.map.resampled(to: usual.truth.grid), truth: usual.truth, body: body, organs: body)
        #expect(outcome.score.map.relativeMAE == asked.relativeMAE)
        let onItsOwn = try MapScores(
            outcome.map, truth: coarse.truth, body: coarse.anatomy.body, organs: coarse.anatomy.body)
        #expect(outcome.score.map.relativeMAE > onItsOwn.relativeMAE)
    }

    /// On voxels other than the pixels as well.
    @Test(arguments: [PatientAnatomy.usualSpacing, 7])
    func theMapOfEachHoldsAboutTheActivityOfThePatient(spacing: Double) throws {
        let patient = try Self.unchanged(spacing: spacing)
        let whole = patient.truth.voxels.reduce(0) { $0 + Double($1) }
        for method in ["template", "mlem", "conjugate-view"] {
            let known = try #require(EvaluationMethod(name: method))
            let map = try patient.outcome(of: known) { work in
                try work()
                return 0
            }.map
            let found = map.voxels.reduce(0) { $0 + Double($1) }
            #expect(abs(found / whole - 1) < 0.25, "\(method): \(found / whole)")
        }
    }
}

/// What nobody gets to know must be nearer to the truth than what everybody may.
@Suite(.serialized) struct OracleTests {
    @Test func knowingMoreIsNeverWorse() throws {
        let patient = try EvaluationCase(.evaluated(seed: 1021, suite: .hard))
        func error(_ method: String) throws -> Double {
            let known = try #require(EvaluationMethod(name: method))
            return try patient.outcome(of: known) { work in
                try work()
                return 0
            }.score.map.relativeMAE
        }
        let (levels, counts) = (try error("true-levels"), try error("true-levels-and-counts"))
        #expect(counts < 0.9 * levels)
        let (stage0, places) = (try error("stage0"), try error("true-places"))
        #expect(counts < stage0)
        #expect(places < stage0 && places > counts, "\(places) of \(stage0)")
        #expect(try levels < error("organ-scales"))
    }
}

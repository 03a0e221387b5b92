import Imaging
import Reconstruction
import Testing
import Tomography

/// Scans with both photopeaks, and scans at rates at which a camera misses photons.
@Suite(.serialized) struct PhotopeakTests {
    private static func recipe() -> SyntheticPatient.Recipe {
        var recipe = SyntheticPatient.Recipe(seed: 4)
        recipe.resolution = .swift
        return recipe
    }

    private static func largestError(_ estimate: ActivityEstimate, _ patient: SyntheticPatient) throws -> Double {
        try ["kidney_left", "kidney_right", "liver"].map { name in
            let truth = try #require(patient.organActivities.first { $0.name == name }).megabecquerel
            let organ = try #require(estimate.organs.first { $0.name == name })
            return abs(organ.activity / truth - 1)
        }.max() ?? 1
    }

    @Test func bothPhotopeaksAreFittedTogether() throws {
        var recipe = Self.recipe()
        recipe.secondPhotopeak = true
        let patient = try SyntheticPatient(recipe)
        #expect(patient.views.count == 12)
        let anatomy = try patient.anatomy(spacing: 6.4)
        let stage = StageZero(anatomy: anatomy, site: recipe.site)
        let scan = try stage.prepare(patient.views)
        let both = try stage.reconstruct(scan)
        #expect(both.views.map { Int($0.energy) } == [208, 208, 112, 112])
        #expect(both.findings.contains("two-photopeaks"))
        for view in both.views { #expect(view.chiSquare < 2, "\(view.direction) \(view.energy)") }
        #expect(try Self.largestError(both, patient) < 0.1)
        // A network changes the map of one photopeak; the other's views, and what is checked of them, stay.
        #expect(TinyStudy.configured)
        let refined = try NetworkStudy(stage, scan, known: both).estimate(TinyStudy.stageOne(), seed: 1).estimate
        #expect(refined.views.map { Int($0.energy) } == [208, 208, 112, 112])
        #expect(refined.views.suffix(2).map(\.chiSquare) == both.views.suffix(2).map(\.chiSquare))

        var options = StageZero.Options()
        options.secondPhotopeak = false
        let one = try StageZero(anatomy: anatomy, site: recipe.site, options: options).reconstruct(patient.views)
        #expect(one.views.count == 2)
        #expect(!one.findings.contains("two-photopeaks"))
        // What the organs hold is known better from twice as many counts at two attenuations.
        let deviation = { (estimate: ActivityEstimate) in
            estimate.organs.filter { $0.kind == .organ }.reduce(0) { $0 + $1.deviationPercent }
        }
        #expect(deviation(both) < deviation(one))
    }

    @Test func photonsThatABusyCameraMissesAreCounted() throws {
        var recipe = Self.recipe()
        // A tenth of the photons at the rate of this patient.
        recipe.site.deadTimeMicroseconds = 60
        let patient = try SyntheticPatient(recipe)
        let anatomy = try patient.anatomy(spacing: 6.4)
        let corrected = try StageZero(anatomy: anatomy, site: recipe.site).reconstruct(patient.views)
        #expect(try Self.largestError(corrected, patient) < 0.1)
        var unaware = recipe.site
        unaware.deadTimeMicroseconds = nil
        let uncorrected = try StageZero(anatomy: anatomy, site: unaware).reconstruct(patient.views)
        #expect(uncorrected.totalActivity < 0.97 * corrected.totalActivity)
    }
}

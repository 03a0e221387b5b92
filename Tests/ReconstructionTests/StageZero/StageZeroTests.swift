import Anatomy
import Imaging
import Reconstruction
import Testing

@Suite(.serialized) struct StageZeroTests {
    @Test(arguments: [UInt64(1), 4])
    func findsWhatLargeOrgansHold(seed: UInt64) throws {
        let patient = try SyntheticPatient(.init(seed: seed))
        let stage = StageZero(anatomy: try patient.anatomy(), site: patient.recipe.site)
        let estimate = try stage.reconstruct(patient.views)

        #expect(estimate.hasConverged)
        #expect(estimate.isCalibrated)
        // The camera's origin is found to within the organs' own motion.
        #expect(abs(estimate.offset.x - patient.planarOffset.x) < 3)
        #expect(abs(estimate.offset.y - patient.planarOffset.y) < 8)
        for name in ["kidney_left", "kidney_right", "liver", "spleen"] {
            let truth = try #require(patient.organActivities.first { $0.name == name }).megabecquerel
            let organ = try #require(estimate.organs.first { $0.name == name })
            #expect(abs(organ.activity / truth - 1) < 0.1, "\(name)")
            #expect(organ.dataShare > 0.9)
        }
        for view in estimate.views { #expect(view.chiSquare < 1.5) }
    }

    @Test func withoutACalibrationTheResultIsRelative() throws {
        let patient = try SyntheticPatient(.init(seed: 1))
        let anatomy = try patient.anatomy()
        var site = patient.recipe.site
        site.calibration = nil
        let relative = try StageZero(anatomy: anatomy, site: site).reconstruct(patient.views)
        #expect(!relative.isCalibrated)
        #expect(relative.findings.contains("uncalibrated"))
        let total = relative.organs.reduce(0) { $0 + $1.activity }
        #expect(abs(total - 100) < 0.5)
    }
}

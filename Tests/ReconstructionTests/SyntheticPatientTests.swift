import Anatomy
import Imaging
import Reconstruction
import Testing
import Tomography

@Suite(.serialized) struct SyntheticPatientTests {
    /// Coarse voxels and one bed over liver and kidneys: enough to see what a property of the recipe does.
    private static func recipe(seed: UInt64 = 3) -> SyntheticPatient.Recipe {
        var recipe = SyntheticPatient.Recipe(seed: seed)
        recipe.resolution = .init(ct: 4.6875, simulation: SIMD3(repeating: 4.8), pixel: 4.8)
        recipe.field = .oneBed(centreMillimetres: 340)
        return recipe
    }

    private static func counts(_ patient: SyntheticPatient, window: Int = 0) -> Double {
        patient.views.filter { $0.window == SyntheticPatient.windows[window] }
            .reduce(0) { $0 + $1.counts.reduce(0) { $0 + Double($1) } }
    }

    private static func image(_ view: PlanarView) -> PlanarImage {
        PlanarImage(
            detector: DetectorGrid(columns: view.columns, rows: view.rows, spacing: view.spacing, origin: view.origin),
            values: view.counts)
    }

    @Test func theSameRecipeIsTheSamePatient() throws {
        let first = try SyntheticPatient(Self.recipe())
        let second = try SyntheticPatient(Self.recipe())
        #expect(first.views == second.views)
        #expect(first.truth == second.truth)
        #expect(first.pet == second.pet && first.hounsfield == second.hounsfield)
        #expect(try SyntheticPatient(Self.recipe(seed: 4)).views != first.views)
    }

    @Test func aPropertyOfTheTherapyLeavesThePETAsItWas() throws {
        var recipe = Self.recipe()
        let before = try SyntheticPatient(recipe)
        recipe.levelSpread = 0.5
        recipe.goneLesionShare = 0.5
        recipe.unseenLesionMean = 4
        let after = try SyntheticPatient(recipe)
        #expect(after.pet == before.pet && after.hounsfield == before.hounsfield)
        #expect(after.planarPose == before.planarPose)
        #expect(after.truth != before.truth)
    }

    @Test func unseenLesionsAreInTheTruthAlone() throws {
        var recipe = Self.recipe()
        let without = try SyntheticPatient(recipe)
        recipe.unseenLesionMean = 6
        let patient = try SyntheticPatient(recipe)
        let unseen = patient.lesions.filter { $0.kind == .unseen }
        try #require(unseen.count >= 2)
        #expect(unseen.map(\.name) == (1...unseen.count).map { "unseen_\($0)" })
        #expect(patient.pet == without.pet)
        #expect(patient.labels == without.labels)
        let contours = patient.masks().map(\.name)
        for lesion in unseen {
            #expect(!contours.contains(lesion.name))
            // Voxels of 0.11 mL and the bending change the drawn volume a little.
            #expect(lesion.millilitres > 0.3 && lesion.millilitres < 36)
            let place = patient.truth.grid.index(of: lesion.centreMillimetres)
            let centre = patient.truth[Int(place.x.rounded()), Int(place.y.rounded()), Int(place.z.rounded())]
            let before = without.truth[Int(place.x.rounded()), Int(place.y.rounded()), Int(place.z.rounded())]
            #expect(lesion.megabecquerel / lesion.millilitres > 0.02)
            // The CT's slices are as thick as the smallest lesion.
            #expect(lesion.millilitres < 2 || centre > 8 * before, "\(lesion.name)")
        }
    }

    @Test func aLesionThatIsGoneHoldsWhatSurroundsIt() throws {
        var recipe = Self.recipe()
        let before = try SyntheticPatient(recipe)
        recipe.goneLesionShare = 1
        let after = try SyntheticPatient(recipe)
        try #require(!before.lesions.isEmpty)
        #expect(before.lesions.allSatisfy { $0.kind == .seen })
        #expect(after.lesions.allSatisfy { $0.kind == .gone })
        for (seen, gone) in zip(before.lesions, after.lesions) {
            #expect(gone.megabecquerel < 0.15 * seen.megabecquerel)
            #expect(gone.centreMillimetres == seen.centreMillimetres)
        }
    }

    @Test func theCamerasTruthMayDifferFromWhatIsTold() throws {
        let told = try SyntheticPatient(Self.recipe())
        let counts = Self.counts(told)
        var sensitive = Self.recipe()
        sensitive.sensitivityFactor = 1.04
        // A million counts: noise of a tenth of a percent.
        #expect(abs(Self.counts(try SyntheticPatient(sensitive)) / counts - 1.04) < 0.005)

        var clearer = Self.recipe()
        clearer.attenuationFactor = 0.96
        let gain = Self.counts(try SyntheticPatient(clearer)) / counts
        #expect(gain > 1.02 && gain < 1.10)

        var hidden = Self.recipe()
        hidden.residualScatterShare = 0.08
        let more = try SyntheticPatient(hidden)
        let scatter = (1...2).map { abs(Self.counts(more, window: $0) / Self.counts(told, window: $0) - 1) }
        #expect(scatter.allSatisfy { $0 < 0.02 })
        let added = Self.counts(more) / counts - 1
        // Eight percent of the primary counts, which are most of all; some of it falls beyond the field.
        #expect(added > 0.04 && added < 0.08)
    }

    @Test func headsFurtherOffThanRecordedBlurMore() throws {
        let told = try SyntheticPatient(Self.recipe())
        var recipe = Self.recipe()
        recipe.faceErrorMillimetres = 30
        let further = try SyntheticPatient(recipe)
        #expect(further.views[0].facePositionMillimetres == told.views[0].facePositionMillimetres)
        #expect(further.views[3].radialPositionMillimetres == told.views[3].radialPositionMillimetres)
        // Smoothed, so that the counts' noise does not hide the edges.
        let edges = [told, further].map { patient in
            let posterior = Self.image(patient.views[3]).blurred(deviation: 6).values
            return zip(posterior, posterior.dropFirst()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        #expect(edges[1] < 0.95 * edges[0])
        #expect(abs(Self.counts(further) / Self.counts(told) - 1) < 0.02)
    }

    @Test func aTurnedPatientIsTheSamePatientTurned() throws {
        let straight = try SyntheticPatient(Self.recipe())
        var recipe = Self.recipe()
        recipe.rotationDegrees = 8
        let turned = try SyntheticPatient(recipe)
        #expect(turned.truth == straight.truth)
        #expect(straight.planarPose.degrees == 0)
        try #require(abs(turned.planarPose.degrees) > 2)
        let (from, to) = (
            Self.image(straight.views[0]).blurred(deviation: 8), Self.image(turned.views[0]).blurred(deviation: 8)
        )
        let expected = from.sampled(on: to.detector) {
            straight.planarPose.imagePosition(ofPatient: turned.planarPose.patientPosition(ofImage: $0))
        }
        func distance(_ a: PlanarImage, _ b: PlanarImage) -> Double {
            var sum = 0.0
            for row in 12..<a.detector.rows - 12 {
                for column in 12..<a.detector.columns - 12 {
                    let pixel = row * a.detector.columns + column
                    sum += Double(abs(a.values[pixel] - b.values[pixel]))
                }
            }
            return sum / b.values.reduce(0) { $0 + Double($1) }
        }
        // The two draw their counts apart, so that noise is left between them.
        #expect(distance(expected, to) < 0.02)
        #expect(distance(from, to) > 2 * distance(expected, to))
    }

    @Test func oneBedHasTheSitesFieldOfView() throws {
        let view = try #require(try SyntheticPatient(Self.recipe()).views.first)
        #expect(view.columns == 111 && view.rows == 80)
        #expect(view.dwellSeconds == 600)
        var general = Self.recipe()
        general.site = .phantomGeneralElectric
        let other = try SyntheticPatient(general)
        #expect(other.views[0].columns == 112 && other.views[0].rows == 83)
        // 5 against 9.3 counts per second and MBq.
        let ratio = Self.counts(other) / Self.counts(try SyntheticPatient(Self.recipe()))
        #expect(abs(ratio - 5 / 9.3) < 0.03)
    }

    @Test func coarserVoxelsMakeTheSamePatient() throws {
        let coarse = try SyntheticPatient(Self.recipe())
        var recipe = Self.recipe()
        recipe.resolution = .swift
        let fine = try SyntheticPatient(recipe)
        #expect(coarse.planarPose == fine.planarPose)
        for (ours, theirs) in zip(coarse.organActivities, fine.organActivities) {
            #expect(ours.name == theirs.name)
            guard theirs.megabecquerel > 5 else { continue }
            // Small organs are a few voxels of 4.8 mm thick.
            #expect(abs(ours.megabecquerel / theirs.megabecquerel - 1) < 0.08, "\(ours.name)")
        }
        #expect(abs(Self.counts(coarse) / Self.counts(fine) - 1) < 0.02)
    }
}

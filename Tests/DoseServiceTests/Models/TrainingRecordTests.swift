import DoseService
import Foundation
import Reconstruction
import Testing

@Suite struct TrainingRecordTests {
    /// A record as a model file holds it.
    private func record(
        _ trainedOn: String, improved: Bool, from start: String?, rewarded: Bool? = nil,
        revision: Int? = PersonalDataset.revision, goesOn: Bool? = nil
    ) throws -> TrainingRecord {
        let plan = String(decoding: try JSONEncoder().encode(ModelTraining.Plan()), as: UTF8.self)
        let text = """
            {"version":"1","commit":"c","trainedOn":"\(trainedOn)","spacingMillimetres":4.8,"threads":1,"plan":\(plan),
            "validations":[],"hasImproved":\(improved)
            \(start.map { #","startedFrom":"\#($0)""# } ?? "")
            \(revision.map { #","caseRevision":\#($0)"# } ?? "")
            \(goesOn.map { #","goesOn":\#($0)"# } ?? "")
            \(rewarded.map { #","reinforcement":{"plan":\#(plan),"validations":[],"isKept":\#($0)}"# } ?? "")}
            """
        return try JSONDecoder().decode(TrainingRecord.self, from: Data(text.utf8))
    }

    /// What was trained for another radionuclide or other voxels is rejected whatever it gives.
    @Test func aModelIsForItsRadionuclideAndVoxels() throws {
        func outcomes(_ spacing: Double, _ isotope: String) throws -> [String: QualityCheck.Outcome] {
            let population = try ModelFile(path: try #require(ModelFile.populationPath))
            let record = try #require(population.record(of: .unet))
            #expect(record.isotope == "177Lu")
            let checks = NetworkCheck.checks(of: record, spacing: spacing, isotope: isotope)
            return Dictionary(uniqueKeysWithValues: checks.map { ($0.name, $0.outcome) })
        }
        #expect(
            try outcomes(4.8, "177Lu")
                == ["network-spacing-mismatch": .pass, "network-radionuclide-mismatch": .pass])
        #expect(
            try outcomes(4.8, "131I") == ["network-spacing-mismatch": .pass, "network-radionuclide-mismatch": .fail])
        #expect(
            try outcomes(7, "177Lu") == ["network-spacing-mismatch": .fail, "network-radionuclide-mismatch": .pass])
    }

    @Test func aPatientsOwnModelNeedsNoWord() throws {
        #expect(try record("patient", improved: true, from: "population").findings.isEmpty)
        #expect(try record("patient", improved: true, from: nil).findings.isEmpty)
        #expect(try record("patient", improved: false, from: "population", rewarded: true).findings.isEmpty)
    }

    @Test func aTrainingThatBroughtNothingLeavesThePopulations() throws {
        #expect(try record("patient", improved: false, from: "population").findings == ["model-of-population"])
        let unrewarded = try record("patient", improved: false, from: "population", rewarded: false)
        #expect(unrewarded.findings == ["model-of-population"])
        #expect(try record("population", improved: false, from: "before").findings == ["model-of-population"])
        #expect(try record("population", improved: true, from: nil).findings == ["model-of-population"])
    }

    @Test func whatNothingTrainedIsNamed() throws {
        #expect(try record("patient", improved: false, from: nil).findings == ["model-untrained"])
        // A network that begins beside another of the file has nothing of the population's in it.
        let beside = try record("patient", improved: false, from: "population", goesOn: false)
        #expect(beside.findings == ["model-untrained"])
        let further = try record("patient", improved: false, from: "population", goesOn: true)
        #expect(further.findings == ["model-of-population"])
    }

    @Test(arguments: [PersonalDataset.revision - 1, nil]) func modelsOfEarlierCasesAreNamed(revision: Int?) throws {
        let earlier = try record("patient", improved: true, from: nil, revision: revision)
        #expect(earlier.findings == ["model-of-earlier-cases"])
    }
}

import Anatomy
import Imaging
import Reconstruction
import Testing

struct PopulationTests {
    init() { #expect(TinyStudy.configured) }

    private func population(isNarrow: Bool = false) -> TrainingPopulation {
        var settings = TrainingPopulation.Settings()
        (settings.spacing, settings.isNarrow) = (12, isNarrow)
        return TrainingPopulation(settings)
    }

    @Test func eachSeedIsAPersonOfItsOwn() throws {
        let (one, again, other) = try (
            population().person(seed: 7), population().person(seed: 7), population().person(seed: 8)
        )
        #expect(one.training.truth.activity == again.training.truth.activity)
        #expect(one.training.scan.counts == again.training.scan.counts)
        #expect(try one.patient.values() == again.patient.values())
        #expect(one.training.truth.activity != other.training.truth.activity)
        #expect(try one.patient.values() != other.patient.values())
    }

    @Test func truthIsThatOfTheScanAndOfHumanSize() throws {
        let (training, patient) = try population().person(seed: 11)
        let truth = training.truth
        #expect(truth.activity.grid == patient.grid && training.scan.initial.grid == patient.grid)
        func millilitres(_ owner: UInt8) -> Double {
            Double(truth.owners.voxels.count { $0 == owner }) * patient.grid.voxelMillilitres
        }
        let liver = UInt8(1 + (try #require(Organ.allCases.firstIndex(of: .liver))))
        let remainder = UInt8(1 + (try #require(Organ.allCases.firstIndex(of: .remainder))))
        #expect(1000...3000 ~= millilitres(liver))
        #expect(!truth.backgroundOwners.contains(liver) && truth.backgroundOwners.contains(remainder))
        // Stage 0 finds most of it, where it is.
        let (found, real) = (training.scan.initial.voxels, truth.activity.voxels)
        let difference = zip(found, real).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
        let sum = real.reduce(0.0) { $0 + Double($1) }
        #expect(sum > 0 && difference / sum < 0.6, "\(difference / sum)")
        // Owners lie where the activity is.
        let inLiver = zip(real, truth.owners.voxels).reduce(0.0) { $0 + ($1.1 == liver ? Double($1.0) : 0) }
        let outside = zip(real, truth.owners.voxels).reduce(0.0) { $0 + ($1.1 == remainder ? Double($1.0) : 0) }
        #expect(
            inLiver / millilitres(liver) > 3 * outside / millilitres(remainder),
            "\(inLiver / millilitres(liver)) \(outside / millilitres(remainder))")
    }

    @Test func theNarrowWorldIsEasier() throws {
        func error(_ drawn: DrawnCase) -> Double {
            let (found, real) = (drawn.training.scan.initial.voxels, drawn.training.truth.activity.voxels)
            return zip(found, real).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / real.reduce(0.0) { $0 + Double($1) }
        }
        let (wide, narrow) = (
            try population().person(seed: 5), try population(isNarrow: true).person(seed: 5)
        )
        #expect(error(narrow) < error(wide))
        // And the counts say so.
        let (uneven, even) = (wide.training.scan.unevenness, narrow.training.scan.unevenness)
        #expect(even > 0 && even < uneven, "\(even) \(uneven)")
    }
}

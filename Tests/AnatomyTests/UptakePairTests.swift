import Anatomy
import Glibc
import Imaging
import Testing

@Suite struct UptakePairTests {
    private static func pair(seed: UInt64, _ adjust: (inout UptakePair.Change) -> Void) -> UptakePair {
        let phantom = StylisedPhantom(seed: seed)
        var change = UptakePair.Change()
        adjust(&change)
        return UptakePair(seed: seed, lesions: phantom.lesions, seenCount: phantom.lesions.count, change: change)
    }

    private static func logRatio(_ pair: UptakePair, _ organ: Organ) throws -> Double {
        log(try #require(pair.therapy.concentrations[organ]) / #require(pair.pet.concentrations[organ]))
    }

    @Test func withoutASpreadTheTherapyFollowsThePET() throws {
        let pairs = (1...8).map { seed in
            Self.pair(seed: UInt64(seed)) { ($0.levelSpread, $0.lesionLevelSpread) = (0, 0) }
        }
        for organ in [Organ.liver, .kidneyRight, .remainder] {
            let ratios = try pairs.map { try Self.logRatio($0, organ) }
            for ratio in ratios { #expect(abs(ratio - ratios[0]) < 1e-9) }
        }
        for pair in pairs {
            for (pet, therapy) in zip(pair.pet.lesionConcentrations, pair.therapy.lesionConcentrations) {
                #expect(abs(therapy / pet - 330_000 / 24_000) < 1e-6)
            }
        }
    }

    @Test func theSpreadIsTheOneAskedFor() throws {
        let pairs = (1...400).map { seed in Self.pair(seed: UInt64(seed)) { $0.levelSpread = 0.4 } }
        let liver = try pairs.map { try Self.logRatio($0, .liver) }
        // Four hundred draws know their deviation to 3.5 %; a cut at three deviations takes another percent.
        #expect(abs(Self.deviation(liver) / 0.4 - 1) < 0.12)
        let left = try pairs.map { try Self.logRatio($0, .kidneyLeft) }
        let right = try pairs.map { try Self.logRatio($0, .kidneyRight) }
        #expect(abs(Self.deviation(zip(left, right).map { $0 - $1 }) / (0.4 / 3) - 1) < 0.12)
    }

    @Test func aboutTheShareOfLesionsIsGone() {
        let pairs = (1...100).map { seed in Self.pair(seed: UInt64(seed)) { $0.goneShare = 0.2 } }
        let all = pairs.reduce(0) { $0 + $1.therapy.lesionConcentrations.count }
        let gone = pairs.reduce(0) { $0 + $1.goneLesions.count }
        #expect(abs(Double(gone) / Double(all) - 0.2) < 0.06)
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }
}

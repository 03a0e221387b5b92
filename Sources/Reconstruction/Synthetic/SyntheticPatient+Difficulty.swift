import Anatomy
import Imaging

extension SyntheticPatient {
    /// How far a synthetic patient is from what a reconstruction assumes.
    public enum Difficulty: String, Sendable, Codable, CaseIterable {
        /// Small motion and unevenness, levels of a population.
        case usual
        /// Nothing but other levels and a small rigid motion: the world in which fitting eight numbers is exact.
        case narrow
        /// Motion, unevenness and levels as patients have them.
        case matched
        /// Much motion and unevenness, lesions that nothing showed, others that are gone.
        case hard
        /// As `matched`, with a camera and an attenuation that are not what the reconstruction is told.
        case mismatched
    }
}

extension SyntheticPatient.Recipe {
    /// A patient of some difficulty.
    public init(seed: UInt64, difficulty: SyntheticPatient.Difficulty) {
        self.init(seed: seed)
        switch difficulty {
        case .usual: return
        case .narrow:
            motion = 0
            unevenness = 0
            cortexToMedulla = 1...1
            rotationDegrees = 1
        case .matched, .mismatched:
            motion = 4
            unevenness = 0.15
            cortexToMedulla = 1.5...3
            rotationDegrees = 0.7
        case .hard:
            motion = 8
            unevenness = 0.4
            unevennessLength = 6...50
            cortexToMedulla = 1.5...4
            rotationDegrees = 1
            goneLesionShare = 0.2
            unseenLesionMean = 3
        }
        levelSpread = 0.5
        lesionLevelSpread = 0.6
        if difficulty == .mismatched { mismatch() }
    }

    /// Heads 2 to 3 cm further off than the images say, sensitivity off by up to 4 %, attenuation by 4 %, and 8 % of the
    /// primary counts as scatter that no window shows.
    private mutating func mismatch() {
        var generator = SeededGenerator(seed: seed, purpose: "mismatch")
        faceErrorMillimetres = generator.uniform(20...30)
        sensitivityFactor = generator.uniform(0.96...1.04)
        attenuationFactor = 0.96
        residualScatterShare = 0.08
    }
}

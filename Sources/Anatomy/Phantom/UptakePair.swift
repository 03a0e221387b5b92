import Glibc
import Imaging

/// What the PET showed of a synthetic patient and what the therapy found, weeks later.
public struct UptakePair: Sendable {
    /// How the therapy's uptake differs from the PET's.
    public struct Change: Sendable, Equatable {
        /// Standard deviation of the logarithm of each organ's level between PET and therapy; nil makes the two
        /// independent, each with the spread of a population. Pairs of organs go together.
        public var levelSpread: Double?
        /// The same of lesions.
        public var lesionLevelSpread: Double?
        /// Probability that a lesion of the PET holds no more than its surroundings at the therapy.
        public var goneShare = 0.0

        public init() {}
    }

    public let pet, therapy: UptakePattern
    /// Numbers of the PET's lesions that the therapy does not find.
    public let goneLesions: [Int]

    private static let therapySpread = 0.3
    private static let petSpread = 0.35

    /// - Parameters:
    ///   - lesions: those of the therapy; the first `seenCount` of them are in the PET too.
    ///   - seenCount: how many the PET shows.
    public init(
        seed: UInt64, lesions: [StylisedPhantom.Lesion], seenCount: Int, texture: UptakePattern.Texture = .init(),
        change: Change = .init()
    ) {
        var petGenerator = SeededGenerator(seed: seed, purpose: "uptake-PET")
        let petLevels = UptakeLevels(spread: Self.petSpread, lesionCount: seenCount, &petGenerator)
        pet = UptakePattern(levels: petLevels, means: .psmaPET, texture: texture, &petGenerator)

        var generator = SeededGenerator(seed: seed, purpose: "uptake-177Lu")
        let independent = UptakeLevels(spread: Self.therapySpread, lesionCount: seenCount, &generator)
        var changes = SeededGenerator(seed: seed, purpose: "uptake-change")
        let following = petLevels.changed(
            deviation: change.levelSpread ?? 0, lesionDeviation: change.lesionLevelSpread ?? 0, &changes)
        let levels = UptakeLevels(
            organs: change.levelSpread == nil ? independent.organs : following.organs,
            lesions: change.lesionLevelSpread == nil ? independent.lesions : following.lesions)
        var therapy = UptakePattern(levels: levels, means: .lutetiumPSMA, texture: texture, &generator)

        goneLesions = (0..<seenCount).filter { _ in changes.uniform(0...1) < change.goneShare }
        func around(_ lesion: Int) -> Double { therapy.concentrations[lesions[lesion].surroundings] ?? 0 }
        for lesion in goneLesions { therapy.lesionConcentrations[lesion] = around(lesion) }
        let contrasts = Self.unseenContrast
        for lesion in seenCount..<lesions.count {
            let contrast = exp(changes.uniform(log(contrasts.lowerBound)...log(contrasts.upperBound)))
            therapy.lesionConcentrations.append(around(lesion) * contrast)
        }
        self.therapy = therapy
    }

    /// Concentration in a lesion that the PET does not show over that in its surroundings.
    static let unseenContrast: ClosedRange<Double> = 10...60
}

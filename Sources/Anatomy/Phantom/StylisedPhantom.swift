import Glibc
import Imaging

/// A synthetic patient: the stylised adult, with habitus, sizes and positions of organs, a smooth bending and lesions
/// that each seed draws anew.
///
/// - Units: centimetres inside, millimetres of patient coordinates outside; z = 0 at the trunk's base.
/// - Source: ORNL/TM-8381 for the solids; spreads are this project's choice, about those of adult men.
public struct StylisedPhantom: Sendable {
    /// How one organ differs from the adult's.
    struct Placement: Sendable {
        var shift = SIMD3(repeating: 0.0)
        var scale = SIMD3(repeating: 1.0)
    }

    /// A spherical deposit.
    public struct Lesion: Sendable, Equatable {
        public let name: String
        /// What it lies in: bone, or the soft tissue of the remainder for a node.
        public let surroundings: Organ
        /// Centre in the adult's coordinates, in centimetres.
        let centre: SIMD3<Double>
        let radius: Double
    }

    /// One wave of the smooth bending.
    struct Bend: Sendable {
        let amplitude, waveVector: SIMD3<Double>
        let phase: Double
    }

    public private(set) var lesions: [Lesion]
    public private(set) var arms: Population.Arms
    /// The kidney that is not there.
    public let missingKidney: Organ?
    /// What the habitus was drawn from, in kg/m²; nil when it was drawn around the adult's.
    public let bodyMassIndex: Double?
    /// Size of everything inside, in units of the adult's.
    let habitus: SIMD3<Double>
    /// Size of trunk and legs over that of what is inside: the rest is fat.
    let girth: SIMD2<Double>
    private(set) var placements: [Organ: Placement]
    let bends: [Bend]
    private let population: Population

    /// The adult of the source, without any variation.
    public init() {
        (lesions, arms, missingKidney, bodyMassIndex) = ([], .absent, nil, nil)
        (habitus, girth, placements, bends) = (SIMD3(repeating: 1), SIMD2(repeating: 1), [:], [])
        population = .standard
    }

    /// The person that belongs to a seed.
    public init(seed: UInt64, population: Population = .standard) {
        var generator = SeededGenerator(seed: seed, purpose: "phantom")
        let build = Build(population, seed: seed)
        let usual = SIMD3(
            min(max(generator.logNormal(median: 1, deviation: 0.07), 0.85), 1.15),
            min(max(generator.logNormal(median: 1.08, deviation: 0.09), 0.85), 1.35),
            generator.logNormal(median: 1, deviation: 0.04))
        (habitus, girth) = build.sizes(usual: usual)
        var placements: [Organ: Placement] = [:]
        for organ in Organ.allCases where organ != .remainder && organ != .bone {
            placements[organ] = Self.drawPlacement(&generator)
        }
        // Lungs share their diaphragm with liver and spleen: they keep their place.
        placements[.lungs] = Placement()
        var filling = generator.logNormal(median: 0.9, deviation: 0.2)
        if let millilitres = build.bladderMillilitres {
            filling = cbrt(millilitres / Self.adultBladderMillilitres / (habitus.x * habitus.y * habitus.z))
        }
        placements[.bladder] = Placement(scale: SIMD3(repeating: filling))
        // A kidney that is alone has grown.
        if let missing = build.missingKidney {
            let other = missing == .kidneyLeft ? Organ.kidneyRight : .kidneyLeft
            placements[missing] = nil
            placements[other]?.scale *= 1.12
        }
        self.placements = placements
        bends = (0..<3).map { _ in Self.drawBend(&generator) }
        lesions = Self.drawLesions(mean: population.lesionMean, &generator)
        arms = build.arms
        (missingKidney, bodyMassIndex) = (build.missingKidney, build.bodyMassIndex)
        self.population = population
    }

    static let adultBladderMillilitres = 202.6

    /// The same person at another time: every soft organ has moved, most along z as breathing and filling do; the bladder
    /// is fuller or emptier, and the arms may lie elsewhere.
    ///
    /// - Parameter millimetres: standard deviation along z; half of it along y, a third along x.
    public func moved(millimetres: Double, seed: UInt64) -> StylisedPhantom {
        var generator = SeededGenerator(seed: seed, purpose: "motion")
        let breathing = generator.normal(deviation: millimetres / 10)
        var moved = self
        for organ in Organ.allCases where organ != .remainder && organ != .bone && organ != .lungs {
            let own = SIMD3(
                generator.normal(deviation: millimetres / 30), generator.normal(deviation: millimetres / 20),
                generator.normal(deviation: millimetres / 20))
            guard organ != missingKidney else { continue }
            // The head does not breathe.
            let follows = StylisedShape.adult.first { $0.organ == organ }.map { $0.centre.z < 60 } ?? false
            moved.placements[organ, default: Placement()].shift +=
                follows ? own + SIMD3(0, 0, breathing) : own * 0.3
        }
        var later = SeededGenerator(seed: seed, purpose: "population-therapy")
        let filling = exp(later.normal(deviation: population.bladderChange) / 3)
        moved.placements[.bladder, default: Placement()].scale *= filling
        if let share = population.armsDown { moved.arms = later.uniform(0...1) < share.planar ? .down : .up }
        return moved
    }

    func withLesions(_ lesions: [Lesion]) -> StylisedPhantom {
        var other = self
        other.lesions = lesions
        return other
    }

    private static func drawPlacement(_ generator: inout SeededGenerator) -> Placement {
        let size = generator.logNormal(median: 1, deviation: 0.06)
        return Placement(
            shift: SIMD3(
                generator.normal(deviation: 0.4), generator.normal(deviation: 0.3), generator.normal(deviation: 0.8)),
            scale: SIMD3(
                size * generator.logNormal(median: 1, deviation: 0.04),
                size * generator.logNormal(median: 1, deviation: 0.04),
                size * generator.logNormal(median: 1, deviation: 0.04)))
    }

    private static func drawBend(_ generator: inout SeededGenerator) -> Bend {
        Bend(
            amplitude: SIMD3(
                generator.normal(deviation: 0.4), generator.normal(deviation: 0.25), generator.normal(deviation: 0.3)),
            waveVector: SIMD3(
                generator.normal(deviation: 0.05), generator.normal(deviation: 0.05), generator.uniform(0.03...0.12)),
            phase: generator.uniform(0...(2 * .pi)))
    }

    private static func drawLesions(mean: Double, _ generator: inout SeededGenerator) -> [Lesion] {
        // Along the spine, in the pelvis, in ribs, and nodes beside the great vessels.
        let bones: [SIMD3<Double>] = [
            SIMD3(0, 5.5, 28), SIMD3(0, 5.5, 46), SIMD3(0, 5.5, 57), SIMD3(0, 5.5, 66), SIMD3(9, 4, 18),
            SIMD3(-9, 4, 18), SIMD3(10, 3, 12), SIMD3(-10, 3, 12), SIMD3(15, -4, 50), SIMD3(-15, -4, 55),
        ]
        let nodes: [SIMD3<Double>] = [
            SIMD3(2.5, 1.5, 25), SIMD3(-2.5, 1.5, 22), SIMD3(4, -1, 13), SIMD3(-4, -1, 14),
        ]
        let sites = bones.map { ($0, Organ.bone) } + nodes.map { ($0, Organ.remainder) }
        let chosen = sites.shuffled(using: &generator).prefix(generator.poisson(mean: mean))
        return chosen.enumerated().map { index, site in
            let jitter = SIMD3(
                generator.normal(deviation: 0.5), generator.normal(deviation: 0.4), generator.normal(deviation: 1.2))
            return Lesion(
                name: "lesion_\(index + 1)", surroundings: site.1, centre: site.0 + jitter,
                radius: min(max(generator.logNormal(median: 1.1, deviation: 0.3), 0.6), 1.9))
        }
    }
}

/// What a population adds to the variations that every seed has; drawn from randomness of its own, so that a seed's
/// organs stay what they are.
private struct Build {
    var bodyMassIndex: Double?
    var bladderMillilitres: Double?
    var missingKidney: Organ?
    var arms = Population.Arms.absent

    init(_ population: Population, seed: UInt64) {
        var generator = SeededGenerator(seed: seed, purpose: "population")
        func draw(_ spread: Population.Spread, _ range: ClosedRange<Double>) -> Double {
            let value = generator.logNormal(median: spread.median, deviation: spread.deviation)
            return min(max(value, range.lowerBound), range.upperBound)
        }
        bodyMassIndex = population.bodyMassIndex.map { draw($0, Population.bodyMassIndexRange) }
        bladderMillilitres = population.bladder.map { draw($0, Population.bladderRange) }
        let kidney = generator.uniform(0...1)
        if kidney < population.singleKidneyShare {
            missingKidney = kidney < population.singleKidneyShare / 2 ? .kidneyLeft : .kidneyRight
        }
        let position = generator.uniform(0...1)
        if let share = population.armsDown { arms = position < share.petct ? .down : .up }
    }

    /// That of the adult of the source, 73.7 kg and 179 cm.
    private static let adultBodyMassIndex = 23.0

    /// Habitus and girth. Mass goes with the cross-section times the length, the index with mass over length squared.
    /// What a heavier patient has more is fat for two thirds; a lighter one is slimmer throughout.
    func sizes(usual: SIMD3<Double>) -> (habitus: SIMD3<Double>, girth: SIMD2<Double>) {
        guard let bodyMassIndex else { return (usual, SIMD2(repeating: 1)) }
        let section = bodyMassIndex / Self.adultBodyMassIndex * usual.z
        let inside = section < 1 ? section : pow(section, 0.35)
        let fat = section / inside
        return (
            SIMD3(pow(inside, 0.45), pow(inside, 0.55), usual.z), SIMD2(pow(fat, 0.42), pow(fat, 0.58))
        )
    }
}

import Imaging

/// A synthetic patient: the stylised adult, with habitus, sizes and positions of organs, a smooth bending and lesions
/// that each seed draws anew.
///
/// - Units: centimetres inside, millimetres of patient coordinates outside; z = 0 at the trunk's base.
/// - Source: ORNL/TM-8381 for the solids; spreads are this project's choice, about those of adult men.
public struct StylisedPhantom: Sendable {
    /// How one organ differs from the adult's.
    struct Placement: Sendable {
        var shift: SIMD3<Double>
        var scale: SIMD3<Double>
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

    /// The phantom's whole length from the feet of the legs to the vertex, before habitus.
    public static let extentMillimetres: ClosedRange<Double> = -800...940

    public let lesions: [Lesion]
    let habitus: SIMD3<Double>
    let placements: [Organ: Placement]
    let bends: [Bend]

    /// The adult of the source, without any variation.
    public init() {
        (lesions, habitus, placements, bends) = ([], SIMD3(repeating: 1), [:], [])
    }

    /// The person that belongs to a seed.
    public init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed, purpose: "phantom")
        habitus = SIMD3(
            min(max(generator.logNormal(median: 1, deviation: 0.07), 0.85), 1.15),
            min(max(generator.logNormal(median: 1.08, deviation: 0.09), 0.85), 1.35),
            generator.logNormal(median: 1, deviation: 0.04))
        var placements: [Organ: Placement] = [:]
        for organ in Organ.allCases where organ != .remainder && organ != .bone {
            let size = generator.logNormal(median: 1, deviation: 0.06)
            placements[organ] = Placement(
                shift: SIMD3(
                    generator.normal(deviation: 0.4), generator.normal(deviation: 0.3), generator.normal(deviation: 0.8)
                ),
                scale: SIMD3(
                    size * generator.logNormal(median: 1, deviation: 0.04),
                    size * generator.logNormal(median: 1, deviation: 0.04),
                    size * generator.logNormal(median: 1, deviation: 0.04)))
        }
        // Lungs share their diaphragm with liver and spleen: they keep their place.
        placements[.lungs] = Placement(shift: SIMD3(repeating: 0), scale: SIMD3(repeating: 1))
        let filling = generator.logNormal(median: 0.9, deviation: 0.2)
        placements[.bladder] = Placement(shift: SIMD3(repeating: 0), scale: SIMD3(repeating: filling))
        self.placements = placements
        bends = (0..<3).map { _ in
            Bend(
                amplitude: SIMD3(
                    generator.normal(deviation: 0.4), generator.normal(deviation: 0.25),
                    generator.normal(deviation: 0.3)),
                waveVector: SIMD3(
                    generator.normal(deviation: 0.05), generator.normal(deviation: 0.05),
                    generator.uniform(0.03...0.12)),
                phase: generator.uniform(0...(2 * .pi)))
        }
        lesions = Self.drawLesions(&generator)
    }

    init(_ other: StylisedPhantom, placements: [Organ: Placement]? = nil, lesions: [Lesion]? = nil) {
        (habitus, bends) = (other.habitus, other.bends)
        self.placements = placements ?? other.placements
        self.lesions = lesions ?? other.lesions
    }

    /// The same person at another time: every soft organ has moved, most along z as breathing and filling do.
    ///
    /// - Parameter millimetres: standard deviation along z; half of it along y, a third along x.
    public func moved(millimetres: Double, seed: UInt64) -> StylisedPhantom {
        var generator = SeededGenerator(seed: seed, purpose: "motion")
        let breathing = generator.normal(deviation: millimetres / 10)
        var moved = placements
        for organ in Organ.allCases where organ != .remainder && organ != .bone && organ != .lungs {
            let own = SIMD3(
                generator.normal(deviation: millimetres / 30), generator.normal(deviation: millimetres / 20),
                generator.normal(deviation: millimetres / 20))
            // The head does not breathe.
            let follows = StylisedShape.adult.first { $0.organ == organ }.map { $0.centre.z < 60 } ?? false
            let start = placements[organ] ?? Placement(shift: SIMD3(repeating: 0), scale: SIMD3(repeating: 1))
            moved[organ] = Placement(
                shift: start.shift + (follows ? own + SIMD3(0, 0, breathing) : own * 0.3), scale: start.scale)
        }
        return StylisedPhantom(self, placements: moved)
    }

    private static func drawLesions(_ generator: inout SeededGenerator) -> [Lesion] {
        // Along the spine, in the pelvis, in ribs, and nodes beside the great vessels.
        let bones: [SIMD3<Double>] = [
            SIMD3(0, 5.5, 28), SIMD3(0, 5.5, 46), SIMD3(0, 5.5, 57), SIMD3(0, 5.5, 66), SIMD3(9, 4, 18),
            SIMD3(-9, 4, 18), SIMD3(10, 3, 12), SIMD3(-10, 3, 12), SIMD3(15, -4, 50), SIMD3(-15, -4, 55),
        ]
        let nodes: [SIMD3<Double>] = [
            SIMD3(2.5, 1.5, 25), SIMD3(-2.5, 1.5, 22), SIMD3(4, -1, 13), SIMD3(-4, -1, 14),
        ]
        let sites = bones.map { ($0, Organ.bone) } + nodes.map { ($0, Organ.remainder) }
        let chosen = sites.shuffled(using: &generator).prefix(generator.poisson(mean: 4))
        return chosen.enumerated().map { index, site in
            let jitter = SIMD3(
                generator.normal(deviation: 0.5), generator.normal(deviation: 0.4), generator.normal(deviation: 1.2))
            return Lesion(
                name: "lesion_\(index + 1)", surroundings: site.1, centre: site.0 + jitter,
                radius: min(max(generator.logNormal(median: 1.1, deviation: 0.3), 0.6), 1.9))
        }
    }
}

import Glibc
import Imaging

extension StylisedPhantom {
    /// Volumes of lesions that appear between PET/CT and therapy, in millilitres; evenly spread over the logarithm.
    public static let unseenMillilitres: ClosedRange<Double> = 0.5...30

    /// The same person with lesions that were not there before, in bone and beside the great vessels.
    ///
    /// They lie clear of the organs and of each other, entirely inside the body; their names are `unseen_1`, `unseen_2`…
    ///
    /// - Parameter mean: of the Poisson distribution of their number.
    public func withUnseenLesions(mean: Double, seed: UInt64) -> StylisedPhantom {
        var generator = SeededGenerator(seed: seed, purpose: "unseen-lesions")
        var all = lesions
        for _ in 0..<generator.poisson(mean: mean) {
            let bounds = Self.unseenMillilitres
            let millilitres = exp(generator.uniform(log(bounds.lowerBound)...log(bounds.upperBound)))
            let radius = cbrt(3 * millilitres / (4 * .pi) / (habitus.x * habitus.y * habitus.z))
            for _ in 0..<Self.placementAttempts {
                let lesion = drawUnseen(radius: radius, number: all.count - lesions.count + 1, &generator)
                if isClear(lesion, of: all) {
                    all.append(lesion)
                    break
                }
            }
        }
        return withLesions(all)
    }

    /// A large lesion finds no place in a rib: another place is tried, and after these many the lesion is left out.
    private static let placementAttempts = 200
    /// Between two lesions, in centimetres.
    private static let lesionGap = 0.8

    private func drawUnseen(radius: Double, number: Int, _ generator: inout SeededGenerator) -> Lesion {
        let isInBone = generator.uniform(0...1) < 0.65
        return Lesion(
            name: "unseen_\(number)", surroundings: isInBone ? .bone : .remainder,
            centre: isInBone ? Self.drawInBone(&generator) : Self.drawNode(&generator), radius: radius)
    }

    private static func drawInBone(_ generator: inout SeededGenerator) -> SIMD3<Double> {
        // Spine and pelvis carry most metastases, ribs fewer, the skull few.
        let shapes = StylisedShape.adult.filter { $0.organ == .bone }
        let shares = [0.4, 0.3, 0.25, 0.05]
        var choice = generator.uniform(0...1)
        var shape = shapes[0]
        for (candidate, share) in zip(shapes, shares) {
            shape = candidate
            choice -= share
            if choice <= 0 { break }
        }
        while true {
            let point = SIMD3(
                generator.uniform(shape.lower.x...shape.upper.x), generator.uniform(shape.lower.y...shape.upper.y),
                generator.uniform(shape.lower.z...shape.upper.z))
            if shape.contains(point) { return point }
        }
    }

    private static func drawNode(_ generator: inout SeededGenerator) -> SIMD3<Double> {
        // Beside the great vessels of the abdomen, iliac, inguinal, mediastinal, supraclavicular.
        let sites: [SIMD3<Double>] = [
            SIMD3(2.5, 2, 26), SIMD3(-2.5, 2, 24), SIMD3(4, 0, 14), SIMD3(-4, 0, 14), SIMD3(7, -3, 4), SIMD3(-7, -3, 4),
            SIMD3(1, 0, 58), SIMD3(-1, 1, 55), SIMD3(4, 1, 69), SIMD3(-4, 1, 69),
        ]
        return sites[Int(generator.next() % UInt64(sites.count))]
            + SIMD3(generator.normal(deviation: 1), generator.normal(deviation: 0.8), generator.normal(deviation: 2))
    }

    private func isClear(_ lesion: Lesion, of others: [Lesion]) -> Bool {
        for other in others {
            let away = other.centre - lesion.centre
            let least = other.radius + lesion.radius + Self.lesionGap
            if (away * away).sum() < least * least { return false }
        }
        // The points of a cube's corners, edges and faces on the sphere, and a little beyond it.
        for x in -1...1 {
            for y in -1...1 {
                for z in -1...1 where (x, y, z) != (0, 0, 0) {
                    let direction = SIMD3(Double(x), Double(y), Double(z))
                    let unit = direction / (direction * direction).sum().squareRoot()
                    let found = label(at: lesion.centre + unit * (lesion.radius + 0.3)).organ
                    guard found == .bone || found == .remainder || found == .lungs else { return false }
                }
            }
        }
        return label(at: lesion.centre).organ == lesion.surroundings
    }
}

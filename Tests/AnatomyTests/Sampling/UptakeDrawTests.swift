import Anatomy
import Glibc
import Imaging
import TestSupport
import Testing

/// Distributions of what is drawn, over many seeds. Tolerances are about four standard errors of 3000 draws, the cut at
/// three standard deviations included.
struct UptakeDrawTests {
    private static let drawCount: UInt64 = 3000
    private let full: UptakeSampler

    init() throws { full = try SmallPatient().sampler(.full) }

    private func draws(_ sampler: UptakeSampler) -> [UptakeDraw] { (0..<Self.drawCount).map { sampler.draw(seed: $0) } }

    private func index(_ name: String) -> Int { SmallPatient.names.firstIndex(of: name) ?? -1 }

    @Test func levelsSpreadAsStated() throws {
        var world = UptakeWorld.full
        world.lostLesions = nil
        let sampler = try SmallPatient().sampler(world)
        let draws = draws(sampler)
        func logarithms(_ name: String) -> [Double] {
            let region = index(name)
            return draws.map { log($0.levels[region] / sampler.medianLevels[region] / $0.commonFactor) }
        }
        for (name, deviation) in [
            ("liver", 0.55), ("kidney_left", 0.55), ("lesion_bone", 0.7), ("remainder", 0.5), ("bladder", 1.2),
        ] {
            let moments = Moments(logarithms(name))
            #expect(abs(moments.deviation / deviation - 1) < 0.06, "\(name)")
            #expect(abs(moments.mean) < 0.08 * deviation, "\(name)")
        }
        #expect(abs(Moments(draws.map { log($0.commonFactor) }).deviation / 0.4 - 1) < 0.06)
        let kidney = logarithms("kidney_left")
        #expect(abs(Moments.correlation(kidney, logarithms("kidney_right")) - 0.9) < 0.02)
        #expect(abs(Moments.correlation(logarithms("lesion_liver"), logarithms("lesion_bone")) - 0.5) < 0.06)
        // Through the tumour load: -0.4 sqrt(0.9) sqrt(0.5).
        #expect(abs(Moments.correlation(kidney, logarithms("lesion_bone")) + 0.268) < 0.07)
        #expect(abs(Moments.correlation(kidney, logarithms("liver"))) < 0.07)
    }

    @Test func medianLevelsHoldTheStatedActivity() throws {
        let total = zip(full.medianLevels, full.regions).reduce(0) { $0 + $1.0 * $1.1.millilitres } * 1e-6
        #expect(abs(total / 700 - 1) < 1e-6)
        // The liver's share is the PET's.
        let ratio = full.medianLevels[index("kidney_right")] / full.medianLevels[index("lesion_liver")]
        #expect(abs(ratio - 42.0 / 30 * (1 - 60.0 / 400) / (1 - 70.0 / 400)) < 0.02)
    }

    @Test func posesAndOrgansMoveAsStated() {
        let draws = draws(full)
        for axis in 0..<3 {
            let rotation = Moments(draws.map { $0.pose.rotationDegrees[axis] })
            #expect(abs(rotation.deviation / [0.5, 3, 3][axis] - 1) < 0.06)
            let translation = Moments(draws.map { $0.pose.translation[axis] })
            #expect(abs(translation.deviation / [8, 2, 8][axis] - 1) < 0.06)
            let liver = Moments(draws.map { $0.shifts[index("liver")][axis] })
            #expect(abs(liver.deviation / [2, 4, 8][axis] - 1) < 0.06)
            #expect(abs(liver.mean) < 0.1 * [2, 4, 8][axis])
        }
        let liver = draws.map { $0.shifts[index("liver")].z }
        let kidney = draws.map { $0.shifts[index("kidney_left")].z }
        #expect(abs(Moments.correlation(liver, kidney) - 0.5) < 0.06)
        for draw in draws.prefix(50) {
            #expect(draw.shifts[index("lesion_liver")] == draw.shifts[index("liver")])
            #expect(draw.shifts[index("bone")] == .zero && draw.shifts[index("remainder")] == .zero)
        }
        let still = Moments(draws.map { $0.shifts[index("bladder")].z })
        #expect(abs(still.deviation / 2.4 - 1) < 0.06)
    }

    @Test func texturesAreDrawnAsStated() {
        let textures = draws(full).flatMap(\.textures)
        let kept = Double(textures.filter(\.keepsPET).count) / Double(textures.count)
        #expect(abs(kept - 0.5) < 0.02)
        let fields = textures.compactMap(\.unevenness)
        #expect(fields.allSatisfy { (0.05...0.4).contains($0.deviation) && (6...25).contains($0.length) })
        #expect(abs(Moments(fields.map(\.deviation)).mean - 0.225) < 0.004)
        #expect(abs(Moments(fields.map(\.length)).mean - 15.5) < 0.3)
        let layered = textures.filter { $0.cortexToMedulla != 1 }
        #expect(layered.allSatisfy { (1.5...4).contains($0.cortexToMedulla) && !$0.keepsPET })
        // Two of eight regions are kidneys, half of them without the PET's texture.
        #expect(abs(Double(layered.count) / Double(textures.count) - 0.125) < 0.015)
    }

    @Test func fociAreAsManyAndAsLargeAsStated() {
        let draws = draws(full)
        let new = draws.map { $0.foci.filter { $0.kind != .injection } }
        #expect(abs(Moments(new.map { Double($0.count) }).mean - 3) < 0.13)
        let volumes = new.joined().map { 4 / 3 * Double.pi * $0.semiAxes.x * $0.semiAxes.y * $0.semiAxes.z / 1000 }
        #expect(volumes.allSatisfy { 0.499...30.01 ~= $0 })
        #expect(abs(Moments(volumes.map { log($0) }).mean - log(0.5 * 30) / 2) < 0.06)
        let inBone = Double(new.joined().filter { $0.kind == .bone }.count) / Double(volumes.count)
        #expect(abs(inBone - 0.65) < 0.03)
        for focus in new.joined().prefix(300) {
            let place = full.grid.index(of: focus.centre)
            let region = full.regions[focus.kind == .bone ? index("bone") : index("remainder")]
            #expect(region.coverage[Int(place.x.rounded()), Int(place.y.rounded()), Int(place.z.rounded())] == 1)
        }
        let spots = draws.filter { $0.foci.contains { $0.kind == .injection } }
        #expect(abs(Double(spots.count) / Double(draws.count) - 0.1) < 0.025)
    }

    @Test func oneLesionInFiveIsLost() {
        let draws = draws(full)
        #expect(abs(Moments(draws.map { Double($0.lostLesions.count) }).mean - 0.4) < 0.05)
        for draw in draws.prefix(200) where draw.lostLesions.contains(index("lesion_liver")) {
            #expect(draw.levels[index("lesion_liver")] == draw.levels[index("liver")])
        }
    }

    @Test func anIngredientThatIsOffLeavesTheOthersAsTheyAre() throws {
        let whole = full.draw(seed: 11)
        var world = UptakeWorld.full
        (world.organMotion, world.newFoci) = (nil, nil)
        let part = try SmallPatient().sampler(world).draw(seed: 11)
        #expect(part.levels == whole.levels && part.pose == whole.pose && part.textures == whole.textures)
        #expect(part.bending == whole.bending)
        #expect(part.shifts.allSatisfy { $0 == .zero } && part.foci.allSatisfy { $0.kind == .injection })
    }
}

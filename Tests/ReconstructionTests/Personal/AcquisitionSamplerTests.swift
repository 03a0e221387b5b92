import Anatomy
import Imaging
import Reconstruction
import Testing
import Tomography

struct AcquisitionSamplerTests {
    private let hounsfield, activity: Volume<Float>
    private let body: Volume<Bool>

    init() throws {
        let grid = try VoxelGrid(
            columns: 32, rows: 24, slices: 28, spacing: SIMD3(repeating: 8), origin: SIMD3(-124, -92, 0))
        var hounsfield = Volume<Float>(grid: grid, repeating: -1000)
        var activity = Volume<Float>(grid: grid, repeating: 0)
        for z in 0..<28 {
            for y in 4..<20 {
                for x in 4..<28 {
                    hounsfield[x, y, z] = 0
                    activity[x, y, z] = 5_000
                }
            }
        }
        (self.hounsfield, self.activity) = (hounsfield, activity)
        body = hounsfield.map { $0 > -500 }
    }

    private func sampler(_ world: AcquisitionWorld) throws -> AcquisitionSampler {
        try AcquisitionSampler(hounsfield: hounsfield, body: body, site: .phantom, world: world)
    }

    private func sum(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } }

    @Test func aMatchedScanIsTheAssumedProjection() throws {
        var world = AcquisitionWorld.matched
        world.drawsCounts = false
        let sampler = try sampler(world)
        let scan = try sampler.acquire(activity, pose: .identity, seed: 3)
        let expected = try sampler.assumedProjector(for: scan).forward(activity.voxels)
        #expect(scan.primary == expected)
        #expect(scan.scatter == scan.trueScatter)
        #expect(zip(scan.counts, zip(scan.primary, scan.scatter)).allSatisfy { $0 == $1.0 + $1.1 })
        #expect(scan.assumedHeads == scan.trueHeads)
    }

    @Test func mismatchesLieWithinTheirBoundsAndAct() throws {
        let sampler = try sampler(.mismatched)
        var (attenuations, sensitivities): ([Double], [Double]) = ([], [])
        for seed in UInt64(0)..<60 {
            let scan = try sampler.acquire(activity, pose: .identity, seed: seed)
            attenuations.append(scan.attenuationFactor)
            sensitivities.append(scan.sensitivityFactor)
            #expect(0.94...1.06 ~= scan.attenuationFactor && 0.95...1.05 ~= scan.sensitivityFactor)
            #expect(-0.05...0.12 ~= scan.residualScatter && 90...300 ~= scan.dwellSeconds)
            for (assumed, real) in zip(scan.assumedHeads, scan.trueHeads) {
                #expect(abs(assumed.facePosition - real.facePosition) <= 30)
                #expect(abs(real.gain / assumed.gain - scan.sensitivityFactor) < 1e-12)
            }
            // The estimate misses the residual part of the wide scatter.
            let missed = (sum(scan.trueScatter) - sum(scan.scatter)) / sum(scan.trueScatter)
            #expect(abs(missed * sum(scan.trueScatter) / sum(scan.primary) - scan.residualScatter) < 0.05)
            let expectation = sum(scan.primary) + sum(scan.trueScatter)
            #expect(abs(sum(scan.counts) - expectation) < 5 * expectation.squareRoot())
        }
        #expect((attenuations.max() ?? 0) - (attenuations.min() ?? 0) > 0.1)
        #expect((sensitivities.max() ?? 0) - (sensitivities.min() ?? 0) > 0.08)
    }

    @Test func moreAttenuationMeansFewerCounts() throws {
        var world = AcquisitionWorld.matched
        world.drawsCounts = false
        let plain = try sampler(world).acquire(activity, pose: .identity, seed: 1)
        world.attenuation = UptakeWorld.Bounds(0.06, 0.06)
        let denser = try sampler(world).acquire(activity, pose: .identity, seed: 1)
        // A slab of 12.8 cm: (1 - e^-mt)/(mt) falls by 3.5 % when mu grows by 6 %.
        let ratio = sum(denser.primary) / sum(plain.primary)
        #expect(abs(ratio - 0.965) < 0.004)
        #expect(denser.dwellSeconds == plain.dwellSeconds)
    }

    @Test func countsArePoissonAndRepeat() throws {
        let sampler = try sampler(.matched)
        let scan = try sampler.acquire(activity, pose: .identity, seed: 9)
        let again = try sampler.acquire(activity, pose: .identity, seed: 9)
        #expect(scan.counts == again.counts)
        var chiSquare = 0.0
        var pixels = 0.0
        for (count, mean) in zip(scan.counts, zip(scan.primary, scan.trueScatter).map(+)) where mean > 20 {
            chiSquare += Double((count - mean) * (count - mean) / mean)
            pixels += 1
        }
        #expect(pixels > 500)
        // Four standard errors of a chi-square with so many degrees of freedom.
        #expect(abs(chiSquare / pixels - 1) < 4 * (2 / pixels).squareRoot())
    }

    @Test func theMovedPatientTakesHisAttenuationAlong() throws {
        var world = AcquisitionWorld.matched
        world.drawsCounts = false
        let sampler = try sampler(world)
        let pose = RigidPose(rotationDegrees: .zero, translation: SIMD3(16, 0, 0))
        let still = try sampler.acquire(activity, pose: .identity, seed: 1)
        let moved = try sampler.acquire(pose.moved(activity), pose: pose, seed: 1)
        // Two columns further: the same image, to the edges' blur.
        for row in 4..<24 {
            for column in 6..<26 {
                let (before, after) = (still.primary[row * 32 + column], moved.primary[row * 32 + column + 2])
                #expect(abs(before - after) <= 1e-3 * before)
            }
        }
    }
}

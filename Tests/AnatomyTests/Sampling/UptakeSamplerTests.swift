import Anatomy
import Glibc
import Imaging
import TestSupport
import Testing

struct UptakeSamplerTests {
    private let patient: SmallPatient

    init() throws { patient = try SmallPatient() }

    private func index(_ name: String) -> Int { SmallPatient.names.firstIndex(of: name) ?? -1 }

    @Test func sameSeedSameMap() throws {
        let sampler = try patient.sampler(.full)
        let sample = sampler.sample(seed: 5)
        let again = try patient.sampler(.full).sample(seed: 5)
        #expect(sample.draw == again.draw && sample.activity == again.activity && sample.owners == again.owners)
        #expect(sampler.sample(seed: 6).activity != sample.activity)
        #expect(sample.activity.voxels.allSatisfy { $0.isFinite && $0 >= 0 })
    }

    /// What a fit of scales and one pose can reach is all there is.
    @Test(arguments: [UInt64(1), 2, 3])
    func theNarrowWorldIsScalesAndAPose(seed: UInt64) throws {
        let sampler = try patient.sampler(.narrow)
        let sample = sampler.sample(seed: seed)
        let model = sample.draw.pose.moved(sampler.template(levels: sample.draw.levels))
        let peak = sample.activity.voxels.max() ?? 0
        let worst = zip(model.voxels, sample.activity.voxels).map { abs($0 - $1) }.max() ?? 0
        #expect(sample.draw.pose != .identity)
        // Single precision: the two sum their eight neighbours in another order.
        #expect(worst < 2e-5 * peak)
    }

    /// The coverage of one region is the map in which it alone has a level of one.
    private func coverages(_ sampler: UptakeSampler, _ draw: UptakeDraw) -> [Volume<Float>] {
        sampler.regions.indices.map { region in
            var own = draw
            own.textures = own.textures.map { _ in UptakeDraw.Texture() }
            own.levels = own.levels.indices.map { $0 == region ? 1 : 0 }
            own.foci = own.foci.map {
                UptakeDraw.Focus(kind: $0.kind, centre: $0.centre, semiAxes: $0.semiAxes, concentration: 0)
            }
            return sampler.render(own).activity
        }
    }

    @Test func movedRegionsStayDisjointAndFillTheBody() throws {
        var world = UptakeWorld.full
        (world.newFoci, world.injectionSpot) = (nil, nil)
        let sampler = try patient.sampler(world)
        let draw = sampler.draw(seed: 3)
        let body = draw.pose.moved(sampler.template(levels: sampler.regions.map { _ in 1 }))
        var sum = Volume<Float>(grid: sampler.grid, repeating: 0)
        for coverage in coverages(sampler, draw) {
            #expect(coverage.voxels.allSatisfy { $0 >= 0 && $0 <= 1.0001 })
            for voxel in sum.voxels.indices { sum.voxels[voxel] += coverage.voxels[voxel] }
        }
        #expect(zip(sum.voxels, body.voxels).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func fociTakeTheirPartFromOthersAndNothingLeavesTheBody() throws {
        let sampler = try patient.sampler(.full)
        var withInjection = 0
        for seed in UInt64(0)..<30 {
            let sample = sampler.sample(seed: seed)
            withInjection += sample.draw.foci.contains { $0.kind == .injection } ? 1 : 0
            let body = sample.draw.pose.moved(sampler.template(levels: sampler.regions.map { _ in 1 }))
            let isOutside = zip(sample.activity.voxels, body.voxels).contains { $0 > 0 && $1 <= 1e-6 }
            #expect(!isOutside)
            if seed == 4 {
                var one = sample.draw
                one.levels = one.levels.map { _ in 1 }
                one.textures = one.textures.map { _ in UptakeDraw.Texture() }
                one.foci = one.foci.map {
                    UptakeDraw.Focus(kind: $0.kind, centre: $0.centre, semiAxes: $0.semiAxes, concentration: 1)
                }
                let whole = sampler.render(one).activity
                #expect(zip(whole.voxels, body.voxels).allSatisfy { abs($0 - $1) < 1e-4 })
            }
        }
        #expect(withInjection > 0)
    }

    @Test func sumsAreThoseOfTheMap() throws {
        let sampler = try patient.sampler(.full)
        for seed in UInt64(0)..<5 {
            let sample = sampler.sample(seed: seed)
            let total = sample.activity.voxels.reduce(0.0) { $0 + Double($1) } * sampler.grid.voxelMillilitres * 1e-6
            #expect(abs(sample.megabecquerels / total - 1) < 1e-5)
            #expect(sample.focusMegabecquerels.count == sample.draw.foci.count)
        }
        // Where nothing moves, a region holds its level times its volume, whatever its texture.
        var world = UptakeWorld.full
        (world.pose, world.organMotion, world.bending, world.newFoci, world.injectionSpot) = (nil, nil, nil, nil, nil)
        let unmoved = try patient.sampler(world)
        let sample = unmoved.sample(seed: 1)
        for (region, level) in unmoved.regions.indices.map({ ($0, sample.draw.levels[$0]) }) {
            let expected = level * unmoved.regions[region].millilitres * 1e-6
            #expect(abs(sample.regionMegabecquerels[region] / expected - 1) < 1e-4, "\(region)")
        }
    }

    @Test func aShiftedOrganKeepsItsConcentrationAndVolume() throws {
        var world = UptakeWorld.still
        world.organMotion = UptakeWorld.OrganMotion()
        let sampler = try patient.sampler(world)
        var draw = sampler.draw(seed: 1)
        draw.shifts = draw.shifts.map { _ in .zero }
        draw.shifts[index("bladder")] = SIMD3(0, 4, 14)
        let sample = sampler.render(draw)
        let bladder = index("bladder")
        let before = sampler.medianLevels[bladder] * sampler.regions[bladder].millilitres * 1e-6
        #expect(abs(sample.regionMegabecquerels[bladder] / before - 1) < 0.002)
        #expect(abs(Double(sample.activity.voxels.max() ?? 0) / (sampler.medianLevels.max() ?? 0) - 1) < 1e-5)
        let centre = centroid(sample, bladder)
        #expect(abs(centre.y - (-30 + 4)) < 0.5 && abs(centre.z - (-110 + 14)) < 0.5)
    }

    private func centroid(_ sample: UptakeSample, _ region: Int) -> SIMD3<Double> {
        let grid = sample.owners.grid
        var sum = SIMD3<Double>.zero
        var count = 0.0
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where sample.owners[x, y, z] == UInt8(region + 1) {
                    sum += grid.position(x: Double(x), y: Double(y), z: Double(z))
                    count += 1
                }
            }
        }
        return sum / count
    }

    @Test func kidneysHaveACortex() throws {
        var world = UptakeWorld.still
        world.kidneyLayers = UptakeWorld.KidneyLayers()
        let sampler = try patient.sampler(world)
        let sample = sampler.sample(seed: 2)
        let kidney = sampler.regions[index("kidney_left")]
        let inside = kidney.coverage.voxels.indices.filter { kidney.coverage.voxels[$0] == 1 }
        let values = inside.map { sample.activity.voxels[$0] }
        let (cortex, medulla) = (try #require(values.max()), try #require(values.min()))
        #expect(abs(Double(cortex / medulla) - sample.draw.textures[index("kidney_left")].cortexToMedulla) < 1e-3)
        let inner = Double(values.filter { $0 < 1.01 * medulla }.count) / Double(values.count)
        #expect(inner > 0.27 && inner < 0.4)
    }

    @Test func aKeptTextureIsThePETs() throws {
        var world = UptakeWorld.still
        world.petTexture = UptakeWorld.PETTexture()
        world.petTexture?.probability = 1
        let sampler = try patient.sampler(world)
        let map = sampler.sample(seed: 1).activity
        let scale = map.voxels.reduce(0, +) / patient.pet.voxels.reduce(0, +)
        let worst = zip(map.voxels, patient.pet.voxels).map { abs($0 - scale * $1) }.max() ?? 0
        #expect(worst < 1e-4 * (map.voxels.max() ?? 0))
    }

    @Test(arguments: [(0.3, 20.0), (0.1, 8)])
    func uptakeInsideARegionIsTheStatedField(deviation: Double, length: Double) throws {
        let spacing = 4.0
        let grid = try VoxelGrid(
            columns: 48, rows: 48, slices: 48, spacing: SIMD3(repeating: spacing), origin: .zero)
        let region = Region(
            name: "remainder", organ: .remainder, kind: .background, coverage: Volume(grid: grid, repeating: 1))
        var world = UptakeWorld.still
        world.unevenness = UptakeWorld.Unevenness()
        world.unevenness?.deviation = UptakeWorld.Bounds(deviation, deviation)
        world.unevenness?.length = UptakeWorld.Bounds(length, length)
        let sampler = try UptakeSampler(regions: [region], pet: Volume(grid: grid, repeating: 1), world: world)
        let lag = Int((length / spacing).rounded())
        var (squares, products) = (0.0, 0.0)
        let seeds = UInt64(1)...12
        for seed in seeds {
            let map = sampler.sample(seed: seed).activity
            let mean = Double(map.voxels.reduce(0, +)) / Double(map.voxels.count)
            let field = map.voxels.map { Double($0) / mean - 1 }
            squares += field.reduce(0) { $0 + $1 * $1 } / Double(field.count)
            let pairs = field.indices.filter { $0 / (48 * 48) + lag < 48 }
            products += pairs.reduce(0) { $0 + field[$1] * field[$1 + lag * 48 * 48] } / Double(pairs.count)
        }
        let found = (squares / Double(seeds.count)).squareRoot()
        #expect(abs(found / deviation - 1) < 0.05)
        // At a distance of the length the correlation is exp(-1/2); the lattice is linear between its nodes.
        #expect(abs(products / squares - exp(-0.5)) < 0.06)
    }

    @Test func bendingDisplacesAsStated() throws {
        // A linear ramp shows where each voxel came from: x is pulled from x - d, so the value tells d.
        let grid = try VoxelGrid(columns: 40, rows: 40, slices: 40, spacing: SIMD3(repeating: 8), origin: .zero)
        var coverage = Volume<Float>(grid: grid, repeating: 0)
        for voxel in coverage.voxels.indices { coverage.voxels[voxel] = Float(voxel % 40 + 1) / 100 }
        let ramp = Region(name: "ramp", organ: nil, kind: .organ, coverage: coverage)
        let rest = Region(name: "remainder", organ: .remainder, kind: .background, coverage: coverage.map { 1 - $0 })
        var world = UptakeWorld.still
        world.bending = UptakeWorld.Bending()
        let sampler = try UptakeSampler(regions: [ramp, rest], pet: Volume(grid: grid, repeating: 1), world: world)
        var displacements: [Double] = []
        for seed in UInt64(0)..<40 {
            var draw = sampler.draw(seed: seed)
            draw.levels = [1, 0]
            let map = sampler.render(draw).activity
            for x in 5..<35 { displacements.append((Double(x + 1) - Double(map[x, 20, 20]) * 100) * 8) }
        }
        let moments = Moments(displacements)
        #expect(abs(moments.deviation / 4 - 1) < 0.2)
        #expect(abs(moments.mean) < 1)
    }

    @Test func whatHoldsNothingIsRefused() throws {
        let grid = patient.pet.grid
        let empty = Region(name: "liver", organ: .liver, kind: .organ, coverage: Volume(grid: grid, repeating: 0))
        #expect(throws: AnatomyError.noRegions) { try UptakeSampler(regions: [empty], pet: patient.pet) }
        #expect(throws: AnatomyError.emptyPET) {
            try UptakeSampler(regions: patient.regions, pet: Volume(grid: grid, repeating: 0))
        }
    }
}

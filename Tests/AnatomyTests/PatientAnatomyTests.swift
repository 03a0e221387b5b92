import Anatomy
import Imaging
import Testing

@Suite struct PatientAnatomyTests {
    // A grid that is possible by construction.
    private static let ctGrid = try! VoxelGrid(
        columns: 60, rows: 48, slices: 20, spacing: SIMD3(2, 2, 4), origin: SIMD3(-59, -47, 0))

    /// A cylinder of water with two lungs of air inside, and a table under it.
    private static func ct(withTable: Bool = false) -> Volume<Float> {
        var ct = Volume<Float>(grid: ctGrid, repeating: -1000)
        for z in 0..<20 {
            for y in 0..<48 {
                for x in 0..<60 {
                    let p = ctGrid.position(x: Double(x), y: Double(y), z: Double(z))
                    if p.x * p.x / 2500 + p.y * p.y / 900 <= 1 { ct[x, y, z] = 30 }
                    if (abs(p.x) - 20) * (abs(p.x) - 20) + p.y * p.y <= 64 { ct[x, y, z] = -750 }
                    if withTable, p.y > 40, p.y < 44 { ct[x, y, z] = 100 }
                }
            }
        }
        return ct
    }

    private static func box(_ half: Double) -> @Sendable (VoxelGrid) -> Volume<Float> {
        { grid in
            var coverage = Volume<Float>(grid: grid, repeating: 0)
            for voxel in 0..<grid.voxelCount {
                let x = Double(voxel % grid.columns)
                let y = Double(voxel / grid.columns % grid.rows)
                let z = Double(voxel / (grid.columns * grid.rows))
                let p = grid.position(x: x, y: y, z: z)
                if abs(p.x) < half, abs(p.y) < half, p.z > 20, p.z < 60 { coverage.voxels[voxel] = 1 }
            }
            return coverage
        }
    }

    private static func pet(_ value: Float = 1) -> Volume<Float> { Volume(grid: ctGrid, repeating: value) }

    @Test func thinBoneCountsAsThePartOfTheVoxelsThatItFills() throws {
        var ct = Self.ct()
        // A plate of one CT voxel in depth, half as thick as the grid's voxels.
        for z in 0..<20 {
            for x in 20..<40 { ct[x, 20, z] = 900 }
        }
        let anatomy = try PatientAnatomy(hounsfield: ct, pet: Self.pet(), contours: [], spacing: 4)
        let bone = try #require(anatomy.regions.first { $0.organ == .bone })
        #expect(abs(bone.millilitres - 20 * 20 * Self.ctGrid.voxelMillilitres) < 0.1)
        #expect(bone.coverage.voxels.allSatisfy { $0 < 0.51 })
        // Air around the body is no lung.
        let lungs = try #require(anatomy.regions.first { $0.organ == .lungs })
        for z in 0..<anatomy.grid.slices {
            for y in 0..<anatomy.grid.rows {
                for x in 0..<anatomy.grid.columns where lungs.coverage[x, y, z] > 0 {
                    let p = anatomy.grid.position(x: Double(x), y: Double(y), z: 0)
                    #expect(abs(abs(p.x) - 20) <= 10 && abs(p.y) <= 10)
                }
            }
        }
    }

    @Test func regionsShareTheBodyOutWithoutOverlap() throws {
        let anatomy = try PatientAnatomy(
            hounsfield: Self.ct(), pet: Self.pet(),
            contours: [
                .init(name: "Leber", coverage: Self.box(12)), .init(name: "Node A", coverage: Self.box(5)),
            ])
        var sum = [Float](repeating: 0, count: anatomy.grid.voxelCount)
        for region in anatomy.regions {
            for voxel in sum.indices { sum[voxel] += region.coverage.voxels[voxel] }
        }
        for voxel in sum.indices { #expect(abs(sum[voxel] - (anatomy.body.voxels[voxel] ? 1 : 0)) < 1e-5) }
        #expect(anatomy.regions.map(\.name) == ["node_a", "liver", "lungs", "remainder"])
        #expect(anatomy.regions.map(\.kind) == [.lesion, .organ, .background, .background])
        // The smaller contour wins where they overlap.
        let node = anatomy.regions[0].millilitres
        let liver = anatomy.regions[1].millilitres
        #expect(node > 2 && liver > 5 * node)
    }

    @Test func voxelCentresAreCentresOfTheCT() throws {
        let anatomy = try PatientAnatomy(hounsfield: Self.ct(), pet: Self.pet(), contours: [])
        let place = Self.ctGrid.index(of: anatomy.grid.origin)
        for axis in 0..<3 { #expect(abs(place[axis] - place[axis].rounded()) < 1e-9) }
        #expect(anatomy.findings.contains("no-contours"))
    }

    @Test func theTableIsNoPatient() throws {
        let with = try PatientAnatomy(hounsfield: Self.ct(withTable: true), pet: Self.pet(), contours: [])
        let without = try PatientAnatomy(hounsfield: Self.ct(), pet: Self.pet(), contours: [])
        #expect(with.body == without.body)
    }

    @Test func refusesWhatHoldsNothing() {
        #expect(throws: AnatomyError.emptyPET) {
            try PatientAnatomy(hounsfield: Self.ct(), pet: Self.pet(0), contours: [])
        }
        #expect(throws: AnatomyError.noBody) {
            try PatientAnatomy(
                hounsfield: Volume(grid: Self.ctGrid, repeating: -1000), pet: Self.pet(), contours: [])
        }
    }
}

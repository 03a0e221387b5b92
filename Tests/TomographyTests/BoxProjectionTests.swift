import Imaging
import Testing
import Tomography

@Suite struct BoxProjectionTests {
    /// A part of the grid projects as the whole grid with zeros around it. Tolerance: what lies beyond 3.5 deviations.
    @Test(arguments: [(20..<26, 4..<9, 18..<30), (0..<5, 0..<3, 0..<4), (39..<48, 11..<15, 40..<50)])
    func aPartOfTheGridProjectsAsTheWhole(columns: Range<Int>, rows: Range<Int>, slices: Range<Int>) throws {
        let grid = try ProjectorTests.grid(48, 15, 50)
        let projector = try OpposedViewProjector(
            heads: ProjectorTests.heads(grid, pixel: 2.4),
            attenuation: [ProjectorTests.energy: ProjectorTests.unevenAttenuation(grid)])
        var volume = Volume<Float>(grid: grid, repeating: 0)
        for z in slices {
            for y in rows {
                for x in columns { volume[x, y, z] = Float(1 + (x * 7 + y * 3 + z) % 5) }
            }
        }
        let box = try #require(VoxelBox(of: volume))
        let whole = projector.forward(volume.voxels)
        let peak = try #require(whole.max())
        for (part, full) in zip(projector.forward(box), whole) { #expect(abs(part - full) < 1e-3 * peak) }
        #expect(projector.forward([box, box])[1] == projector.forward(box))
    }

    @Test func withdrawnHeadsSeeWiderPoints() throws {
        let grid = try ProjectorTests.grid(40, 10, 40)
        let heads = ProjectorTests.heads(grid)
        let projector = try OpposedViewProjector(
            heads: heads, attenuation: [ProjectorTests.energy: Volume(grid: grid, repeating: 0)])
        var activity = [Float](repeating: 0, count: grid.voxelCount)
        activity[grid.offset(x: 20, y: 5, z: 20)] = 1
        let near = projector.forward(activity)
        let far = try projector.withHeads(heads.map { $0.withdrawn(by: 60) }).forward(activity)
        let (nearPeak, farPeak) = (try #require(near.max()), try #require(far.max()))
        #expect(farPeak < 0.6 * nearPeak)
        let ratio = far.reduce(0, +) / near.reduce(0, +)
        #expect(abs(ratio - 1) < 0.01)
        #expect(throws: TomographyError.self) { try projector.withHeads(heads.map { $0.withdrawn(by: -60) }) }
    }
}

import Anatomy
import Imaging
import Testing

struct RigidPoseTests {
    private let grid: VoxelGrid

    init() throws {
        grid = try VoxelGrid(columns: 30, rows: 24, slices: 36, spacing: SIMD3(4, 5, 3), origin: SIMD3(-10, 0, 7))
    }

    /// A blob at a place, and where its centre of mass is afterwards.
    private func centre(after pose: RigidPose, of place: SIMD3<Double>) -> SIMD3<Double> {
        var blob = Volume<Float>(grid: grid, repeating: 0)
        func forEach(_ body: (Int, SIMD3<Double>) -> Void) {
            for z in 0..<grid.slices {
                for y in 0..<grid.rows {
                    for x in 0..<grid.columns {
                        body(
                            grid.offset(x: x, y: y, z: z), grid.position(x: Double(x), y: Double(y), z: Double(z)))
                    }
                }
            }
        }
        forEach { voxel, position in
            let away = position - place
            blob.voxels[voxel] = Float(max(0, 1 - (away * away).sum() / 144))
        }
        let moved = pose.moved(blob)
        var sum = SIMD3<Double>.zero
        var weight = 0.0
        forEach { voxel, position in
            sum += Double(moved.voxels[voxel]) * position
            weight += Double(moved.voxels[voxel])
        }
        return sum / weight
    }

    @Test func translates() {
        let place = SIMD3(40.0, 50, 55)
        let pose = RigidPose(rotationDegrees: .zero, translation: SIMD3(6, -5, 7.5))
        let found = centre(after: pose, of: place) - place
        #expect(abs(found.x - 6) < 0.1 && abs(found.y + 5) < 0.1 && abs(found.z - 7.5) < 0.1)
    }

    /// A right-handed turn about each axis moves the next axis towards the one after it.
    @Test(arguments: 0..<3)
    func rotatesAboutTheGridsCentre(axis: Int) {
        let middle = grid.position(x: 14.5, y: 11.5, z: 17.5)
        let (from, towards) = ((axis + 1) % 3, (axis + 2) % 3)
        var arm = SIMD3<Double>.zero
        arm[from] = 25
        var pose = RigidPose.identity
        pose.rotationDegrees[axis] = 30
        let found = centre(after: pose, of: middle + arm) - middle
        #expect(abs(found[axis]) < 0.2)
        #expect(abs(found[from] - 25 * 0.866) < 0.3 && abs(found[towards] - 25 * 0.5) < 0.3)
    }

    @Test func thePatientGoesOnBeyondTheEnds() {
        let whole = Volume<Float>(grid: grid, repeating: 2)
        let moved = RigidPose(rotationDegrees: .zero, translation: SIMD3(0, 0, 40)).moved(whole)
        #expect(moved.voxels.allSatisfy { $0 == 2 })
        let aside = RigidPose(rotationDegrees: .zero, translation: SIMD3(8, 0, 0)).moved(whole, outside: -1)
        #expect(aside[0, 3, 3] == -1 && aside[1, 3, 3] == -1 && aside[2, 3, 3] == 2)
    }
}

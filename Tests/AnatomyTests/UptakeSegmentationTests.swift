import Anatomy
import Glibc
import Imaging
import Testing

/// Simple scenes in which it is plain what the regions are.
@Suite struct UptakeSegmentationTests {
    // A grid that is possible by construction.
    private static let grid = try! VoxelGrid(
        columns: 40, rows: 40, slices: 40, spacing: SIMD3(repeating: 4), origin: SIMD3(repeating: -78))

    /// A body of water in which spheres hold more than the rest, as a PET of 6 mm resolution sees them.
    private static func uptake(
        _ spheres: [(centre: SIMD3<Double>, radius: Double, level: Double)]
    ) throws -> [Region] {
        var ct = Volume<Float>(grid: grid, repeating: -1000)
        var pet = Volume<Float>(grid: grid, repeating: 0)
        for voxel in 0..<grid.voxelCount {
            let place = grid.position(
                x: Double(voxel % 40), y: Double(voxel / 40 % 40), z: Double(voxel / 1600))
            if abs(place.x) < 70, abs(place.y) < 70 {
                ct.voxels[voxel] = 20
                pet.voxels[voxel] = 100
            }
            for sphere in spheres {
                let away = place - sphere.centre
                let outside = (away * away).sum().squareRoot() - sphere.radius
                // An edge blurred by 2.5 mm.
                let share = 0.5 * erfc(outside / (2.5 * 2.0.squareRoot()))
                pet.voxels[voxel] += Float(share * sphere.level)
            }
        }
        return try PatientAnatomy(hounsfield: ct, pet: pet, contours: [], spacing: 4).regions.filter {
            $0.name.hasPrefix("uptake-")
        }
    }

    @Test func aSphereHasItsVolume() throws {
        let found = try Self.uptake([(SIMD3(4, -8, 0), 20, 3000)])
        #expect(found.count == 1)
        #expect(abs(found[0].millilitres / 33.5 - 1) < 0.1)
    }

    @Test func nothingIsFoundInAnEvenBody() throws {
        #expect(try Self.uptake([]).isEmpty)
    }

    @Test func twoBesideEachOtherStayTwo() throws {
        let found = try Self.uptake([(SIMD3(-24, 0, 0), 20, 3000), (SIMD3(24, 0, 0), 20, 2500)])
        #expect(found.count == 2)
    }

    @Test func twoThatTouchBehindEachOtherAreOne() throws {
        // Their saddle is about two thirds of the summits.
        let gap = 20.5
        let depth = try Self.uptake([(SIMD3(0, -gap, 0), 20, 3000), (SIMD3(0, gap, 0), 20, 3000)])
        #expect(depth.count == 1)
        let above = try Self.uptake([(SIMD3(0, 0, -gap), 20, 3000), (SIMD3(0, 0, gap), 20, 3000)])
        #expect(above.count == 2)
    }

    @Test func aHotSpotInAWarmOrganIsARegionOfItsOwn() throws {
        let found = try Self.uptake([(SIMD3(0, 0, 0), 50, 600), (SIMD3(10, 0, 10), 10, 4000)])
        #expect(found.count == 2)
        let spot = try #require(found.first { $0.kind == .lesion })
        let organ = try #require(found.first { $0.kind == .organ })
        // Of a spot this small the blurred edge is a third.
        #expect(spot.millilitres > 3.5 && spot.millilitres < 6.3)
        // The organ has what the spot has not: no shell is left between them.
        #expect(abs((organ.millilitres + spot.millilitres) / 523.6 - 1) < 0.06)
    }

    @Test func aHollowOrganIsFilled() throws {
        let found = try Self.uptake([(SIMD3(0, 0, 0), 30, 3000), (SIMD3(0, 0, 0), 14, -2600)])
        #expect(found.count == 1)
        #expect(abs(found[0].millilitres / 113.1 - 1) < 0.1)
    }
}

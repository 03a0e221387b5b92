import Imaging
import Reconstruction
import Testing

/// A warm body with an organ and spots at known places.
@Suite struct LesionDetectionTests {
    private static let grid = try! VoxelGrid(  // The counts are positive: it cannot fail.
        columns: 40, rows: 24, slices: 40, spacing: SIMD3(5, 5, 5), origin: SIMD3(0, 0, 0))
    private static let body = Volume<Bool>(grid: grid, repeating: true)
    private static let organs = ball(at: SIMD3(30, 12, 30), radius: 5, value: 1, around: 0).map { $0 > 0.5 }

    private static func ball(
        at centre: SIMD3<Double>, radius: Double, value: Float, around: Float, on start: Volume<Float>? = nil
    ) -> Volume<Float> {
        var volume = start ?? Volume<Float>(grid: grid, repeating: around)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns {
                    let away = SIMD3(Double(x), Double(y), Double(z)) - centre
                    let squared = (away * away).sum()
                    // Highest in the middle: one summit.
                    if squared <= radius * radius { volume[x, y, z] = value * Float(1 - 0.01 * squared) }
                }
            }
        }
        return volume
    }

    private static let place = SIMD3<Double>(10, 12, 10)
    private static let lesion = (centre: place * 5, millilitres: 4.0, isSought: true)
    private static let truth = ball(at: place, radius: 2, value: 20, around: 1)

    private func detect(
        _ map: Volume<Float>, _ truth: Volume<Float> = truth,
        lesions: [(centre: SIMD3<Double>, millilitres: Double, isSought: Bool)] = [lesion]
    ) -> LesionDetection {
        LesionDetection(map, truth: truth, body: Self.body, organs: Self.organs, lesions: lesions)
    }

    @Test func aSpotWithinFifteenMillimetresFindsTheLesion() {
        for (distance, found) in [(0.0, 1), (2, 1), (4, 0)] {
            let map = Self.ball(at: Self.place + SIMD3(distance, 0, 0), radius: 2, value: 5, around: 1)
            let detection = detect(map)
            #expect(detection.lesions == 1 && detection.found == found, "\(distance)")
            // A spot that is no lesion's is a false one.
            #expect(detection.falseSpots == 1 - found)
        }
    }

    @Test func whatDoesNotStandOutIsNotFound() {
        let detection = detect(Self.ball(at: Self.place, radius: 2, value: 3.8, around: 1))
        #expect(detection.found == 0 && detection.falseSpots == 0)
        #expect(detect(Volume<Float>(grid: Self.grid, repeating: 1)).found == 0)
    }

    @Test func organsAndKnownLesionsAreNoFalseSpots() {
        let organ = Self.ball(at: SIMD3(30, 12, 30), radius: 4, value: 9, around: 1)
        #expect(detect(organ).falseSpots == 0)
        let map = Self.ball(at: Self.place, radius: 2, value: 5, around: 1)
        let known = detect(map, lesions: [(Self.lesion.centre, 4, false)])
        #expect(known.lesions == 0 && known.falseSpots == 0)
    }

    @Test func onlyLargeHotLesionsAreSought() {
        let map = Self.ball(at: Self.place, radius: 2, value: 5, around: 1)
        #expect(detect(map, lesions: [(Self.lesion.centre, 2.5, true)]).lesions == 0)
        #expect(detect(map, Self.ball(at: Self.place, radius: 2, value: 8, around: 1)).lesions == 0)
    }
}

import Glibc
import Imaging
import Reconstruction
import Testing

@Suite struct ScoresTests {
    private static let grid = try! VoxelGrid(  // The counts are positive: it cannot fail.
        columns: 16, rows: 14, slices: 12, spacing: SIMD3(4, 4, 4), origin: SIMD3(0, 0, 0))
    private static let everywhere = Volume<Bool>(grid: grid, repeating: true)

    private static func sphere(at centre: SIMD3<Double>, value: Float = 10) -> Volume<Float> {
        var volume = Volume<Float>(grid: grid, repeating: 1)
        for z in 0..<12 {
            for y in 0..<14 {
                for x in 0..<16 {
                    let away = SIMD3(Double(x), Double(y), Double(z)) - centre
                    if (away * away).sum() <= 9 { volume[x, y, z] = value }
                }
            }
        }
        return volume
    }

    @Test func theTruthScoresPerfectly() throws {
        let truth = Self.sphere(at: SIMD3(8, 7, 6))
        let scores = try MapScores(truth, truth: truth, body: Self.everywhere, organs: truth.map { $0 > 5 })
        #expect(scores.relativeMAE == 0 && scores.dice == 1 && scores.hausdorff95Millimetres == 0)
        for similarity in [scores.similarity.whole, scores.similarity.body, scores.similarity.organs] {
            for value in [similarity.max, similarity.p999, similarity.p99] { #expect(abs(value - 1) < 1e-4) }
        }
    }

    @Test func theErrorIsRelativeToTheMeanOfTheTruth() throws {
        let truth = Self.sphere(at: SIMD3(8, 7, 6))
        let scores = try MapScores(
            truth.map { $0 * 1.2 }, truth: truth, body: Self.everywhere, organs: truth.map { $0 > 5 })
        #expect(abs(scores.relativeMAE - 0.2) < 1e-5)
    }

    @Test func aShiftedSphereIsSoFarAway() throws {
        let truth = Self.sphere(at: SIMD3(8, 7, 6))
        let scores = try MapScores(
            Self.sphere(at: SIMD3(10, 7, 6)), truth: truth, body: Self.everywhere, organs: truth.map { $0 > 5 })
        #expect(abs(scores.hausdorff95Millimetres - 8) < 1e-9)
        #expect(scores.dice > 0.4 && scores.dice < 0.7)
        #expect(scores.similarity.organs.max < scores.similarity.whole.max)
    }

    /// Of two constant images only the first factor of the index is left: (2ab + c) / (a² + b² + c).
    @Test func constantImagesHaveAClosedForm() throws {
        let truth = Volume<Float>(grid: Self.grid, repeating: 4)
        let scores = try MapScores(
            Volume(grid: Self.grid, repeating: 2), truth: truth, body: Self.everywhere, organs: Self.everywhere)
        let (a, b, c) = (0.5, 1.0, 1e-4)
        let index = (2 * a * b + c) / (a * a + b * b + c)
        #expect(abs(scores.similarity.whole.max - index) < 1e-4)
    }

    /// Reference values by windows of NumPy in double precision, one after the other, variances with `ddof=1`.
    @Test func similarityIsThatOfItsDefinition() throws {
        func waves(_ value: (Float, Float, Float) -> Float) -> Volume<Float> {
            var volume = Volume<Float>(grid: Self.grid, repeating: 0)
            for z in 0..<12 {
                for y in 0..<14 { for x in 0..<16 { volume[x, y, z] = value(Float(x), Float(y), Float(z)) } }
            }
            return volume
        }
        var truth = waves { expf(1.5 * sinf(0.7 * $0 + 0.3 * $1 + 0.5 * $2)) }
        truth[8, 7, 6] = 12
        let added = waves { 0.3 * cosf(1.1 * $0 - 0.4 * $1 + 0.2 * $2) }
        var sum = truth
        for voxel in sum.voxels.indices { sum.voxels[voxel] += added.voxels[voxel] }
        let scores = try MapScores(
            sum, truth: truth, body: Self.everywhere,
            organs: truth.map { $0 > 2.5 })
        let found = [scores.similarity.whole, scores.similarity.body, scores.similarity.organs].map {
            [$0.max, $0.p999, $0.p99]
        }
        let whole = [0.989479, 0.989331, 0.989334]
        for (row, expected) in zip(found, [whole, whole, [0.990572, 0.990632, 0.990636]]) {
            for (value, reference) in zip(row, expected) { #expect(abs(value - reference) < 3e-5) }
        }
    }

    @Test func refusesWhatIsNoMap() {
        let truth = Self.sphere(at: SIMD3(8, 7, 6))
        var broken = truth
        broken[3, 3, 3] = .nan
        #expect(throws: ReconstructionError.notFinite) {
            try MapScores(broken, truth: truth, body: Self.everywhere, organs: Self.everywhere)
        }
        #expect(throws: ReconstructionError.notFinite) {
            try MapScores(
                truth, truth: truth.map { _ in 0 }, body: Self.everywhere, organs: Self.everywhere)
        }
    }

    /// Exact two-sided probabilities, as tables of the signed rank test have them: all of one sign, 2 / 2^n.
    @Test func signedRanksAreExact() throws {
        let six = PairedComparison([2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1])
        #expect(six.wilcoxonP == 2.0 / 64)
        #expect(six.meanDifference == 3.5 && (2...2.4).contains(six.lower95) && (4.6...5).contains(six.upper95))
        #expect(PairedComparison([1, 2], [2, 1]).wilcoxonP == nil)
        // Ranks 1, 2 and 3 negative of eight: sum 6; 14 of 256 sign patterns give a sum of at most 6 on either side.
        let eight = PairedComparison([-1, -2, -3, 4, 5, 6, 7, 8], [Double](repeating: 0, count: 8))
        #expect(abs(try #require(eight.wilcoxonP) - 2 * 14 / 256.0) < 1e-12)
    }
}

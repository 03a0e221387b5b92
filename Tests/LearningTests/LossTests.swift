import Learning
import Testing

struct LossTests {
    init() { #expect(configured) }

    /// `skimage.metrics.structural_similarity` 0.25 with `win_size=7, data_range=1.5, full=True`, its map cropped by 3.
    @Test func similarityAgreesWithScikitImage() throws {
        let shape = [1, 1, 9, 8, 10]
        let estimate = try waveTensor(shape, 0.37) * 0.5 + 0.5
        let truth = try waveTensor(shape, 0.37, 0.4) * 0.4 + 0.5
        let similarity = try StructuralSimilarity(extents: [9, 8, 10])
        let map = try similarity.map(estimate, truth, dataRange: 1.5)
        #expect(map.shape == [1, 1, 3, 2, 4])
        let values = try map.floats()
        expectClose([values[0], values[2 * 8 + 1 * 4 + 3]], [0.8995489, 0.8995181])
        let whole = try similarity(estimate, truth, mask: Tensor.full(1, shape), dataRange: 1.5)
        expectClose([try whole.scalar], [0.89956504])
    }

    @Test func similarityCountsOnlyWindowsCentredInTheMask() throws {
        let shape = [1, 1, 8, 7, 7]
        let truth = try waveTensor(shape, 0.37)
        let estimate = try truth * 0.5
        var mask = [Float](repeating: 0, count: 8 * 49)
        mask[4 * 49 + 3 * 7 + 3] = 1
        let similarity = try StructuralSimilarity(extents: [8, 7, 7])
        let masked = try similarity(estimate, truth, mask: Tensor(mask, shape: shape), dataRange: 2)
        let map = try similarity.map(estimate, truth, dataRange: 2).floats()
        expectClose([try masked.scalar], [map[1]])
    }

    @Test func rootL1CountsOnlyTheMask() throws {
        let truth = try Tensor([4, 9], shape: [1, 1, 1, 1, 2])
        let estimate = try Tensor([9, 100], shape: [1, 1, 1, 1, 2])
        let mask = try Tensor([1, 0], shape: [1, 1, 1, 1, 2])
        expectClose([try TrainingLoss.rootL1(estimate, truth, mask: mask, floor: 1e-9).scalar], [1])
    }

    @Test func meanL1CountsOnlyTheMask() throws {
        let truth = try Tensor([4, 9, 1], shape: [1, 1, 1, 1, 3])
        let estimate = try Tensor([9, 100, 0], shape: [1, 1, 1, 1, 3])
        let mask = try Tensor([1, 0, 1], shape: [1, 1, 1, 1, 3])
        expectClose([try TrainingLoss.meanL1(estimate, truth, mask: mask).scalar], [3])
    }

    @Test func regionSumsCompareOrgans() throws {
        let truth = try Tensor([1, 2, 3, 4], shape: [1, 1, 1, 2, 2])
        let regions = try Tensor([1, 1, 0, 0, 0, 0, 1, 1], shape: [2, 1, 2, 2])
        #expect(try TrainingLoss.regionSums(truth, regions: regions).floats() == [3, 7])
        let loss = try TrainingLoss.regionSums(truth * 2, truth, regions: regions, floor: 1e-6)
        expectClose([try loss.scalar], [0.6931472])
    }

    @Test func devianceIsZeroAtTheCountsThemselves() throws {
        let counts = try Tensor([0, 1, 10, 200], shape: [4])
        #expect(try TrainingLoss.poissonDeviance(expected: counts, counts: counts, floor: 1e-6).scalar < 1e-4)
        // 2 (2 - 1 + 1 ln(1/2)) for one pixel of one count where two are expected.
        let one = try TrainingLoss.poissonDeviance(expected: Tensor([2], shape: [1]), counts: Tensor([1], shape: [1]))
        expectClose([try one.scalar], [0.6137056])
    }
}

/// The terms of the reconstruction loss. All return a scalar.
public enum TrainingLoss {
    /// `mean over the mask of |x - t|`.
    ///
    /// - Parameter mask: 0 or 1, broadcast to the maps.
    public static func meanL1(_ estimate: Tensor, _ truth: Tensor, mask: Tensor) throws(LearningError) -> Tensor {
        try ((estimate - truth).abs() * mask).sum() / mask.expanded(estimate.shape).sum().clamped(1...Float.infinity)
    }

    /// `mean over the mask of |sqrt(x + floor) - sqrt(t + floor)|`: the root makes errors of hot and cold organs weigh
    /// as counting statistics do.
    ///
    /// - Parameters:
    ///   - mask: 0 or 1, broadcast to the maps.
    ///   - floor: positive, far below the values of interest; it bounds the slope of the root at 0.
    public static func rootL1(
        _ estimate: Tensor, _ truth: Tensor, mask: Tensor, floor: Float = 1e-4
    ) throws(LearningError) -> Tensor {
        let difference = try (estimate.relu() + floor).sqrt() - (truth.relu() + floor).sqrt()
        return try (difference.abs() * mask).sum() / mask.expanded(estimate.shape).sum().clamped(1...Float.infinity)
    }

    /// The sum of a map over each region.
    ///
    /// - Shape: map `[n, 1, z, y, x]`, regions `[k, z, y, x]`, result `[n, k]`.
    public static func regionSums(_ map: Tensor, regions: Tensor) throws(LearningError) -> Tensor {
        let voxels = regions.shape.dropFirst().reduce(1, *)
        guard map.count % max(voxels, 1) == 0 else { throw .shapeMismatch(expected: regions.shape, found: map.shape) }
        return try map.reshaped([-1, voxels]).linear(regions.reshaped([-1, voxels]))
    }

    /// `mean over regions of |ln((sum x + floor) / (sum t + floor))|`, so a small organ counts as much as a large one.
    public static func regionSums(
        _ estimate: Tensor, _ truth: Tensor, regions: Tensor, floor: Float
    ) throws(LearningError) -> Tensor {
        let found = try regionSums(estimate.relu(), regions: regions) + floor
        let expected = try regionSums(truth.relu(), regions: regions) + floor
        return try (found.log() - expected.log()).abs().mean()
    }

    /// `2 mean(e - n + n ln(n / e))`: near 1 when `counts` are Poisson numbers of mean `expected`.
    ///
    /// - Parameters:
    ///   - expected: counts per pixel; below `floor` they are raised to it.
    ///   - counts: measured, at least 0, without gradient.
    public static func poissonDeviance(
        expected: Tensor, counts: Tensor, floor: Float = 1e-3
    ) throws(LearningError) -> Tensor {
        let safe = try expected.clamped(floor...Float.infinity)
        // n ln n goes to 0 with n; the logarithm alone does not.
        let entropy = try counts * counts.clamped(Float.leastNormalMagnitude...Float.infinity).log()
        return try (safe - counts + entropy - counts * safe.log()).mean() * 2
    }
}

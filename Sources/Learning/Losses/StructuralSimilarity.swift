/// Structural similarity with a uniform window of 7^3 voxels, differentiable, over the windows centred in a mask.
///
/// Only windows that lie inside the volume count, and variances are the unbiased ones, as in scikit-image's
/// `structural_similarity`. Windows are summed as products with banded matrices: these run at the speed of a matrix
/// product and repeat bit for bit on every device.
///
/// - Source: Wang et al., "Image quality assessment", IEEE TIP 13 (2004), equation 13; K1 = 0.01, K2 = 0.03.
public struct StructuralSimilarity {
    public static let window = 7
    private let alongZ: Tensor
    private let alongY: Tensor
    private let alongX: Tensor
    private let extents: [Int]

    /// - Parameter extents: z, y, x of the volumes, each at least 7.
    public init(extents: [Int], on device: Device = .cpu) throws(LearningError) {
        guard extents.count == 3, extents.allSatisfy({ $0 >= Self.window }) else {
            throw .shapeMismatch(expected: [Self.window, Self.window, Self.window], found: extents)
        }
        self.extents = extents
        alongZ = try Self.band(extents[0], device)
        alongY = try Self.band(extents[1], device)
        alongX = try Self.band(extents[2], device).permuted([1, 0])
    }

    /// - Parameters:
    ///   - estimate, truth: `[n, 1, z, y, x]`
    ///   - mask: the same shape or broadcast to it, 0 or 1.
    ///   - dataRange: the L of the formula, in the unit of the maps.
    /// - Returns: the mean over the masked windows, a scalar; 0 when there is none.
    public func callAsFunction(
        _ estimate: Tensor, _ truth: Tensor, mask: Tensor, dataRange: Float
    ) throws(LearningError) -> Tensor {
        let map = try self.map(estimate, truth, dataRange: dataRange)
        let inner = try centres(mask).expanded(map.shape)
        return try (map * inner).sum() / inner.sum().clamped(1...Float.infinity)
    }

    /// The similarity of every window.
    ///
    /// - Shape: `[n, 1, z - 6, y - 6, x - 6]`
    public func map(_ estimate: Tensor, _ truth: Tensor, dataRange: Float) throws(LearningError) -> Tensor {
        let moments = try means(
            Tensor.concatenated(
                [estimate, truth, estimate.squared(), truth.squared(), estimate * truth], along: 1))
        let (meanX, meanT) = (try moments.slice(1, 0..<1), try moments.slice(1, 1..<2))
        let samples = Float(Self.window * Self.window * Self.window)
        let unbiased = samples / (samples - 1)
        let varianceX = try (moments.slice(1, 2..<3) - meanX.squared()) * unbiased
        let varianceT = try (moments.slice(1, 3..<4) - meanT.squared()) * unbiased
        let covariance = try (moments.slice(1, 4..<5) - meanX * meanT) * unbiased
        let (c1, c2) = ((0.01 * dataRange) * (0.01 * dataRange), (0.03 * dataRange) * (0.03 * dataRange))
        let numerator = try (2 * meanX * meanT + c1) * (2 * covariance + c2)
        return try numerator / ((meanX.squared() + meanT.squared() + c1) * (varianceX + varianceT + c2))
    }

    /// Means of all whole windows.
    private func means(_ volumes: Tensor) throws(LearningError) -> Tensor {
        let (shape, margin) = (volumes.shape, Self.window - 1)
        let flat = try alongZ.matmul(volumes.reshaped([shape[0], shape[1], extents[0], extents[1] * extents[2]]))
        let summed = try flat.reshaped([shape[0], shape[1], extents[0] - margin, extents[1], extents[2]])
        return try alongY.matmul(summed).matmul(alongX)
    }

    private func centres(_ mask: Tensor) throws(LearningError) -> Tensor {
        let margin = Self.window / 2
        var inner = mask
        for (axis, extent) in extents.enumerated() {
            inner = try inner.slice(mask.rank - 3 + axis, margin..<extent - margin)
        }
        return inner
    }

    /// `[extent - 6, extent]`: each row takes the mean of seven neighbours.
    private static func band(_ extent: Int, _ device: Device) throws(LearningError) -> Tensor {
        let rows = extent - window + 1
        var values = [Float](repeating: 0, count: rows * extent)
        for row in 0..<rows {
            for offset in 0..<window { values[row * extent + row + offset] = 1 / Float(window) }
        }
        return try Tensor(values, shape: [rows, extent], device: device)
    }
}

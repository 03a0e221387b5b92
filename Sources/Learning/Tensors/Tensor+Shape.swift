import CTorch

extension Tensor {
    public func reshaped(_ shape: [Int]) throws(LearningError) -> Tensor {
        try Tensor(ctorch_reshape(handle, shape.extents, Int64(shape.count)), from: "reshape")
    }

    public func permuted(_ order: [Int]) throws(LearningError) -> Tensor {
        try Tensor(ctorch_permute(handle, order.extents, Int64(order.count)), from: "permute")
    }

    /// Extents of 1 repeated, without a copy, to those of `shape`.
    public func expanded(_ shape: [Int]) throws(LearningError) -> Tensor {
        try Tensor(ctorch_expand(handle, shape.extents, Int64(shape.count)), from: "expand")
    }

    public func slice(_ dimension: Int, _ range: Range<Int>) throws(LearningError) -> Tensor {
        try Tensor(
            ctorch_slice(handle, Int64(dimension), Int64(range.lowerBound), Int64(range.count)), from: "slice")
    }

    public static func concatenated(_ tensors: [Tensor], along dimension: Int) throws(LearningError) -> Tensor {
        try Tensor(
            ctorch_concatenate(tensors.map { $0.handle }, Int64(tensors.count), Int64(dimension)), from: "concatenate")
    }

    /// The last three dimensions extended at their ends by `amounts` (z, y, x).
    public func paddedAtEnd(_ amounts: [Int], with value: Float = 0) throws(LearningError) -> Tensor {
        precondition(amounts.count == 3)
        if amounts == [0, 0, 0] { return self }
        let ends: [Int64] = amounts.reversed().flatMap { [0, Int64($0)] }
        return try Tensor(ctorch_pad(handle, ends, Int64(ends.count), value), from: "pad")
    }

    /// The last three dimensions cut at their ends to `extents` (z, y, x).
    public func croppedAtEnd(to extents: [Int]) throws(LearningError) -> Tensor {
        precondition(extents.count == 3)
        var result = self
        for (dimension, extent) in zip(rank - 3..<rank, extents) where result.shape[dimension] != extent {
            result = try result.slice(dimension, 0..<extent)
        }
        return result
    }

    /// - Shape: `[n, c f0 f1 f2, d, h, w]` to `[n, c, d f0, h f1, w f2]`; the order of the channels is PyTorch's
    ///   `pixel_shuffle`, one dimension more.
    public func pixelShuffled(_ factor: [Int]) throws(LearningError) -> Tensor {
        precondition(factor.count == 3)
        return try Tensor(ctorch_pixel_shuffle3d(handle, factor.extents), from: "pixel shuffle")
    }
}

import Learning

/// A whole body in pieces along z: what networks are trained on and evaluated in, so that time and memory of a step, and
/// the statistics of the norms, do not depend on how much of the patient the CT shows.
struct SliceWindows {
    let length: Int

    /// A piece of a grid for one training step; the whole when it is no longer than a piece.
    func training(_ slices: Int, using generator: inout StepGenerator) -> Range<Int> {
        guard slices > length else { return 0..<slices }
        let start = Int.random(in: 0...slices - length, using: &generator)
        return start..<start + length
    }

    /// As few pieces as cover everything and overlap by an eighth: what overlaps is computed twice.
    func covering(_ slices: Int) -> [Range<Int>] {
        guard slices > length else { return [0..<slices] }
        let step = length - length / 8
        let count = (slices - length + step - 1) / step + 1
        return (0..<count).map { index in
            let start = index * (slices - length) / (count - 1)
            return start..<start + length
        }
    }

    /// What a network gives for each piece, blended where pieces overlap.
    ///
    /// - Shape: `[1, c, z, y, x]` in, the network's channels with the same extents out.
    func evaluate(
        _ input: Tensor, _ network: (Tensor) throws(LearningError) -> Tensor
    ) throws(LearningError) -> Tensor {
        let slices = input.shape[2]
        let pieces = covering(slices)
        guard pieces.count > 1 else { return try network(input) }
        var weights = [Float](repeating: 0, count: slices)
        for piece in pieces { for slice in piece { weights[slice] += Self.weight(slice, in: piece, of: slices) } }
        var sum: Tensor?
        for piece in pieces {
            let shares = piece.map { Self.weight($0, in: piece, of: slices) / weights[$0] }
            let share = try Tensor(shares, shape: [1, 1, piece.count, 1, 1], device: input.device)
            let output = try network(input.slice(2, piece)) * share
            let whole = try Self.extended(output, piece, slices)
            if let before = sum { sum = try before + whole } else { sum = whole }
        }
        guard let sum else { throw .shapeMismatch(expected: [1], found: [0]) }
        return sum
    }

    /// Falls towards the ends of a piece, but not where the grid ends too.
    private static func weight(_ slice: Int, in piece: Range<Int>, of slices: Int) -> Float {
        let fromStart = piece.lowerBound == 0 ? Int.max : slice - piece.lowerBound + 1
        let fromEnd = piece.upperBound == slices ? Int.max : piece.upperBound - slice
        return Float(min(fromStart, fromEnd, piece.count / 2))
    }

    /// A piece with nothing before and after it.
    static func extended(_ piece: Tensor, _ range: Range<Int>, _ slices: Int) throws(LearningError) -> Tensor {
        var shape = piece.shape
        var parts: [Tensor] = []
        if range.lowerBound > 0 {
            shape[2] = range.lowerBound
            parts.append(try Tensor.zeros(shape, device: piece.device))
        }
        parts.append(piece)
        if range.upperBound < slices {
            shape[2] = slices - range.upperBound
            parts.append(try Tensor.zeros(shape, device: piece.device))
        }
        return try parts.count == 1 ? piece : Tensor.concatenated(parts, along: 2)
    }
}

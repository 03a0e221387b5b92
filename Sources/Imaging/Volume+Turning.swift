extension Volume where Element == Float {
    /// The volume on a grid whose axes lie otherwise, by trilinear interpolation.
    ///
    /// - Parameters:
    ///   - place: takes a position of the target to that of the same point in this volume, in millimetres.
    ///   - outside: the value where this volume says nothing.
    public func resampled(
        to target: VoxelGrid, outside: Float = 0, at place: (SIMD3<Double>) -> SIMD3<Double>
    ) -> Volume<Float> {
        var result = Volume(grid: target, repeating: outside)
        for z in 0..<target.slices {
            for y in 0..<target.rows {
                for x in 0..<target.columns {
                    let position = place(target.position(x: Double(x), y: Double(y), z: Double(z)))
                    if let value = interpolated(at: grid.index(of: position)) { result[x, y, z] = value }
                }
            }
        }
        return result
    }

    /// - Returns: nil outside of the voxels' centres, with half a voxel around them.
    private func interpolated(at index: SIMD3<Double>) -> Float? {
        let last = SIMD3(Double(grid.columns - 1), Double(grid.rows - 1), Double(grid.slices - 1))
        for axis in 0..<3 where !(index[axis] >= -0.5 && index[axis] <= last[axis] + 0.5) { return nil }
        let inside = index.clamped(lowerBound: .zero, upperBound: last)
        let floor = inside.rounded(.down)
        let part = inside - floor
        var sum = 0.0
        for corner in 0..<8 {
            var weight = 1.0
            var cell = [Int](repeating: 0, count: 3)
            for axis in 0..<3 {
                let isUpper = corner >> axis & 1 == 1
                weight *= isUpper ? part[axis] : 1 - part[axis]
                cell[axis] = Int(Swift.min(floor[axis] + (isUpper ? 1 : 0), last[axis]))
            }
            if weight > 0 { sum += weight * Double(self[cell[0], cell[1], cell[2]]) }
        }
        return Float(sum)
    }
}

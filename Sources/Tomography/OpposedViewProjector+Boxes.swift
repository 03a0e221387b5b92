import Dispatch
public import Imaging

extension OpposedViewProjector {
    /// The views of activity that fills only a box of the grid: as ``forward(_:)`` of a volume that is zero elsewhere, at a
    /// cost that goes with the box.
    ///
    /// - Shape: `[head][z, x]`.
    public func forward(_ box: VoxelBox) -> [Float] {
        var views = [Float](repeating: 0, count: rangeCount)
        views.withUnsafeMutableBufferPointer { views in
            for head in heads.indices { addView(of: box, head: head, to: views.baseAddress! + viewOffsets[head]) }
        }
        return views
    }

    /// The views of many boxes, on all processors.
    public func forward(_ boxes: [VoxelBox]) -> [[Float]] {
        var views = [[Float]](repeating: [], count: boxes.count)
        views.withUnsafeMutableBufferPointer { views in
            // Each iteration writes its own element only.
            nonisolated(unsafe) let views = views
            DispatchQueue.concurrentPerform(iterations: boxes.count) { views[$0] = self.forward(boxes[$0]) }
        }
        return views
    }

    /// Beyond so many standard deviations nothing of a blur is followed.
    private static let reach: Float = 3.5

    private func addView(of box: VoxelBox, head: Int, to image: UnsafeMutablePointer<Float>) {
        let order = planesFromFar(of: head)
        guard let first = order.firstIndex(where: box.rows.contains) else { return }
        // The blur on the way from the box's furthest plane to the nearest one of the grid.
        let steps = stepVariances[head]
        var total: (x: Float, z: Float) = (0, 0)
        for step in first..<max(first, steps.count) { total = (total.x + steps[step].x, total.z + steps[step].z) }
        let columns = Self.widened(box.columns, by: Self.reach * total.x.squareRoot(), limit: grid.columns)
        let slices = Self.widened(box.slices, by: Self.reach * total.z.squareRoot(), limit: grid.slices)
        let recursion = DepthRecursion(columns: columns.count, slices: slices.count, rows: 1)
        defer { recursion.deallocate() }
        let corner = (x: box.columns.lowerBound - columns.lowerBound, z: box.slices.lowerBound - slices.lowerBound)
        transmissions[head].withUnsafeBufferPointer { transmission in
            box.values.withUnsafeBufferPointer { values in
                for place in first..<order.count {
                    let plane = order[place]
                    if place > first { recursion.blur(steps[place - 1]) }
                    guard box.rows.contains(plane) else { continue }
                    recursion.add(
                        values.baseAddress! + (plane - box.rows.lowerBound) * box.columns.count,
                        stride: box.rows.count * box.columns.count,
                        transmission: transmission.baseAddress!
                            + grid.offset(x: box.columns.lowerBound, y: plane, z: box.slices.lowerBound),
                        transmissionStride: grid.rows * grid.columns, at: corner,
                        columns: box.columns.count, slices: box.slices.count)
                }
            }
        }
        responses[head].addForward(
            plane: recursion.current, columns: columns, slices: slices, gain: Float(heads[head].gain), image: image)
    }

    private static func widened(_ range: Range<Int>, by reach: Float, limit: Int) -> Range<Int> {
        let margin = Int(reach.rounded(.up)) + 1
        return max(0, range.lowerBound - margin)..<min(limit, range.upperBound + margin)
    }
}

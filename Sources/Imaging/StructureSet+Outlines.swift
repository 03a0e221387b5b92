extension StructureSet.Region {
    /// The outlines of a mask, slice by slice along the edges of its voxels, as a region.
    ///
    /// The outlines lie on the planes of the voxel centres; rasterised on the same grid they give the mask back.
    ///
    /// - Throws: ``ImagingError/emptyContour(region:)`` when no voxel is in the mask.
    public init(name: String, outlining mask: Volume<Bool>) throws(ImagingError) {
        var contours: [[SIMD3<Double>]] = []
        for slice in 0..<mask.grid.slices {
            let z = mask.grid.position(x: 0, y: 0, z: Double(slice)).z
            for loop in Self.loops(mask, slice: slice) {
                contours.append(
                    loop.map { corner in
                        let place = mask.grid.position(x: Double(corner.x) - 0.5, y: Double(corner.y) - 0.5, z: 0)
                        return SIMD3(place.x, place.y, z)
                    })
            }
        }
        guard !contours.isEmpty else { throw .emptyContour(region: name) }
        self.init(name: name, contours: contours)
    }

    /// Closed walks along the borders of one slice's voxels, inside on the right hand, corners only.
    private static func loops(_ mask: Volume<Bool>, slice: Int) -> [[SIMD2<Int>]] {
        let grid = mask.grid
        func isInside(_ x: Int, _ y: Int) -> Bool {
            x >= 0 && y >= 0 && x < grid.columns && y < grid.rows && mask[x, y, slice]
        }
        // At most two borders leave a corner: where two voxels touch at it alone.
        var leaving: [SIMD2<Int>: [SIMD2<Int>]] = [:]
        var starts: [SIMD2<Int>] = []
        for y in 0..<grid.rows {
            for x in 0..<grid.columns where isInside(x, y) {
                let borders: [(Bool, SIMD2<Int>, SIMD2<Int>)] = [
                    (!isInside(x, y - 1), SIMD2(x, y), SIMD2(x + 1, y)),
                    (!isInside(x + 1, y), SIMD2(x + 1, y), SIMD2(x + 1, y + 1)),
                    (!isInside(x, y + 1), SIMD2(x + 1, y + 1), SIMD2(x, y + 1)),
                    (!isInside(x - 1, y), SIMD2(x, y + 1), SIMD2(x, y)),
                ]
                for (isBorder, from, to) in borders where isBorder {
                    leaving[from, default: []].append(to)
                    starts.append(from)
                }
            }
        }
        var loops: [[SIMD2<Int>]] = []
        for start in starts {
            guard var next = leaving[start]?.popLast() else { continue }
            var walk = [start]
            while next != start {
                walk.append(next)
                guard let following = leaving[next]?.popLast() else { break }
                next = following
            }
            loops.append(corners(of: walk))
        }
        return loops
    }

    /// A closed walk without the points at which it goes straight on.
    private static func corners(of walk: [SIMD2<Int>]) -> [SIMD2<Int>] {
        walk.indices.filter { index in
            let before = walk[(index + walk.count - 1) % walk.count]
            let after = walk[(index + 1) % walk.count]
            return walk[index] &- before != after &- walk[index]
        }.map { walk[$0] }
    }
}

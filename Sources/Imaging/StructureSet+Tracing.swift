extension StructureSet.Region {
    /// The outlines of a mask: on every axial plane the closed polygons along the borders of its pixels.
    ///
    /// Rasterised by the even-odd rule on the same grid they give the mask back.
    ///
    /// - Throws: ``ImagingError/emptyContour(region:)`` when no voxel is set.
    public init(name: String, tracing mask: Volume<Bool>) throws(ImagingError) {
        let grid = mask.grid
        var contours: [[SIMD3<Double>]] = []
        for z in 0..<grid.slices {
            let loops = Self.outlines(columns: grid.columns, rows: grid.rows) { mask[$0, $1, z] }
            for loop in loops {
                contours.append(loop.map { grid.position(x: Double($0.x) - 0.5, y: Double($0.y) - 0.5, z: Double(z)) })
            }
        }
        guard !contours.isEmpty else { throw .emptyContour(region: name) }
        self.init(name: name, contours: contours)
    }

    /// Closed loops of pixel corners around the set pixels, corners on straight lines left out.
    private static func outlines(columns: Int, rows: Int, isSet: (Int, Int) -> Bool) -> [[SIMD2<Int32>]] {
        // Every border edge, directed so that the set pixel lies on one fixed side.
        var edges: [SIMD2<Int32>: [SIMD2<Int32>]] = [:]
        var starts: [SIMD2<Int32>] = []
        func addEdge(_ x0: Int, _ y0: Int, _ x1: Int, _ y1: Int) {
            let start = SIMD2(Int32(x0), Int32(y0))
            edges[start, default: []].append(SIMD2(Int32(x1), Int32(y1)))
            starts.append(start)
        }
        func isSetInside(_ x: Int, _ y: Int) -> Bool {
            x >= 0 && y >= 0 && x < columns && y < rows && isSet(x, y)
        }
        for y in 0..<rows {
            for x in 0..<columns where isSet(x, y) {
                if !isSetInside(x, y - 1) { addEdge(x, y, x + 1, y) }
                if !isSetInside(x + 1, y) { addEdge(x + 1, y, x + 1, y + 1) }
                if !isSetInside(x, y + 1) { addEdge(x + 1, y + 1, x, y + 1) }
                if !isSetInside(x - 1, y) { addEdge(x, y + 1, x, y) }
            }
        }
        var loops: [[SIMD2<Int32>]] = []
        for start in starts {
            while edges[start]?.isEmpty == false {
                var loop: [SIMD2<Int32>] = []
                var here = start
                while let next = edges[here]?.popLast() {
                    if let last = loop.last, loop.count > 1 {
                        let before = loop[loop.count - 2]
                        if isStraight(before, last, here) { loop.removeLast() }
                    }
                    loop.append(here)
                    here = next
                    if here == start { break }
                }
                loops.append(loop)
            }
        }
        return loops
    }

    private static func isStraight(_ a: SIMD2<Int32>, _ b: SIMD2<Int32>, _ c: SIMD2<Int32>) -> Bool {
        let first = b &- a
        let second = c &- b
        return first.x &* second.y == first.y &* second.x
    }
}

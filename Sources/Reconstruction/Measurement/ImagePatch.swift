import Tomography

/// A part of a planar image that is zero elsewhere: what is done to the image of an organ costs what the organ covers.
///
/// - Shape: `[rows, columns]`, row-major; the ranges are those of the whole image.
struct ImagePatch {
    let columns, rows: Range<Int>
    var values: [Float]

    init(columns: Range<Int>, rows: Range<Int>) {
        (self.columns, self.rows) = (columns, rows)
        values = [Float](repeating: 0, count: columns.count * rows.count)
    }

    /// The smallest patch that holds all of an image.
    ///
    /// - Shape: `image` is `[z, x]` on the detector's pixels.
    init(_ image: ArraySlice<Float>, on detector: DetectorGrid) {
        let width = detector.columns
        var (left, right, top, bottom) = (width, -1, detector.rows, -1)
        image.withUnsafeBufferPointer { pixels in
            for row in 0..<detector.rows {
                let line = row * width
                guard let first = (0..<width).first(where: { pixels[line + $0] != 0 }),
                    let last = (0..<width).last(where: { pixels[line + $0] != 0 })
                else { continue }
                (left, right) = (min(left, first), max(right, last))
                (top, bottom) = (min(top, row), row)
            }
        }
        guard right >= left else {
            self.init(columns: 0..<0, rows: 0..<0)
            return
        }
        self.init(columns: left..<right + 1, rows: top..<bottom + 1)
        for row in rows {
            let source = image.startIndex + row * width + left
            let target = (row - top) * columns.count
            values.replaceSubrange(target..<target + columns.count, with: image[source..<source + columns.count])
        }
    }

    /// The same with a margin of zeros, as far as the image goes.
    func grown(columns across: Int, rows along: Int, on detector: DetectorGrid) -> ImagePatch {
        guard !values.isEmpty else { return self }
        let wider = max(columns.lowerBound - across, 0)..<min(columns.upperBound + across, detector.columns)
        let longer = max(rows.lowerBound - along, 0)..<min(rows.upperBound + along, detector.rows)
        var grown = ImagePatch(columns: wider, rows: longer)
        for row in rows {
            let source = (row - rows.lowerBound) * columns.count
            let target = (row - longer.lowerBound) * wider.count + columns.lowerBound - wider.lowerBound
            grown.values.replaceSubrange(
                target..<target + columns.count, with: values[source..<source + columns.count])
        }
        return grown
    }

    /// Adds a patch that lies inside of this one.
    mutating func add(_ other: ImagePatch, factor: Float) {
        for row in other.rows {
            let source = (row - other.rows.lowerBound) * other.columns.count
            let target =
                (row - rows.lowerBound) * columns.count + other.columns.lowerBound - columns.lowerBound
            for column in 0..<other.columns.count { values[target + column] += factor * other.values[source + column] }
        }
    }

    /// All pixels of the image.
    func whole(on detector: DetectorGrid) -> [Float] {
        if columns.count == detector.columns, rows.count == detector.rows { return values }
        var image = [Float](repeating: 0, count: detector.pixelCount)
        for row in rows {
            let source = (row - rows.lowerBound) * columns.count
            let target = row * detector.columns + columns.lowerBound
            image.replaceSubrange(target..<target + columns.count, with: values[source..<source + columns.count])
        }
        return image
    }
}

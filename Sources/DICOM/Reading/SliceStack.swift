import Imaging

/// The slices of one series in the order of their positions, checked to fill a grid without a hole.
struct SliceStack {
    /// How far a slice may lie from its place on the grid, as a part of the slice distance.
    static let placementLimit = 0.01
    /// How far, in millimetres, a column of pixels may lean from slice to slice. Devices round positions to a
    /// hundredth of a millimetre or better.
    static let leanLimitMillimetres = 0.05

    let grid: VoxelGrid
    let datasets: [Dataset]
    private let axes: SliceAxes

    init(_ unordered: [Dataset]) throws(DICOMReadingError) {
        guard let first = unordered.first else { throw .refused(.noInstances) }
        for dataset in unordered { try Self.checkAlike(first, dataset) }
        let axes = try SliceAxes(first)
        var placed: [(position: SIMD3<Double>, dataset: Dataset)] = []
        for dataset in unordered {
            let position = try dataset.requiredDecimals(.imagePositionPatient, count: 3)
            placed.append((SIMD3(position[0], position[1], position[2]), dataset))
        }
        placed.sort { $0.position[axes.normal] < $1.position[axes.normal] }
        let distance = try Self.distance(placed.map(\.position), along: axes.normal)

        let layout = try PixelLayout(of: first)
        guard layout.frames == 1 else { throw .refused(.slicesDiffer(.numberOfFrames)) }
        let spacing = try first.requiredDecimals(.pixelSpacing, count: 2)
        var (counts, steps, origin) = (SIMD3<Int>(), SIMD3<Double>(), placed[0].position)
        // Columns step along the row direction, by the second value of PixelSpacing.
        (counts[axes.row], steps[axes.row]) = (layout.columns, spacing[1])
        (counts[axes.column], steps[axes.column]) = (layout.rows, spacing[0])
        (counts[axes.normal], steps[axes.normal]) = (placed.count, distance)
        for (axis, ascends) in [(axes.row, axes.rowAscends), (axes.column, axes.columnAscends)] where !ascends {
            origin[axis] -= Double(counts[axis] - 1) * steps[axis]
        }
        do {
            grid = try VoxelGrid(
                columns: counts.x, rows: counts.y, slices: counts.z, spacing: steps, origin: origin)
        } catch {
            throw .refused(.impossibleDimensions(columns: counts.x, rows: counts.y, frames: counts.z))
        }
        self.axes = axes
        datasets = placed.map(\.dataset)
    }

    /// Fills a volume; `convert` turns a slice's stored values into the quantity.
    func volume(
        _ convert: (Dataset, [Int32]) throws(DICOMReadingError) -> [Float]
    ) throws(DICOMReadingError) -> Volume<Float> {
        var volume = Volume<Float>(grid: grid, repeating: 0)
        let stride = SIMD3(1, grid.columns, grid.columns * grid.rows)
        for (slice, dataset) in datasets.enumerated() {
            let (layout, pixels) = try dataset.pixels()
            let values = try convert(dataset, pixels)
            let rowStep = axes.rowAscends ? stride[axes.row] : -stride[axes.row]
            let columnStep = axes.columnAscends ? stride[axes.column] : -stride[axes.column]
            var start = slice * stride[axes.normal]
            if !axes.rowAscends { start += (layout.columns - 1) * stride[axes.row] }
            if !axes.columnAscends { start += (layout.rows - 1) * stride[axes.column] }
            for row in 0..<layout.rows {
                var target = start + row * columnStep
                for column in 0..<layout.columns {
                    volume.voxels[target] = values[row * layout.columns + column]
                    target += rowStep
                }
            }
        }
        return volume
    }

    /// - Throws: ``DICOMReadingError`` when two instances are not slices of one image.
    private static func checkAlike(_ first: Dataset, _ other: Dataset) throws(DICOMReadingError) {
        for dataset in [first, other] where dataset.text(.frameOfReferenceUID) == nil {
            throw .needsInput(.frameOfReference)
        }
        guard first.text(.frameOfReferenceUID) == other.text(.frameOfReferenceUID) else {
            throw .refused(.framesOfReferenceDiffer)
        }
        for tag in [AttributeTag.seriesInstanceUID, .studyInstanceUID] where first.text(tag) != other.text(tag) {
            throw .refused(.slicesDiffer(tag))
        }
        for tag in [AttributeTag.rows, .columns, .numberOfFrames] where try first.integers(tag) != other.integers(tag) {
            throw .refused(.slicesDiffer(tag))
        }
        for tag in [AttributeTag.pixelSpacing, .imageOrientationPatient]
        where try first.decimals(tag) != other.decimals(tag) {
            throw .refused(.slicesDiffer(tag))
        }
        if let tilt = try other.decimal(.gantryDetectorTilt), tilt != 0 { throw .refused(.gantryTilt) }
    }

    /// The distance between slices, in millimetres, when it is the same everywhere.
    private static func distance(
        _ positions: [SIMD3<Double>], along normal: Int
    ) throws(DICOMReadingError) -> Double {
        guard positions.count >= 2 else { throw .refused(.slicesTooFew(found: positions.count)) }
        let gaps = zip(positions, positions.dropFirst()).map { $1[normal] - $0[normal] }
        let usual = gaps.sorted()[gaps.count / 2]
        for (slice, gap) in gaps.enumerated() where gap <= placementLimit * usual || gap <= 0 {
            throw .refused(.sliceRepeated(slice: slice))
        }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        for (slice, position) in positions.enumerated() {
            for axis in 0..<3 where axis != normal {
                // Slices that shift sideways are those of a tilted gantry whose tilt the header does not name.
                guard abs(position[axis] - positions[0][axis]) <= leanLimitMillimetres else {
                    throw .refused(.gantryTilt)
                }
            }
            if slice > 0, abs(gaps[slice - 1] - usual) > max(placementLimit * usual, leanLimitMillimetres) {
                throw .refused(.slicesMissing(afterSlice: slice - 1))
            }
        }
        return mean
    }
}

/// Which patient axes the rows, the columns and the normal of a slice follow.
///
/// - Source: DICOM PS3.3 C.7.6.2.1.1.
struct SliceAxes {
    /// 0, 1 and 2 for x, y and z.
    let row, column, normal: Int
    let rowAscends, columnAscends: Bool

    /// How far a direction cosine may be from 1 for an axis to be that of the patient: a lean of 0.08 degrees.
    private static let cosineTolerance = 1e-6

    /// - Throws: ``DICOMReadingError`` with ``Refusal/obliqueOrientation``.
    init(_ dataset: Dataset) throws(DICOMReadingError) {
        let cosines = try dataset.requiredDecimals(.imageOrientationPatient, count: 6)
        func axis(_ first: Int) throws(DICOMReadingError) -> (Int, Bool) {
            for axis in 0..<3 where abs(cosines[first + axis]) >= 1 - Self.cosineTolerance {
                return (axis, cosines[first + axis] > 0)
            }
            throw .refused(.obliqueOrientation)
        }
        (row, rowAscends) = try axis(0)
        (column, columnAscends) = try axis(3)
        guard row != column else { throw .refused(.obliqueOrientation) }
        normal = 3 - row - column
    }
}

import Imaging
import Tomography

/// Where the body throws its shadow on the images, and what is seen beside it.
///
/// A CT is taken with raised arms, a planar image with the arms beside the body: counts that no region can explain. Left in the
/// fit they pass for scatter and tails, which then take their counts from every organ.
struct BodyShadow {
    /// - Shape: `[z, x]`, the grid's slices and columns.
    private let isInside: [Bool]
    private let grid: VoxelGrid

    /// Counts clearly beside the body above this part of those over it, without scatter, are of something that the CT does not
    /// show; the body's own tails give a fifth of it.
    private static let strangerShare = 0.004
    /// The same for one row, of the mean over all rows.
    private static let strangerShareOfRow = 0.02
    /// Rows that are looked at together to either side, in millimetres.
    private static let rowReach = 25.0
    /// Further than this from the body's edge nothing of it is seen but tails, in millimetres.
    private static let edge = 15.0
    /// What lies beside the body is seen so far over it: two widths of the tails.
    private static let rim = 45.0

    init(_ body: Volume<Bool>) {
        grid = body.grid
        var inside = [Bool](repeating: false, count: grid.columns * grid.slices)
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                for x in 0..<grid.columns where body[x, y, z] { inside[z * grid.columns + x] = true }
            }
        }
        isInside = inside
    }

    /// A measurement that is laid over the patient, with what lies beside him taken out where there is anything: of the rows
    /// that show it, only pixels far enough over the body are believed.
    func believable(_ measurement: PlanarMeasurement, offset: SIMD2<Double>) -> PlanarMeasurement {
        guard let detector = measurement.heads.first?.detector,
            measurement.heads.allSatisfy({ $0.detector.pixelCount == detector.pixelCount })
        else { return measurement }
        let distances = distances(detector, offset: offset)
        let strangers = rows(of: measurement, detector, distances)
        guard strangers.contains(true) else { return measurement }
        var result = measurement
        for start in measurement.offsets.dropLast() {
            for (pixel, distance) in distances.enumerated()
            where strangers[pixel / detector.columns] && distance < Self.rim { result.trust[start + pixel] = 0 }
        }
        result.findings.append("activity-beside-the-body")
        return result
    }

    /// How far each pixel lies within the body's shadow along its row, negative beside it.
    ///
    /// - Units: millimetres.
    private func distances(_ detector: DetectorGrid, offset: SIMD2<Double>) -> [Double] {
        var distances: [Double] = []
        distances.reserveCapacity(detector.pixelCount)
        let reach = Int((max(Self.rim, Self.edge) / grid.spacing.x).rounded(.up)) + 1
        for row in 0..<detector.rows {
            let height = detector.origin.y + offset.y + Double(row) * detector.spacing.y
            let z = Int(((height - grid.origin.z) / grid.spacing.z).rounded())
            func isBody(_ x: Int) -> Bool {
                (0..<grid.slices).contains(z) && (0..<grid.columns).contains(x) && isInside[z * grid.columns + x]
            }
            for column in 0..<detector.columns {
                let place = detector.origin.x + offset.x + Double(column) * detector.spacing.x
                let x = Int(((place - grid.origin.x) / grid.spacing.x).rounded())
                let here = isBody(x)
                let steps = (1...reach).first { isBody(x - $0) != here || isBody(x + $0) != here } ?? reach
                distances.append((here ? 1 : -1) * Double(steps) * grid.spacing.x)
            }
        }
        return distances
    }

    /// Which rows show counts beside the body.
    private func rows(
        of measurement: PlanarMeasurement, _ detector: DetectorGrid, _ distances: [Double]
    ) -> [Bool] {
        var beside = [Double](repeating: 0, count: detector.rows)
        var over = 0.0
        for start in measurement.offsets.dropLast() {
            for (pixel, distance) in distances.enumerated() {
                let counts = Double(measurement.counts[start + pixel] - measurement.scatter[start + pixel])
                if distance > 0 { over += counts }
                if distance < -Self.edge { beside[pixel / detector.columns] += counts }
            }
        }
        guard over > 0, beside.reduce(0, +) > Self.strangerShare * over else {
            return [Bool](repeating: false, count: detector.rows)
        }
        let reach = Int((Self.rowReach / detector.spacing.y).rounded())
        let limit = Self.strangerShareOfRow * over / Double(detector.rows)
        return beside.indices.map { row in
            let near = beside[max(0, row - reach)...min(detector.rows - 1, row + reach)]
            return near.reduce(0, +) / Double(near.count) > limit
        }
    }
}

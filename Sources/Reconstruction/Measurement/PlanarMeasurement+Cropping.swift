import Imaging
import Tomography

extension PlanarMeasurement {
    /// The pixels whose centres lie in a window of the patient's coordinates once the detectors are moved by an offset.
    ///
    /// - Units: millimetres.
    /// - Throws: ``ReconstructionError/noOverlap``.
    func cropped(
        offset: SIMD2<Double>, x: ClosedRange<Double>, z: ClosedRange<Double>
    ) throws(ReconstructionError) -> PlanarMeasurement {
        var parts = Parts()
        for (head, start) in zip(heads, offsets) {
            let detector = head.detector
            let columns = (0..<detector.columns).filter {
                x.contains(detector.origin.x + offset.x + Double($0) * detector.spacing.x)
            }
            let rows = (0..<detector.rows).filter {
                z.contains(detector.origin.y + offset.y + Double($0) * detector.spacing.y)
            }
            guard let firstColumn = columns.first, let firstRow = rows.first else { throw .noOverlap }
            for row in rows {
                let line = start + row * detector.columns + firstColumn
                let pixels = line..<line + columns.count
                parts.counts += counts[pixels]
                parts.scatter += scatter[pixels]
                parts.broad += broad[pixels]
                parts.live += live[pixels]
            }
            let first = SIMD2(Double(firstColumn), Double(firstRow)) * detector.spacing
            parts.heads.append(
                head.with(
                    detector: DetectorGrid(
                        columns: columns.count, rows: rows.count, spacing: detector.spacing,
                        origin: detector.origin + first)))
        }
        return PlanarMeasurement(parts, isCalibrated: isCalibrated, areFacesKnown: areFacesKnown, findings: findings)
    }
}

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
        var counts: [Float] = []
        var scatter: [Float] = []
        var cropped: [CameraHead] = []
        for (index, head) in heads.enumerated() {
            let detector = head.detector
            let columns = (0..<detector.columns).filter {
                x.contains(detector.origin.x + offset.x + Double($0) * detector.spacing.x)
            }
            let rows = (0..<detector.rows).filter {
                z.contains(detector.origin.y + offset.y + Double($0) * detector.spacing.y)
            }
            guard let firstColumn = columns.first, let firstRow = rows.first else { throw .noOverlap }
            let (countView, scatterView) = (view(self.counts, index), view(self.scatter, index))
            for row in rows {
                for column in columns {
                    counts.append(countView[countView.startIndex + row * detector.columns + column])
                    scatter.append(scatterView[scatterView.startIndex + row * detector.columns + column])
                }
            }
            let first = SIMD2(Double(firstColumn), Double(firstRow)) * detector.spacing
            cropped.append(
                CameraHead(
                    direction: head.direction, facePosition: head.facePosition,
                    detector: DetectorGrid(
                        columns: columns.count, rows: rows.count, spacing: detector.spacing,
                        origin: detector.origin + first),
                    collimator: head.collimator, energy: head.energy, gain: head.gain))
        }
        return PlanarMeasurement(
            heads: cropped, counts: counts, scatter: scatter, isCalibrated: isCalibrated, findings: findings)
    }
}

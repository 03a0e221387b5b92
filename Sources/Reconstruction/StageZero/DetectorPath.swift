import Tomography

/// The way of counts from the projector's wide images to the measured pixels: motion in the camera's plane, a part of each
/// point's image in wide tails, live time, sensitivity.
///
/// - Shape: wide images are `[head][z, x]` on the wide heads' pixels, the others on the measurement's.
struct DetectorPath {
    private let heads: [CameraHead]
    private let measurement: PlanarMeasurement
    private let tails: Float
    private let gains: [Float]
    private let shears: [ImageShears]
    private let blurs: [ImageBlur]

    /// Standard deviation of the tails of a point's image, in millimetres.
    static let tailWidth = 22.0

    init(
        heads: [CameraHead], measurement: PlanarMeasurement, motion: ImageMotion, tails: Float, gains: [Float]
    ) {
        (self.heads, self.measurement, self.tails, self.gains) = (heads, measurement, tails, gains)
        shears = heads.map { ImageShears(motion, on: $0.detector) }
        blurs = heads.map { ImageBlur(on: $0.detector, deviation: Self.tailWidth) }
    }

    /// Primary counts.
    func primary(_ wide: [Float]) -> [Float] {
        measured(wide) { patch, head in tailed(shears[head].moved(patch), head, share: tails) }
    }

    /// Counts that the tails take from the middle and give to the surroundings, per unit of their share.
    func tailColumn(_ wide: [Float]) -> [Float] {
        let inside = measured(wide) { patch, head in shears[head].moved(patch) }
        let outside = measured(wide) { patch, head in blurs[head].applied(to: shears[head].moved(patch)) }
        return zip(outside, inside).map { $0 - $1 }
    }

    /// The adjoint of ``primary(_:)``.
    func adjoint(_ image: [Float]) -> [Float] {
        let margin = ForwardModel.margin
        var result: [Float] = []
        var start = 0
        for (head, wide) in heads.enumerated() {
            let inner = measurement.heads[head].detector
            var patch = ImagePatch(columns: margin..<margin + inner.columns, rows: margin..<margin + inner.rows)
            for pixel in patch.values.indices {
                patch.values[pixel] = gains[head] * image[start + pixel] * measurement.live[start + pixel]
            }
            start += inner.pixelCount
            result += shears[head].movedBack(tailed(patch, head, share: tails)).whole(on: wide.detector)
        }
        return result
    }

    private func tailed(_ patch: ImagePatch, _ head: Int, share: Float) -> ImagePatch {
        guard share != 0 else { return patch }
        var result = blurs[head].applied(to: patch)
        for pixel in result.values.indices { result.values[pixel] *= share }
        result.add(patch, factor: 1 - share)
        return result
    }

    private func measured(_ wide: [Float], _ transform: (ImagePatch, Int) -> ImagePatch) -> [Float] {
        var result = [Float](repeating: 0, count: measurement.counts.count)
        var (start, wideStart) = (0, 0)
        for (head, described) in heads.enumerated() {
            let pixels = described.detector.pixelCount
            let patch = transform(ImagePatch(wide[wideStart..<wideStart + pixels], on: described.detector), head)
            wideStart += pixels
            let inner = measurement.heads[head].detector
            let rows = (patch.rows.lowerBound - ForwardModel.margin)..<(patch.rows.upperBound - ForwardModel.margin)
            let columns =
                (patch.columns.lowerBound - ForwardModel.margin)..<(patch.columns.upperBound - ForwardModel.margin)
            for row in rows.clamped(to: 0..<inner.rows) {
                let source = (row - rows.lowerBound) * columns.count - columns.lowerBound
                let target = start + row * inner.columns
                for column in columns.clamped(to: 0..<inner.columns) {
                    result[target + column] =
                        gains[head] * measurement.live[target + column] * patch.values[source + column]
                }
            }
            start += inner.pixelCount
        }
        return result
    }
}

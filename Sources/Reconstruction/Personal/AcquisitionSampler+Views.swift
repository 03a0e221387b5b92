import Imaging
import Tomography

extension AcquisitionSampler.Acquisition {
    /// 177Lu around 208 keV: the peak and the windows below and above it, in keV.
    private static let windows = SyntheticPatient.windows
    /// Part of the scatter estimate that the lower window stands for.
    private static let lowerShare: Float = 0.67

    /// The scan as a camera stores it: three windows, of which the outer ones give the scatter that the acquisition tells.
    ///
    /// - Throws: ``ReconstructionError/tomography`` when a detector is no image.
    func views(using generator: inout SeededGenerator) throws(ReconstructionError) -> [PlanarView] {
        let axis = assumedHeads.reduce(0) { $0 + $1.facePosition } / Double(assumedHeads.count)
        var views: [PlanarView] = []
        var start = 0
        for head in assumedHeads {
            let range = start..<start + head.detector.pixelCount
            start = range.upperBound
            let peak = Self.windows[0]
            for (index, window) in Self.windows.enumerated() {
                // The estimate is (C/W + C/W) W_peak / 2.
                let share = (index == 1 ? Self.lowerShare : 1 - Self.lowerShare) * Float(2 * window.width / peak.width)
                let pixels =
                    index == 0
                    ? Array(counts[range])
                    : scatter[range].map { Float(generator.poisson(mean: Double($0 * share))) }
                do {
                    views.append(
                        try PlanarView(
                            direction: head.direction, window: window, columns: head.detector.columns,
                            rows: head.detector.rows, spacing: head.detector.spacing, origin: head.detector.origin,
                            dwellSeconds: dwellSeconds, radialPositionMillimetres: abs(head.facePosition - axis),
                            facePositionMillimetres: head.facePosition - axis, counts: pixels))
                } catch { throw .tomography }
            }
        }
        return views
    }
}

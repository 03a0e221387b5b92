public import Anatomy
public import Imaging
public import Tomography

/// Stage 0's map of a sampled scan as Stage 0 finds it from its views: what validations look at, and what
/// ``DrawnEstimate`` has to be like.
public struct SolvedEstimate: InitialEstimate {
    private let stage: StageZero

    public init(anatomy: PatientAnatomy, site: CameraSite, options: StageZero.Options = .init()) {
        stage = StageZero(anatomy: anatomy, site: site, options: options)
    }

    public func map(
        for sample: UptakeSample, _ acquisition: AcquisitionSampler.Acquisition, sampler: UptakeSampler,
        using generator: inout SeededGenerator
    ) throws(ReconstructionError) -> Volume<Float> {
        try stage.reconstruct(try acquisition.views(using: &generator)).activity
    }
}

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

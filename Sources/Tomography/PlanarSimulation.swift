public import Imaging

/// A synthetic planar acquisition: primary photons by the ``DirectProjector``, scattered ones by the broad-beam
/// difference, three energy windows, Poisson counts.
///
/// Photons that are scattered but still arrive in the peak window are those that broad-beam attenuation lets through and
/// narrow-beam attenuation does not: `S = blur_wide [ a (exp(-k tau) - exp(-tau)) ]` with `k` the ratio of the two
/// coefficients. The scatter windows hold most of what the triple energy window estimate needs, not all of it.
///
/// - Units: counts.
public struct PlanarSimulation: Sendable {
    /// Ratio of the broad-beam to the narrow-beam coefficient.
    public var broadBeamRatio = 0.62
    /// Standard deviation of the scatter's extra width, in millimetres.
    public var scatterWidth = 45.0
    /// Parts of the peak window's scatter that the lower and the upper window of half its width count.
    public var windowShares = (lower: 0.64, upper: 0.31)
    public var tails = DirectProjector.Tails(share: 0.04, widthFactor: 3)
    /// Counts in the peak window that no scatter window shows anything of, as part of the primary ones: what an estimate
    /// from the scatter windows misses.
    public var residualScatterShare = 0.0

    public init() {}

    /// Expected counts of one view.
    public struct Expectation: Sendable {
        public let head: CameraHead
        /// - Shape: `[z, x]`
        public let primary, scatter, residual: [Float]

        public init(head: CameraHead, primary: [Float], scatter: [Float], residual: [Float]) {
            (self.head, self.primary, self.scatter, self.residual) = (head, primary, scatter, residual)
        }

        /// The same view on other pixels of the same size, as ``PlanarImage/sampled(on:at:)``.
        public func sampled(
            on target: DetectorGrid, at place: (SIMD2<Double>) -> SIMD2<Double>
        ) -> Expectation {
            let moved = [primary, scatter, residual].map {
                PlanarImage(detector: head.detector, values: $0).sampled(on: target, at: place).values
            }
            let targetHead = CameraHead(
                direction: head.direction, facePosition: head.facePosition, detector: target,
                collimator: head.collimator, energy: head.energy, gain: head.gain)
            return Expectation(head: targetHead, primary: moved[0], scatter: moved[1], residual: moved[2])
        }
    }

    /// - Parameter activity: in Bq/mL when the heads' gain is per Bq/mL.
    /// - Throws: ``TomographyError`` when a head stands inside the grid.
    public func expectations(
        activity: Volume<Float>, attenuation: Volume<Float>, heads: [CameraHead]
    ) throws(TomographyError) -> [Expectation] {
        let primary = try DirectProjector(heads: heads, attenuation: attenuation, tails: tails)
        let primaryCounts = primary.forward(activity.voxels)
        let scatterCounts = try scatter(activity: activity, attenuation: attenuation, heads: heads)
        var start = 0
        return heads.map { head in
            let range = start..<start + head.detector.pixelCount
            start = range.upperBound
            let primary = Array(primaryCounts[range])
            return Expectation(
                head: head, primary: primary, scatter: Array(scatterCounts[range]),
                residual: residualScatter(primary, on: head.detector))
        }
    }

    private func residualScatter(_ primary: [Float], on detector: DetectorGrid) -> [Float] {
        guard residualScatterShare != 0 else { return [Float](repeating: 0, count: primary.count) }
        return PlanarImage(detector: detector, values: primary).blurred(deviation: scatterWidth).values.map {
            $0 * Float(residualScatterShare)
        }
    }

    /// Scatter is so wide that three times larger voxels show all of it.
    private static let scatterCoarseness = 3

    private func scatter(
        activity: Volume<Float>, attenuation: Volume<Float>, heads: [CameraHead]
    ) throws(TomographyError) -> [Float] {
        let fine = activity.grid
        let factor = Self.scatterCoarseness
        let step = Double(factor)
        let shift = (step - 1) / 2
        let coarse: VoxelGrid
        do {
            coarse = try VoxelGrid(
                columns: (fine.columns + factor - 1) / factor, rows: fine.rows / factor,
                slices: (fine.slices + factor - 1) / factor, spacing: fine.spacing * step,
                origin: fine.position(x: shift, y: shift, z: shift))
        } catch { throw .gridMismatch }
        let sources = activity.resampled(to: coarse)
        let narrow = attenuation.resampled(to: coarse)
        let broad = narrow.map { $0 * Float(broadBeamRatio) }
        let extra = scatterWidth * scatterWidth
        let broadBeam = try DirectProjector(heads: heads, attenuation: broad, extraVariance: extra)
        let narrowBeam = try DirectProjector(heads: heads, attenuation: narrow, extraVariance: extra)
        let volumeRatio = Float(step * step * step)
        return zip(broadBeam.forward(sources.voxels), narrowBeam.forward(sources.voxels)).map {
            max($0 - $1, 0) * volumeRatio
        }
    }

    /// Counts of the peak window and, when asked for, of the two scatter windows.
    ///
    /// - Throws: ``ImagingError`` when the head's detector is no image.
    public func draw(
        _ expectation: Expectation, windows: [EnergyWindow], dwellSeconds: Double, rotationAxis: Double,
        using generator: inout SeededGenerator
    ) throws(ImagingError) -> [PlanarView] {
        let head = expectation.head
        var views: [PlanarView] = []
        for window in windows {
            let counts: [Float]
            if window.contains(head.energy) {
                counts = expectation.primary.indices.map { pixel in
                    let mean = expectation.primary[pixel] + expectation.scatter[pixel] + expectation.residual[pixel]
                    return Float(generator.poisson(mean: Double(mean)))
                }
            } else {
                let share = window.upper <= head.energy ? windowShares.lower : windowShares.upper
                counts = expectation.scatter.map { Float(generator.poisson(mean: share * Double($0))) }
            }
            views.append(
                try PlanarView(
                    direction: head.direction, window: window, columns: head.detector.columns,
                    rows: head.detector.rows, spacing: head.detector.spacing, origin: head.detector.origin,
                    dwellSeconds: dwellSeconds,
                    radialPositionMillimetres: abs(head.facePosition - rotationAxis),
                    facePositionMillimetres: head.facePosition, counts: counts))
        }
        return views
    }
}

import Imaging
import Tomography

/// One photopeak image on pixels of about the voxels' size, with an estimate of the scatter in it.
///
/// - Shape: all arrays `[z, x]` on `detector`.
/// - Units: counts.
struct ScatteredImage {
    let detector: DetectorGrid
    let counts, scatter, broad: [Float]
    let isScatterModelled: Bool

    /// - Parameter views: all windows of the acquisition, in which the scatter windows are looked for.
    init(_ view: PlanarView, among views: [PlanarView], grid: VoxelGrid) {
        let factor = SIMD2(
            max(1, Int((grid.spacing.x / view.spacing.x).rounded())),
            max(1, Int((grid.spacing.z / view.spacing.y).rounded())))
        detector = Self.detector(of: view, factor)
        counts = Self.added(view.counts, view, factor, detector)
        broad = ImageBlur(on: detector, deviation: Self.broadWidth).applied(to: counts)
        if let windows = Self.scatterWindows(view, among: views) {
            let lower = Float(view.window.width / windows.lower.window.width / 2)
            let upper = Float(view.window.width / windows.upper.window.width / 2)
            let estimate = zip(windows.lower.counts, windows.upper.counts).map { $0 * lower + $1 * upper }
            let added = Self.added(estimate, view, factor, detector)
            scatter = ImageBlur(on: detector, deviation: Self.scatterSmoothing).applied(to: added)
            isScatterModelled = false
        } else {
            scatter = broad.map { $0 * Self.modelledScatterShare }
            isScatterModelled = true
        }
    }

    /// Standard deviation of the smoothing of the scatter windows, in millimetres.
    private static let scatterSmoothing = 14.0
    /// Without scatter windows: a stated share of the counts, spread widely.
    private static let modelledScatterShare: Float = 0.25
    private static let broadWidth = 50.0

    static func hasScatterWindows(_ view: PlanarView, among views: [PlanarView]) -> Bool {
        scatterWindows(view, among: views) != nil
    }

    /// The windows on both sides of the peak, for the triple energy window estimate
    /// `S = (C_lo / W_lo + C_up / W_up) W_peak / 2`.
    ///
    /// - Source: Ogawa et al., IEEE Trans. Med. Imaging 10 (1991) 408.
    private static func scatterWindows(
        _ peak: PlanarView, among views: [PlanarView]
    ) -> (lower: PlanarView, upper: PlanarView)? {
        let others = views.filter {
            $0.direction == peak.direction && $0.columns == peak.columns && $0.rows == peak.rows
        }
        guard let lower = others.first(where: { abs($0.window.upper - peak.window.lower) < 3 }),
            let upper = others.first(where: { abs($0.window.lower - peak.window.upper) < 3 }),
            lower.window.width > 0, upper.window.width > 0
        else { return nil }
        return (lower, upper)
    }

    private static func detector(of view: PlanarView, _ factor: SIMD2<Int>) -> DetectorGrid {
        let size = SIMD2(Double(factor.x), Double(factor.y))
        return DetectorGrid(
            columns: max(1, view.columns / factor.x), rows: max(1, view.rows / factor.y), spacing: view.spacing * size,
            origin: view.origin + view.spacing * (size - 1) / 2)
    }

    private static func added(
        _ counts: [Float], _ view: PlanarView, _ factor: SIMD2<Int>, _ detector: DetectorGrid
    ) -> [Float] {
        var pixels = [Float](repeating: 0, count: detector.pixelCount)
        for row in 0..<min(detector.rows * factor.y, view.rows) {
            for column in 0..<min(detector.columns * factor.x, view.columns) {
                pixels[row / factor.y * detector.columns + column / factor.x] += counts[row * view.columns + column]
            }
        }
        return pixels
    }
}

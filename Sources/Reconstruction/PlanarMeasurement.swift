import Glibc
public import Imaging
public import Tomography

/// What the camera saw in one photopeak, ready to be compared with a projection: counts on pixels of about the voxels'
/// size, the scatter among them, and the heads that saw it.
///
/// Scatter is added to what is expected, never subtracted from what was counted.
///
/// - Shape: `counts` and `scatter` are `[head][z, x]`, the anterior head first.
/// - Units: counts; heads' gain in counts per Bq/mL in a voxel of the reconstruction grid.
public struct PlanarMeasurement: Sendable {
    public let heads: [CameraHead]
    public let counts, scatter: [Float]
    /// Whether counts could be tied to activity.
    public let isCalibrated: Bool
    public let findings: [String]

    /// - Parameters:
    ///   - views: all windows of one acquisition, both directions.
    ///   - line: the photon line to use.
    ///   - grid: the reconstruction grid; `bodyBack` and `bodyFront` are the y of the body's surfaces.
    /// - Throws: ``ReconstructionError``.
    public init(
        views: [PlanarView], line: Double, site: CameraSite, grid: VoxelGrid, bodyFront: Double, bodyBack: Double
    ) throws(ReconstructionError) {
        guard let anterior = views.first(where: { $0.direction == .anterior && $0.window.contains(line) }) else {
            throw .missingView(direction: ViewDirection.anterior.rawValue)
        }
        guard let posterior = views.first(where: { $0.direction == .posterior && $0.window.contains(line) }) else {
            throw .missingView(direction: ViewDirection.posterior.rawValue)
        }
        let pair = [anterior, posterior]
        guard anterior.columns == posterior.columns, anterior.rows == posterior.rows,
            anterior.spacing == posterior.spacing, anterior.dwellSeconds == posterior.dwellSeconds
        else { throw .viewsDiffer }
        for view in pair where !view.counts.contains(where: { $0 > 0 }) {
            throw .zeroCounts(direction: view.direction.rawValue)
        }
        let collimator: Collimator
        do { collimator = try site.makeCollimator() } catch { throw .tomography }
        let calibration = site.calibration(energy: line)
        isCalibrated = calibration != nil
        let faces = Self.faces(pair, site: site, grid: grid, bodyFront: bodyFront, bodyBack: bodyBack)
        var findings = faces.findings
        if calibration == nil { findings.append("uncalibrated") }
        var heads: [CameraHead] = []
        var counts: [Float] = []
        var scatter: [Float] = []
        for view in pair {
            let factor = Self.rebinning(view, grid)
            let binned = Self.rebinned(view.counts, view, factor)
            let estimate = Self.scatterEstimate(peak: view, among: views, factor: factor)
            if estimate == nil, !findings.contains("scatter-modelled") { findings.append("scatter-modelled") }
            counts += binned.pixels
            scatter += estimate ?? Self.modelledScatter(binned)
            let couchCentimetres = view.direction == .posterior ? site.couchWaterEquivalentMillimetres / 10 : 0
            let couch = exp(-Self.waterPerCentimetre(line) * couchCentimetres)
            heads.append(
                CameraHead(
                    direction: view.direction,
                    facePosition: view.direction == .anterior ? faces.anterior : faces.posterior,
                    detector: binned.detector, collimator: collimator, energy: line,
                    gain: (calibration ?? 1) * 1e-6 * grid.voxelMillilitres * view.dwellSeconds * couch))
        }
        (self.heads, self.counts, self.scatter, self.findings) = (heads, counts, scatter, findings)
    }

    init(heads: [CameraHead], counts: [Float], scatter: [Float], isCalibrated: Bool, findings: [String]) {
        (self.heads, self.counts, self.scatter) = (heads, counts, scatter)
        (self.isCalibrated, self.findings) = (isCalibrated, findings)
    }

    /// Counts of one view.
    func view(_ values: [Float], _ head: Int) -> ArraySlice<Float> {
        let start = heads[..<head].reduce(0) { $0 + $1.detector.pixelCount }
        return values[start..<start + heads[head].detector.pixelCount]
    }

    private static func waterPerCentimetre(_ line: Double) -> Double {
        (try? Attenuation(energy: line, tubeVoltage: 120).waterPerCentimetre) ?? 0.135
    }

    /// Air between couch or body and a face when nothing tells the distance.
    static let assumedGapMillimetres = 15.0

    /// Where the faces stand in patient coordinates. Files give the distance of the two faces from each other; where
    /// the patient lies between them follows from the couch, on which the body lies and under which the lower head is.
    private static func faces(
        _ pair: [PlanarView], site: CameraSite, grid: VoxelGrid, bodyFront: Double, bodyBack: Double
    ) -> (anterior: Double, posterior: Double, findings: [String]) {
        let posterior = bodyBack + site.couchThicknessMillimetres + assumedGapMillimetres
        let gridFront = grid.origin.y - grid.spacing.y / 2
        var separation: Double?
        if let front = pair[0].facePositionMillimetres, let back = pair[1].facePositionMillimetres {
            separation = abs(back - front)
        } else if let front = pair[0].radialPositionMillimetres, let back = pair[1].radialPositionMillimetres {
            separation = front + back
        }
        guard let separation, separation > bodyBack - bodyFront else {
            return (min(bodyFront - assumedGapMillimetres, gridFront), posterior, ["head-distance-assumed"])
        }
        return (min(posterior - separation, gridFront), posterior, [])
    }

    private struct Binned {
        let pixels: [Float]
        let detector: DetectorGrid
    }

    /// Pixels per side that are added up, so that a pixel is about a voxel.
    private static func rebinning(_ view: PlanarView, _ grid: VoxelGrid) -> Int {
        max(1, Int((grid.spacing.x / view.spacing.x).rounded()))
    }

    private static func rebinned(_ counts: [Float], _ view: PlanarView, _ factor: Int) -> Binned {
        let columns = view.columns / factor
        let rows = view.rows / factor
        var pixels = [Float](repeating: 0, count: columns * rows)
        for row in 0..<rows * factor {
            for column in 0..<columns * factor {
                pixels[row / factor * columns + column / factor] += counts[row * view.columns + column]
            }
        }
        let shift = Double(factor - 1) / 2
        return Binned(
            pixels: pixels,
            detector: DetectorGrid(
                columns: columns, rows: rows, spacing: view.spacing * Double(factor),
                origin: view.origin + view.spacing * shift))
    }

    /// Standard deviation of the smoothing of the scatter windows, in millimetres.
    private static let scatterSmoothing = 14.0

    /// Triple energy window estimate, `S = (C_lo / W_lo + C_up / W_up) W_peak / 2`, smoothed.
    ///
    /// - Source: Ogawa et al., IEEE Trans. Med. Imaging 10 (1991) 408.
    private static func scatterEstimate(peak: PlanarView, among views: [PlanarView], factor: Int) -> [Float]? {
        let others = views.filter {
            $0.direction == peak.direction && $0.columns == peak.columns && $0.rows == peak.rows
        }
        guard let lower = others.first(where: { abs($0.window.upper - peak.window.lower) < 3 }),
            let upper = others.first(where: { abs($0.window.lower - peak.window.upper) < 3 }),
            lower.window.width > 0, upper.window.width > 0
        else { return nil }
        let lowerPart = Float(peak.window.width / lower.window.width / 2)
        let upperPart = Float(peak.window.width / upper.window.width / 2)
        let estimate = zip(lower.counts, upper.counts).map { $0 * lowerPart + $1 * upperPart }
        let binned = rebinned(estimate, peak, factor)
        return smoothed(binned, deviation: scatterSmoothing)
    }

    /// Without scatter windows: a stated share of the counts, spread widely.
    private static let modelledScatterShare: Float = 0.25
    private static let modelledScatterWidth = 55.0

    private static func modelledScatter(_ binned: Binned) -> [Float] {
        smoothed(binned, deviation: modelledScatterWidth).map { $0 * modelledScatterShare }
    }

    private static func smoothed(_ binned: Binned, deviation: Double) -> [Float] {
        let (columns, rows) = (binned.detector.columns, binned.detector.rows)
        let kernel = { (spacing: Double) -> [Float] in
            let radius = Int((3 * deviation / spacing).rounded(.up))
            let values = (-radius...radius).map { exp(-pow(Double($0) * spacing / deviation, 2) / 2) }
            let sum = values.reduce(0, +)
            return values.map { Float($0 / sum) }
        }
        let alongX = kernel(binned.detector.spacing.x)
        let alongZ = kernel(binned.detector.spacing.y)
        var middle = [Float](repeating: 0, count: binned.pixels.count)
        for row in 0..<rows {
            for column in 0..<columns {
                var sum: Float = 0
                for (tap, weight) in alongX.enumerated() {
                    let source = column + tap - alongX.count / 2
                    if source >= 0, source < columns { sum += weight * binned.pixels[row * columns + source] }
                }
                middle[row * columns + column] = sum
            }
        }
        var result = middle
        for row in 0..<rows {
            for column in 0..<columns {
                var sum: Float = 0
                for (tap, weight) in alongZ.enumerated() {
                    let source = row + tap - alongZ.count / 2
                    if source >= 0, source < rows { sum += weight * middle[source * columns + column] }
                }
                result[row * columns + column] = sum
            }
        }
        return result
    }
}

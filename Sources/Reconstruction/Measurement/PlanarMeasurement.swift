import Glibc
public import Imaging
public import Tomography

/// What the camera saw in its photopeaks, ready to be compared with a projection: counts on pixels of about the voxels'
/// size, the scatter among them, and the heads that saw it.
///
/// Scatter is added to what is expected, never subtracted from what was counted.
///
/// - Shape: `counts`, `scatter`, `broad` and `live` are `[head][z, x]`: for each photopeak the anterior head, then the
///   posterior one; the preferred photopeak first.
/// - Units: counts; heads' gain in counts per Bq/mL in a voxel of the reconstruction grid.
public struct PlanarMeasurement: Sendable {
    public let heads: [CameraHead]
    public let counts, scatter: [Float]
    /// The counts spread as widely as scatter is: the form of what the scatter estimate may have missed.
    let broad: [Float]
    /// Part of the photons that the camera was not too busy to count.
    let live: [Float]
    /// 1 for pixels whose counts the anatomy can explain, 0 for the others.
    var trust: [Float]
    /// Whether counts could be tied to activity.
    public let isCalibrated: Bool
    /// Whether the distance of the heads from each other was recorded.
    let areFacesKnown: Bool
    public internal(set) var findings: [String]

    /// - Parameters:
    ///   - views: all windows of one acquisition, both directions.
    ///   - lines: the isotope's photon lines in keV, the preferred one first; further ones are used when both views hold
    ///     them with scatter windows and the site has a calibration for them.
    ///   - grid: the reconstruction grid; `bodyBack` and `bodyFront` are the y of the body's surfaces.
    /// - Throws: ``ReconstructionError``.
    public init(
        views: [PlanarView], lines: [Double], site: CameraSite, grid: VoxelGrid, bodyFront: Double, bodyBack: Double
    ) throws(ReconstructionError) {
        guard let preferred = lines.first else { throw .missingView(direction: ViewDirection.anterior.rawValue) }
        let first = try OpposedPair(views, line: preferred)
        let faces = Self.faces(first, site: site, grid: grid, bodyFront: bodyFront, bodyBack: bodyBack)
        let isCalibrated = site.calibration(energy: preferred) != nil
        var findings = faces.findings
        if !isCalibrated { findings.append("uncalibrated") }
        let collimator: Collimator
        do { collimator = try site.makeCollimator() } catch { throw .tomography }
        var parts = Parts()
        for line in lines {
            // A second photopeak is a help, not a need: what is wrong with it is no reason to refuse.
            guard line == preferred || Self.isUsable(line, views, site, isCalibrated: isCalibrated) else { continue }
            let pair = line == preferred ? first : try OpposedPair(views, line: line)
            let calibration = site.calibration(energy: line) ?? 1
            for view in [pair.anterior, pair.posterior] {
                let image = ScatteredImage(view, among: views, grid: grid)
                if image.isScatterModelled, !findings.contains("scatter-modelled") {
                    findings.append("scatter-modelled")
                }
                let couch = view.direction == .posterior ? site.couchWaterEquivalentMillimetres / 10 : 0
                let transmitted = exp(-Self.waterPerCentimetre(line) * couch)
                parts.add(
                    image, live: DeadTime(site: site).liveFraction(of: view, binnedTo: image.detector),
                    head: CameraHead(
                        direction: view.direction,
                        facePosition: view.direction == .anterior ? faces.anterior : faces.posterior,
                        detector: image.detector, collimator: collimator, energy: line,
                        gain: calibration * 1e-6 * grid.voxelMillilitres * view.dwellSeconds * transmitted))
            }
        }
        if parts.heads.count > 2 { findings.append("two-photopeaks") }
        self.init(parts, isCalibrated: isCalibrated, areFacesKnown: faces.findings.isEmpty, findings: findings)
    }

    /// The arrays of a measurement while they grow head by head.
    struct Parts {
        var heads: [CameraHead] = []
        var counts: [Float] = []
        var scatter: [Float] = []
        var broad: [Float] = []
        var live: [Float] = []

        fileprivate mutating func add(_ image: ScatteredImage, live: [Float], head: CameraHead) {
            heads.append(head)
            counts += image.counts
            scatter += image.scatter
            broad += image.broad
            self.live += live
        }
    }

    init(_ parts: Parts, isCalibrated: Bool, areFacesKnown: Bool, findings: [String]) {
        (heads, counts, scatter) = (parts.heads, parts.counts, parts.scatter)
        (broad, live) = (parts.broad, parts.live)
        trust = [Float](repeating: 1, count: parts.counts.count)
        (self.isCalibrated, self.areFacesKnown, self.findings) = (isCalibrated, areFacesKnown, findings)
    }

    /// First element of each head's view, and the end of the last.
    var offsets: [Int] { heads.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.detector.pixelCount) } }

    private static func isUsable(
        _ line: Double, _ views: [PlanarView], _ site: CameraSite, isCalibrated: Bool
    ) -> Bool {
        guard isCalibrated, site.calibration(energy: line) != nil, let pair = try? OpposedPair(views, line: line) else {
            return false
        }
        return [pair.anterior, pair.posterior].allSatisfy { ScatteredImage.hasScatterWindows($0, among: views) }
    }

    private static func waterPerCentimetre(_ line: Double) -> Double {
        (try? Attenuation(energy: line, tubeVoltage: 120).waterPerCentimetre) ?? 0.135
    }

    /// Air between couch or body and a face when nothing tells the distance.
    static let assumedGapMillimetres = 15.0

    /// Where the faces stand in patient coordinates. Files give the distance of the two faces from each other; where
    /// the patient lies between them follows from the couch, on which the body lies and under which the lower head is.
    private static func faces(
        _ pair: OpposedPair, site: CameraSite, grid: VoxelGrid, bodyFront: Double, bodyBack: Double
    ) -> (anterior: Double, posterior: Double, findings: [String]) {
        let gridFront = grid.origin.y - grid.spacing.y / 2
        let gridBack = grid.position(x: 0, y: Double(grid.rows - 1), z: 0).y + grid.spacing.y / 2
        let posterior = max(bodyBack + site.couchThicknessMillimetres + assumedGapMillimetres, gridBack)
        guard let separation = pair.faceSeparation, separation > bodyBack - bodyFront else {
            return (min(bodyFront - assumedGapMillimetres, gridFront), posterior, ["head-distance-assumed"])
        }
        return (min(posterior - separation, gridFront), posterior, [])
    }
}

/// The two views of one photopeak.
private struct OpposedPair {
    let anterior, posterior: PlanarView

    /// - Throws: ``ReconstructionError/missingView(direction:)``, ``ReconstructionError/viewsDiffer``,
    ///   ``ReconstructionError/zeroCounts(direction:)``.
    init(_ views: [PlanarView], line: Double) throws(ReconstructionError) {
        func view(_ direction: ViewDirection) throws(ReconstructionError) -> PlanarView {
            guard let view = views.first(where: { $0.direction == direction && $0.window.contains(line) }) else {
                throw .missingView(direction: direction.rawValue)
            }
            guard view.counts.contains(where: { $0 > 0 }) else { throw .zeroCounts(direction: direction.rawValue) }
            return view
        }
        anterior = try view(.anterior)
        posterior = try view(.posterior)
        guard anterior.columns == posterior.columns, anterior.rows == posterior.rows,
            anterior.spacing == posterior.spacing, anterior.dwellSeconds == posterior.dwellSeconds
        else { throw .viewsDiffer }
    }

    /// Millimetres between the two faces, when the files say it.
    var faceSeparation: Double? {
        if let front = anterior.facePositionMillimetres, let back = posterior.facePositionMillimetres {
            return abs(back - front)
        }
        guard let front = anterior.radialPositionMillimetres, let back = posterior.radialPositionMillimetres else {
            return nil
        }
        return front + back
    }
}

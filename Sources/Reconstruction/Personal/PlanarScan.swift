import Glibc
public import Imaging
public import Learning
public import Tomography

/// A planar scan as the networks get it: counts, the projector that explains them, and Stage 0's map.
///
/// The projector is that of the camera as it was described, laid where Stage 0 found the patient. All else that Stage 0 knows
/// of the counts is in ``scatter``: with it the map gives exactly the counts that Stage 0 expects.
///
/// - Units: activity in Bq/mL, or in any other unit that the projector's gain belongs to.
public struct PlanarScan: Sendable {
    public let projector: OpposedViewProjector
    /// Counts, no less than none, and those among them that the projector does not know of: scatter, tails, what a distance was off by.
    ///
    /// - Shape: `[head][z, x]`
    public let counts, scatter: [Float]
    /// Stage 0's map, on the projector's grid.
    public let initial: Volume<Float>
    /// Relative standard deviation of the uptake within a region, as Stage 0 found it.
    public let unevenness: Float

    public init(
        projector: OpposedViewProjector, counts: [Float], scatter: [Float], initial: Volume<Float>, unevenness: Float
    ) {
        precondition(counts.count == projector.rangeCount && scatter.count == projector.rangeCount)
        precondition(projector.heads.count == 2)
        precondition(initial.grid == projector.grid)
        (self.projector, self.counts, self.scatter, self.initial) = (projector, counts, scatter, initial)
        self.unevenness = unevenness
    }

    /// The scan of a patient and what Stage 0 made of it; of several photopeaks the preferred one.
    ///
    /// - Throws: ``ReconstructionError/tomography``.
    package init(_ scan: PreparedScan, _ estimate: ActivityEstimate) throws(ReconstructionError) {
        let views = Array(estimate.views.prefix(2))
        let heads = zip(scan.measurement.heads, views).map { head, view in
            head.with(detector: view.detector).with(gain: head.gain * estimate.unit)
        }
        let projector: OpposedViewProjector
        do {
            projector = try OpposedViewProjector(heads: heads, attenuation: scan.attenuation)
        } catch { throw .tomography }
        let expected = views.flatMap(\.expected)
        // A pixel that the anatomy cannot explain has its expectation for a count, which the tangents of the fit can take below zero.
        self.init(
            projector: projector, counts: views.flatMap(\.explicable).map { max($0, 0) },
            scatter: zip(expected, projector.forward(estimate.activity.voxels)).map { $0 - $1 },
            initial: estimate.activity, unevenness: estimate.unevenness)
    }

    /// The map, and per head the relative correction that its counts ask for and their significance.
    public static let channelCount = 5

    /// The concentration that the networks count in: the mean over the body of Stage 0's map.
    func unit(_ patient: PatientChannels) -> Float { PatientChannels.mean(initial.voxels, over: patient.body.voxels) }

    /// Unevenness of the most that Stage 0 expects; 1 where the counts ask for all of it.
    var relativeUnevenness: Float { unevenness / UnevenUptake().unevenness }

    /// All channels of a scan of a patient.
    ///
    /// - Shape: `[1, 17, z, y, x]`
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public func channels(of patient: PatientChannels) throws(ReconstructionError) -> Tensor {
        let grid = projector.grid
        let unit = unit(patient)
        var values = initial.voxels.map { compressed(max($0, 0), unit: unit) }
        let expected = zip(projector.forward(initial.voxels), scatter).map { max($0 + $1, 0) }
        for head in projector.heads.indices {
            let range = projector.viewOffsets[head]..<projector.viewOffsets[head + 1]
            values += correction(range, expected)
            values += spread(range.map { Self.significance(counts[$0], expected[$0]) }, head)
        }
        do {
            let scan = try Tensor(
                values, shape: [1, Self.channelCount, grid.slices, grid.rows, grid.columns],
                device: patient.tensor.device)
            return try Tensor.concatenated([patient.tensor, scan], along: 1)
        } catch { throw .learning(error) }
    }

    /// Counts that a pixel's expectation is raised by, so that empty pixels have no say.
    private static let countFloor: Float = 4
    private static let correctionLimit: Float = 2
    private static let significanceLimit: Float = 4

    /// Back-projection of the residuals of one head, `A' [(n - m) / (m + 4)] / A' 1`: the change, as a part of the map,
    /// that one step of expectation maximisation with this view alone would make.
    private func correction(_ range: Range<Int>, _ expected: [Float]) -> [Float] {
        var ratio = [Float](repeating: 0, count: counts.count)
        var ones = ratio
        for pixel in range {
            ratio[pixel] = (counts[pixel] - expected[pixel]) / (expected[pixel] + Self.countFloor)
            ones[pixel] = 1
        }
        let sensitivity = projector.adjoint(ones)
        let least = (sensitivity.max() ?? 1) * 1e-4
        return zip(projector.adjoint(ratio), sensitivity).map {
            min(max($0 / max($1, least), -Self.correctionLimit), Self.correctionLimit)
        }
    }

    /// Residual in standard deviations of the counts.
    private static func significance(_ count: Float, _ expected: Float) -> Float {
        let deviations = (count - expected) / (expected + 1).squareRoot() / 2
        return min(max(deviations, -significanceLimit), significanceLimit)
    }

    /// A head's image at every depth, read linearly between its pixels.
    func spread(_ image: [Float], _ head: Int) -> [Float] {
        let grid = projector.grid
        let detector = projector.heads[head].detector
        func weights(_ count: Int, _ pixels: Int, _ place: (Int) -> Double) -> [(Int, Float)] {
            (0..<count).map { index in
                let clamped = min(max(place(index), 0), Double(pixels - 1))
                let lower = min(Int(clamped), max(pixels - 2, 0))
                return (lower, Float(clamped - Double(lower)))
            }
        }
        let across = weights(grid.columns, detector.columns) {
            (grid.origin.x + Double($0) * grid.spacing.x - detector.origin.x) / detector.spacing.x
        }
        let along = weights(grid.slices, detector.rows) {
            (grid.origin.z + Double($0) * grid.spacing.z - detector.origin.y) / detector.spacing.y
        }
        var result: [Float] = []
        result.reserveCapacity(grid.voxelCount)
        for (row, upper) in along {
            let next = min(row + 1, detector.rows - 1)
            let line = across.map { column, part -> Float in
                let right = min(column + 1, detector.columns - 1)
                let near =
                    image[row * detector.columns + column] * (1 - part)
                    + image[row * detector.columns + right] * part
                let far =
                    image[next * detector.columns + column] * (1 - part)
                    + image[next * detector.columns + right] * part
                return near * (1 - upper) + far * upper
            }
            for _ in 0..<grid.rows { result += line }
        }
        return result
    }
}

extension LinearMap {
    /// A projector that gradients pass through.
    ///
    /// - Shape: `[z, y, x]` to `[pixels]`.
    init(_ projector: OpposedViewProjector) {
        let grid = projector.grid
        self.init(
            inputShape: [grid.slices, grid.rows, grid.columns], outputShape: [projector.rangeCount],
            forward: { input, output in _ = output.update(fromContentsOf: projector.forward(Array(input))) },
            adjoint: { input, output in _ = output.update(fromContentsOf: projector.adjoint(Array(input))) })
    }
}

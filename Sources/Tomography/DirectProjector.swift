public import Imaging

/// The same views as ``OpposedViewProjector`` computed without its shortcuts: every coronal plane is blurred by the full
/// Gaussian of its own distance, straight onto the detector's pixels.
///
/// Slow and simple: the oracle that the fast projector is tested against, and the different projector that draws
/// synthetic measurements, so that no method inverts its own simulation. For the latter a part of the counts may lie in
/// wider tails, as septal penetration makes them.
///
/// - Shape: activity `[z, y, x]`; views `[head][z, x]`.
/// - Units: as in ``OpposedViewProjector``.
public struct DirectProjector: LinearOperator {
    /// Gaussian tails under the main Gaussian.
    public struct Tails: Equatable, Sendable {
        /// Part of the counts in the tails, and their width in widths of the main Gaussian.
        public let share, widthFactor: Double

        public init(share: Double, widthFactor: Double) { (self.share, self.widthFactor) = (share, widthFactor) }

        public static let none = Tails(share: 0, widthFactor: 1)
    }

    public let grid: VoxelGrid
    public let heads: [CameraHead]
    private let attenuation: Volume<Float>
    private let tails: Tails
    private let extraVariance: Double

    /// - Parameter extraVariance: widens every distance's Gaussian, in mm².
    /// - Throws: ``TomographyError/faceInsideGrid(direction:overlapMillimetres:)``.
    public init(
        heads: [CameraHead], attenuation: Volume<Float>, tails: Tails = .none, extraVariance: Double = 0
    ) throws(TomographyError) {
        grid = attenuation.grid
        self.heads = heads
        self.attenuation = attenuation
        self.tails = tails
        self.extraVariance = extraVariance
        for head in heads {
            let ends = [0, grid.rows - 1].map { head.distance(ofPlane: grid.position(x: 0, y: Double($0), z: 0).y) }
            let nearest = min(ends[0], ends[1]) - grid.spacing.y / 2
            guard nearest > -0.001 else {
                throw .faceInsideGrid(direction: head.direction.rawValue, overlapMillimetres: -nearest)
            }
        }
    }

    public var domainCount: Int { grid.voxelCount }
    public var rangeCount: Int { heads.reduce(0) { $0 + $1.detector.pixelCount } }

    public func forward(_ activity: [Float]) -> [Float] {
        precondition(activity.count == domainCount)
        var views: [Float] = []
        for head in heads {
            let transmission = OpposedViewProjector.transmission(of: attenuation, towards: head.direction)
            var view = [Float](repeating: 0, count: head.detector.pixelCount)
            var plane = [Float](repeating: 0, count: grid.columns * grid.slices)
            for y in 0..<grid.rows {
                var isEmpty = true
                forEachVoxel(ofPlane: y) { voxel, pixel in
                    plane[pixel] = activity[voxel] * transmission[voxel]
                    if plane[pixel] != 0 { isEmpty = false }
                }
                if isEmpty { continue }
                for (share, response) in responses(of: head, plane: y) {
                    response.addForward(plane: plane, gain: Float(head.gain) * share, image: &view)
                }
            }
            views += view
        }
        return views
    }

    public func adjoint(_ views: [Float]) -> [Float] {
        precondition(views.count == rangeCount)
        var volume = [Float](repeating: 0, count: domainCount)
        var plane = [Float](repeating: 0, count: grid.columns * grid.slices)
        var start = 0
        for head in heads {
            let transmission = OpposedViewProjector.transmission(of: attenuation, towards: head.direction)
            let view = Array(views[start..<start + head.detector.pixelCount])
            start += head.detector.pixelCount
            for y in 0..<grid.rows {
                for (share, response) in responses(of: head, plane: y) {
                    response.adjoint(image: view, gain: Float(head.gain) * share, plane: &plane)
                    forEachVoxel(ofPlane: y) { voxel, pixel in volume[voxel] += plane[pixel] * transmission[voxel] }
                }
            }
        }
        return volume
    }

    private func forEachVoxel(ofPlane y: Int, _ body: (_ voxel: Int, _ pixel: Int) -> Void) {
        for z in 0..<grid.slices {
            let row = grid.offset(x: 0, y: y, z: z)
            for x in 0..<grid.columns { body(row + x, z * grid.columns + x) }
        }
    }

    private func responses(of head: CameraHead, plane y: Int) -> [(share: Float, response: DetectorResponse)] {
        let distance = head.distance(ofPlane: grid.position(x: 0, y: Double(y), z: 0).y)
        let variance = head.collimator.variance(atDistance: distance, energy: head.energy) + extraVariance
        let main = DetectorResponse(grid: grid, detector: head.detector, variance: variance)
        guard tails.share > 0 else { return [(1, main)] }
        let wide = DetectorResponse(
            grid: grid, detector: head.detector, variance: variance * tails.widthFactor * tails.widthFactor)
        return [(Float(1 - tails.share), main), (Float(tails.share), wide)]
    }
}

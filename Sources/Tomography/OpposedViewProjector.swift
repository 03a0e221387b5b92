import Dispatch
import Glibc
public import Imaging

/// The views of opposed camera heads of an activity map: attenuation along y, a blur that grows with the distance,
/// and the detector's pixels.
///
/// `p(x, z) = gain * sum over y of blur(distance(y)) [ a(x, y, z) exp(-integral of mu from the voxel to the head) ]`,
/// half a voxel of its own attenuation included. Coronal planes are worked off from the furthest to the nearest, see
/// ``DepthRecursion``.
///
/// What the blur carries beyond the grid's edge is lost: the grid needs a margin of air across the table, and image
/// rows near its ends along the table see less than the patient sent.
///
/// - Shape: activity `[z, y, x]`; views `[head][z, x]`, one after the other, each of its detector's size.
/// - Units: activity in any unit of concentration; views in counts by the heads' gain.
/// - Source: Barrett, Myers, Foundations of Image Science; the recursion over depth is that of
///   Zeng et al., IEEE Trans. Nucl. Sci. 38 (1991) 693.
public struct OpposedViewProjector: LinearOperator {
    public let grid: VoxelGrid
    public let heads: [CameraHead]
    /// First element of each head's view, and the end of the last.
    public let viewOffsets: [Int]

    let transmissions: [[Float]]
    let responses: [DetectorResponse]
    /// Squared voxels from each plane to the next nearer one.
    let stepVariances: [[(x: Float, z: Float)]]

    /// - Parameter attenuation: for each energy in keV the coefficients in 1/cm on one common grid.
    /// - Throws: ``TomographyError/gridMismatch`` without a map for a head's energy or with maps on different grids;
    ///   ``TomographyError/faceInsideGrid(direction:overlapMillimetres:)`` when voxels lie behind a head's face.
    public init(heads: [CameraHead], attenuation: [Double: Volume<Float>]) throws(TomographyError) {
        guard let grid = attenuation.values.first?.grid, attenuation.values.allSatisfy({ $0.grid == grid }) else {
            throw .gridMismatch
        }
        var transmissions: [[Float]] = []
        for head in heads {
            guard let map = attenuation[head.energy] else { throw .gridMismatch }
            transmissions.append(Self.transmission(of: map, towards: head.direction))
        }
        try self.init(heads: heads, grid: grid, transmissions: transmissions)
    }

    private init(heads: [CameraHead], grid: VoxelGrid, transmissions: [[Float]]) throws(TomographyError) {
        self.grid = grid
        self.heads = heads
        self.transmissions = transmissions
        var responses: [DetectorResponse] = []
        var steps: [[(x: Float, z: Float)]] = []
        for head in heads {
            let distances = Self.planesFromFar(head.direction, grid).map {
                head.distance(ofPlane: grid.position(x: 0, y: Double($0), z: 0).y)
            }
            let nearest = distances[distances.count - 1] - grid.spacing.y / 2
            guard nearest > -0.001 else {
                throw .faceInsideGrid(direction: head.direction.rawValue, overlapMillimetres: -nearest)
            }
            let variances = distances.map { head.collimator.variance(atDistance: $0, energy: head.energy) }
            steps.append(
                zip(variances, variances.dropFirst()).map { far, near in
                    let difference = far - near
                    return (
                        Float(difference / (grid.spacing.x * grid.spacing.x)),
                        Float(difference / (grid.spacing.z * grid.spacing.z))
                    )
                })
            responses.append(
                DetectorResponse(grid: grid, detector: head.detector, variance: variances[variances.count - 1]))
        }
        (self.responses, stepVariances) = (responses, steps)
        viewOffsets = heads.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.detector.pixelCount) }
    }

    /// The same patient before heads that differ in pixels and places only: what attenuates is kept, or all of it multiplied.
    ///
    /// - Throws: ``TomographyError/faceInsideGrid(direction:overlapMillimetres:)``.
    public func withHeads(
        _ heads: [CameraHead], attenuatedBy factor: Double = 1
    ) throws(TomographyError) -> OpposedViewProjector {
        precondition(heads.map(\.direction) == self.heads.map(\.direction) && factor > 0)
        return try OpposedViewProjector(
            heads: heads, grid: grid, transmissions: factor == 1 ? transmissions : transmissions(toThe: Float(factor)))
    }

    /// What passes when all coefficients are so many times as large.
    private func transmissions(toThe power: Float) -> [[Float]] {
        var powers = transmissions
        powers.withUnsafeMutableBufferPointer { powers in
            // Each iteration writes its own element only.
            nonisolated(unsafe) let powers = powers
            DispatchQueue.concurrentPerform(iterations: powers.count) { head in
                powers[head].withUnsafeMutableBufferPointer { values in
                    for voxel in values.indices where values[voxel] != 1 {
                        values[voxel] = exp(power * log(values[voxel]))
                    }
                }
            }
        }
        return powers
    }

    public var domainCount: Int { grid.voxelCount }
    public var rangeCount: Int { viewOffsets[viewOffsets.count - 1] }

    public func forward(_ activity: [Float]) -> [Float] {
        detected(depthSums(activity))
    }

    /// The activity as it arrives at each head's nearest plane: everything but ``detected(_:)``.
    ///
    /// - Shape: `[head][z, x]` on the grid's voxels.
    public func depthSums(_ activity: [Float]) -> [[Float]] {
        precondition(activity.count == domainCount)
        var planes = heads.map { _ in [Float](repeating: 0, count: grid.columns * grid.slices) }
        planes.withUnsafeMutableBufferPointer { planes in
            // Each iteration writes its own element only.
            nonisolated(unsafe) let planes = planes
            activity.withUnsafeBufferPointer { activity in
                nonisolated(unsafe) let activity = activity
                DispatchQueue.concurrentPerform(iterations: heads.count) { head in
                    planes[head].withUnsafeMutableBufferPointer {
                        self.sumDepths(head, activity.baseAddress!, $0.baseAddress!)
                    }
                }
            }
        }
        return planes
    }

    /// The detectors' images of planes that ``depthSums(_:)`` made.
    public func detected(_ planes: [[Float]]) -> [Float] {
        var views = [Float](repeating: 0, count: rangeCount)
        views.withUnsafeMutableBufferPointer { views in
            for head in heads.indices {
                responses[head].addForward(
                    plane: planes[head], gain: Float(heads[head].gain), image: views.baseAddress! + viewOffsets[head])
            }
        }
        return views
    }

    public func adjoint(_ views: [Float]) -> [Float] {
        precondition(views.count == rangeCount)
        var volume = [Float](repeating: 0, count: domainCount)
        let recursions = heads.indices.map { head in
            let recursion = DepthRecursion(columns: grid.columns, slices: grid.slices, rows: grid.rows)
            views.withUnsafeBufferPointer {
                responses[head].adjoint(
                    image: $0.baseAddress! + viewOffsets[head], gain: Float(heads[head].gain), plane: recursion.current)
            }
            return recursion
        }
        defer { recursions.forEach { $0.deallocate() } }
        volume.withUnsafeMutableBufferPointer { volume in
            nonisolated(unsafe) let volume = volume.baseAddress!
            nonisolated(unsafe) let recursions = recursions
            // Two opposed heads meet in the middle: in the first half each writes planes that the other has not
            // reached, in the second each adds to what the other wrote. No plane is touched by both at once, and the
            // order of additions is always the same.
            for (pass, pair) in headPairs.enumerated() {
                for half in 0..<2 {
                    DispatchQueue.concurrentPerform(iterations: pair.count) { member in
                        let head = pair[member]
                        let adding = pass > 0 || (half == 1 && pair.count == 2)
                        self.spreadDepths(head, half: half, recursions[head], volume, adding: adding)
                    }
                }
            }
        }
        return volume
    }

    /// Anterior heads with posterior ones, in the order of the heads.
    private var headPairs: [[Int]] {
        let anterior = heads.indices.filter { heads[$0].direction == .anterior }
        let posterior = heads.indices.filter { heads[$0].direction == .posterior }
        return (0..<max(anterior.count, posterior.count)).map { index in
            (index < anterior.count ? [anterior[index]] : []) + (index < posterior.count ? [posterior[index]] : [])
        }
    }

    private func sumDepths(_ head: Int, _ activity: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>) {
        let recursion = DepthRecursion(columns: grid.columns, slices: grid.slices, rows: grid.rows)
        defer { recursion.deallocate() }
        transmissions[head].withUnsafeBufferPointer { transmission in
            var previous: Int?
            for plane in Self.planesFromFar(heads[head].direction, grid) {
                let variance = previous.map { stepVariances[head][$0] } ?? (0, 0)
                recursion.blurThenAdd(
                    variance: variance, activity: activity + plane * grid.columns,
                    transmission: transmission.baseAddress! + plane * grid.columns)
                previous = (previous ?? -1) + 1
            }
        }
        result.update(from: recursion.current, count: grid.columns * grid.slices)
    }

    private func spreadDepths(
        _ head: Int, half: Int, _ recursion: DepthRecursion, _ volume: UnsafeMutablePointer<Float>, adding: Bool
    ) {
        let planes = Array(Self.planesFromFar(heads[head].direction, grid).reversed())
        // An odd plane in the middle belongs to the first half of the anterior head alone.
        let middle = heads[head].direction == .anterior ? (planes.count + 1) / 2 : planes.count / 2
        transmissions[head].withUnsafeBufferPointer { transmission in
            for step in half == 0 ? 0..<middle : middle..<planes.count {
                let plane = planes[step]
                let isLast = step == planes.count - 1
                recursion.spreadThenBlur(
                    variance: isLast ? (0, 0) : stepVariances[head][planes.count - 2 - step],
                    transmission: transmission.baseAddress! + plane * grid.columns,
                    volume: volume + plane * grid.columns, adding: adding)
            }
        }
    }

    func planesFromFar(of head: Int) -> [Int] { Self.planesFromFar(heads[head].direction, grid) }

    private static func planesFromFar(_ direction: ViewDirection, _ grid: VoxelGrid) -> [Int] {
        direction == .anterior ? Array((0..<grid.rows).reversed()) : Array(0..<grid.rows)
    }

    /// Part of the photons that leave each voxel towards a head and are not stopped on the way.
    static func transmission(of attenuation: Volume<Float>, towards direction: ViewDirection) -> [Float] {
        let grid = attenuation.grid
        let centimetres = Float(grid.spacing.y / 10)
        var result = [Float](repeating: 0, count: grid.voxelCount)
        var path = [Float](repeating: 0, count: grid.columns)
        for slice in 0..<grid.slices {
            for x in 0..<grid.columns { path[x] = 0 }
            for plane in planesFromFar(direction, grid).reversed() {
                let row = grid.offset(x: 0, y: plane, z: slice)
                for x in 0..<grid.columns {
                    let own = attenuation.voxels[row + x] * centimetres
                    result[row + x] = exp(-(path[x] + own / 2))
                    path[x] += own
                }
            }
        }
        return result
    }
}

import Dispatch
import Glibc
public import Imaging

extension StylisedPhantom {
    /// Which structure each voxel's centre lies in.
    public func labels(on grid: VoxelGrid) -> Volume<StructureLabel> {
        let solids = self.solids
        let limbs = StylisedShape.arms(arms, girth: girth).map { Solid($0, nil) }
        var labels = Volume<StructureLabel>(grid: grid, repeating: .air)
        labels.voxels.withUnsafeMutableBufferPointer { voxels in
            // Each iteration writes its own slice only.
            nonisolated(unsafe) let voxels = voxels
            DispatchQueue.concurrentPerform(iterations: grid.slices) { z in
                let height = grid.position(x: 0, y: 0, z: Double(z)).z
                let inSlice = self.candidates(axis: 2, at: height, of: solids)
                let limbsInSlice = self.candidates(axis: 2, at: height, of: limbs)
                for y in 0..<grid.rows {
                    let start = grid.position(x: 0, y: Double(y), z: Double(z))
                    let inRow = self.candidates(axis: 1, at: start.y, of: inSlice)
                    let limbsInRow = self.candidates(axis: 1, at: start.y, of: limbsInSlice)
                    var line = BentLine(self, start: start, step: grid.spacing.x)
                    let offset = grid.offset(x: 0, y: y, z: z)
                    for x in 0..<grid.columns { voxels[offset + x] = self.label(at: line.next(), inRow, limbsInRow) }
                }
            }
        }
        return labels
    }

    /// Nothing of the body is further than this from the axis, across and in depth.
    public var halfExtentMillimetres: SIMD2<Double> {
        let limbs = StylisedShape.arms(arms, girth: girth).map { max($0.upper.x, -$0.lower.x) }.max() ?? 0
        let reach = bends.reduce(SIMD3(repeating: 0.0)) { $0 + SIMD3(abs($1.amplitude.x), abs($1.amplitude.y), 0) }
        return SIMD2(max(20 * girth.x, limbs) + reach.x, 10 * max(girth.y, 1) + reach.y)
            * SIMD2(habitus.x, habitus.y) * 10
    }

    /// What lies at a point of the adult's coordinates, arms left aside.
    func label(at point: SIMD3<Double>) -> StructureLabel { label(at: point, solids, []) }

    private var solids: [Solid] {
        StylisedShape.adult.filter { $0.organ != missingKidney }.map { Solid($0, placements[$0.organ]) }
    }

    private func label(at point: SIMD3<Double>, _ solids: [Solid], _ limbs: [Solid]) -> StructureLabel {
        guard StylisedShape.isInBody(point, girth: girth) else { return Self.first(of: limbs, at: point) ?? .air }
        for (index, lesion) in lesions.enumerated() {
            let away = point - lesion.centre
            if (away * away).sum() <= lesion.radius * lesion.radius { return .lesion(index) }
        }
        return Self.first(of: solids, at: point) ?? .organ(.remainder)
    }

    @inline(__always)
    private static func first(of solids: [Solid], at point: SIMD3<Double>) -> StructureLabel? {
        solids.withUnsafeBufferPointer { solids in
            for index in solids.indices {
                guard all(point .>= solids[index].lower), all(point .<= solids[index].upper) else { continue }
                if let label = solids[index].label(at: point) { return label }
            }
            return nil
        }
    }

    /// The solids that a plane at a coordinate in millimetres can meet, wherever the bending takes it.
    private func candidates(axis: Int, at coordinate: Double, of solids: [Solid]) -> [Solid] {
        let centre = coordinate / 10 / habitus[axis]
        let reach = bends.reduce(0) { $0 + abs($1.amplitude[axis]) }
        return solids.filter { centre + reach >= $0.lower[axis] && centre - reach <= $0.upper[axis] }
    }
}

/// A shape where one person has it.
private struct Solid: Sendable {
    let shape: StylisedShape
    let centre, place, scale: SIMD3<Double>
    /// Corners of a box around it.
    let lower, upper: SIMD3<Double>
    let outer, inner: StructureLabel
    let hasInnerPart: Bool

    init(_ shape: StylisedShape, _ placement: StylisedPhantom.Placement?) {
        self.shape = shape
        centre = shape.centre
        place = centre + (placement?.shift ?? SIMD3(repeating: 0))
        scale = placement?.scale ?? SIMD3(repeating: 1)
        lower = place + (shape.lower - centre) * scale
        upper = place + (shape.upper - centre) * scale
        outer = .organ(shape.organ)
        inner = .medulla(shape.organ)
        hasInnerPart = shape.organ == .kidneyLeft || shape.organ == .kidneyRight
    }

    /// The medulla is the kidney's shape, this much smaller.
    private static let innerScale = 0.62

    /// The label of a point in the box, when it is in the shape.
    @inline(__always)
    func label(at point: SIMD3<Double>) -> StructureLabel? {
        let local = (point - place) / scale
        guard shape.contains(centre + local) else { return nil }
        return hasInnerPart && shape.contains(centre + local / Self.innerScale) ? inner : outer
    }
}

/// The adult's coordinates of evenly spaced points on a line along x.
///
/// The bending is a sum of sines of a phase that grows evenly along the line, so each step turns every wave by a fixed
/// angle instead of computing its sine anew.
private struct BentLine {
    private struct Wave {
        let amplitude: SIMD3<Double>
        let turn: SIMD2<Double>
        var sine, cosine: Double
    }

    private var point: SIMD3<Double>
    private let step: Double
    private var waves: [Wave]

    /// - Parameters:
    ///   - start: in the person's millimetres.
    ///   - step: between two points, in millimetres.
    init(_ phantom: StylisedPhantom, start: SIMD3<Double>, step: Double) {
        let origin = start / 10 / phantom.habitus
        let standardStep = step / 10 / phantom.habitus.x
        point = origin
        self.step = standardStep
        waves = phantom.bends.map { bend in
            let phase = (bend.waveVector * origin).sum() + bend.phase
            let angle = bend.waveVector.x * standardStep
            return Wave(
                amplitude: bend.amplitude, turn: SIMD2(sin(angle), cos(angle)), sine: sin(phase), cosine: cos(phase))
        }
    }

    mutating func next() -> SIMD3<Double> {
        var bent = point
        for index in waves.indices {
            let wave = waves[index]
            bent -= wave.amplitude * wave.sine
            waves[index].sine = wave.sine * wave.turn.y + wave.cosine * wave.turn.x
            waves[index].cosine = wave.cosine * wave.turn.y - wave.sine * wave.turn.x
        }
        point.x += step
        return bent
    }
}

import Dispatch
import Imaging

extension UptakeSampler {
    /// The map that a draw's numbers make.
    public func render(_ draw: UptakeDraw) -> UptakeSample {
        let plan = RenderingPlan(self, draw)
        let sumCount = templates.count + draw.foci.count
        var activity = [Float](repeating: 0, count: grid.voxelCount)
        var owners = [UInt8](repeating: 0, count: grid.voxelCount)
        var sums = [Double](repeating: 0, count: grid.slices * sumCount)
        activity.withUnsafeMutableBufferPointer { activity in
            owners.withUnsafeMutableBufferPointer { owners in
                sums.withUnsafeMutableBufferPointer { sums in
                    // Each iteration writes its own slice and its own sums only.
                    nonisolated(unsafe) let (activity, owners, sums) = (activity, owners, sums)
                    DispatchQueue.concurrentPerform(iterations: grid.slices) { z in
                        let own = UnsafeMutableBufferPointer(rebasing: sums[z * sumCount..<(z + 1) * sumCount])
                        plan.render(slice: z, activity, owners, own)
                    }
                }
            }
        }
        let totals = (0..<sumCount).map { index in
            (0..<grid.slices).reduce(0) { $0 + sums[$1 * sumCount + index] } * grid.voxelMillilitres * 1e-6
        }
        var map = Volume<Float>(grid: grid, repeating: 0)
        map.voxels = activity
        var owned = Volume<UInt8>(grid: grid, repeating: 0)
        owned.voxels = owners
        let background = templates.indices.filter { templates[$0].kind == .background }.map { UInt8($0 + 1) }
        return UptakeSample(
            draw: draw, activity: map, owners: owned, backgroundOwners: Set(background),
            regionMegabecquerels: Array(totals[..<templates.count]),
            focusMegabecquerels: Array(totals[templates.count...]))
    }
}

/// Everything that one map's voxels are made from.
private struct RenderingPlan: Sendable {
    private let grid: VoxelGrid
    private let pull: RigidPose.Pull
    private let body: RegionSource
    /// In the order in which they take their part of a voxel.
    private let order: [Int]
    /// The region that has what the others leave; all of them, when there is no remainder, leave the rest empty.
    private let filler: Int?
    private let sources: [RegionSource]
    private let bends: [GaussianField]
    private let bendScale: SIMD3<Float>
    /// The furthest that the bending carries anything, in voxels.
    private let reach: SIMD3<Float>
    private let foci: [PlacedFocus]

    init(_ sampler: UptakeSampler, _ draw: UptakeDraw) {
        let grid = sampler.grid
        self.grid = grid
        pull = RigidPose.Pull(draw.pose, on: grid)
        body = RegionSource(sampler.body, texture: UptakeDraw.Texture(), level: 1, shift: .zero, grid: grid)
        let templates = sampler.templates
        let filler = templates.firstIndex { $0.organ == .remainder }
        self.filler = filler
        func rank(_ index: Int) -> Int {
            switch templates[index].kind {
            case .lesion: 0
            case .organ: 1
            case .background: 2
            }
        }
        order = templates.indices.filter { $0 != filler }.sorted { (rank($0), $0) < (rank($1), $1) }
        let fields = draw.bending.map { Self.bends($0, grid) } ?? []
        bends = fields
        let scale = SIMD3<Float>(SIMD3(repeating: draw.bending?.deviation ?? 0) / grid.spacing)
        bendScale = scale
        reach = fields.isEmpty ? .zero : scale * SIMD3(fields[0].extreme, fields[1].extreme, fields[2].extreme)
        foci = draw.foci.map { PlacedFocus($0, grid) }
        // The largest first, so that no processor is left with one of them at the end.
        let bySize = templates.indices.sorted { templates[$0].coverage.count > templates[$1].coverage.count }
        sources = concurrentMap(bySize) { index in
            let source = RegionSource(
                templates[index], texture: draw.textures[index], level: draw.levels[index], shift: draw.shifts[index],
                grid: grid)
            return (index, source)
        }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Displacements along x, y and z in standard deviations.
    private static func bends(_ bending: UptakeDraw.Field, _ grid: VoxelGrid) -> [GaussianField] {
        let last = grid.position(x: Double(grid.columns), y: Double(grid.rows), z: Double(grid.slices))
        return (0..<3).map { axis in
            GaussianField(
                lower: grid.origin, upper: last, length: bending.length, voxel: grid.spacing,
                seed: bending.seed &+ UInt64(axis) &* 0x9E37_79B9_7F4A_7C15)
        }
    }

    func render(
        slice z: Int, _ activity: UnsafeMutableBufferPointer<Float>, _ owners: UnsafeMutableBufferPointer<UInt8>,
        _ sums: UnsafeMutableBufferPointer<Double>
    ) {
        for y in 0..<grid.rows {
            let row = grid.offset(x: 0, y: y, z: z)
            var place = pull.start(y: y, z: z)
            let end = place + Float(grid.columns - 1) * pull.alongX
            let (low, high) = (pointwiseMin(place, end) - reach, pointwiseMax(place, end) + reach)
            let candidates = order.filter { sources[$0].reaches(from: low, to: high) }
            let nearFoci = foci.indices.filter { foci[$0].reaches(from: low, to: high) }
            for x in 0..<grid.columns {
                defer { place += pull.alongX }
                let free = body.value(at: place).x
                guard free > Self.leastBody else { continue }
                var voxel = Voxel(free: free)
                let bent = bent(place)
                for focus in nearFoci {
                    voxel.take(foci[focus].coverage(at: bent), 1, foci[focus].level, sources.count + focus, sums)
                }
                for region in candidates {
                    if voxel.free <= 0 { break }
                    let value = sources[region].value(at: bent)
                    if value.x > 0 { voxel.take(value.x, value.y / value.x, sources[region].level, region, sums) }
                }
                if let filler, voxel.free > 0 {
                    let value = sources[filler].value(at: bent)
                    // Where an organ has left there is no texture to be known.
                    let texture = value.x > Self.leastCoverage ? value.y / value.x : 1
                    voxel.take(voxel.free, texture, sources[filler].level, filler, sums)
                }
                activity[row + x] = voxel.activity
                owners[row + x] = voxel.owner
            }
        }
    }

    private static let leastCoverage: Float = 1e-3
    /// A voxel with less of the body than this is air: rounding leaves such parts.
    private static let leastBody: Float = 1e-5

    @inline(__always)
    private func bent(_ place: SIMD3<Float>) -> SIMD3<Float> {
        guard !bends.isEmpty else { return place }
        let position = SIMD3<Float>(grid.origin) + place * SIMD3<Float>(grid.spacing)
        return place - bendScale
            * SIMD3(bends[0].value(at: position), bends[1].value(at: position), bends[2].value(at: position))
    }

    /// One voxel while regions take their parts of it.
    private struct Voxel {
        var free: Float
        var activity: Float = 0
        var owner: UInt8 = 0
        private var largest: Float = 0

        init(free: Float) { self.free = free }

        @inline(__always)
        mutating func take(
            _ wanted: Float, _ texture: Float, _ level: Float, _ index: Int,
            _ sums: UnsafeMutableBufferPointer<Double>
        ) {
            let part = min(wanted, free)
            guard part > 0 else { return }
            let share = part * texture * level
            free -= part
            activity += share
            sums[index] += Double(share)
            if part > largest { (largest, owner) = (part, UInt8(index + 1)) }
        }
    }
}

/// A focus in voxels.
private struct PlacedFocus: Sendable {
    private let centre, semiAxes: SIMD3<Float>
    private let softness: Float
    let level: Float

    init(_ focus: UptakeDraw.Focus, _ grid: VoxelGrid) {
        centre = SIMD3<Float>(grid.index(of: focus.centre))
        semiAxes = SIMD3<Float>(focus.semiAxes / grid.spacing)
        // The surface voxel is covered in part: over one voxel the coverage falls from one to nothing.
        softness = (semiAxes.x + semiAxes.y + semiAxes.z) / 3
        level = Float(focus.concentration)
    }

    func reaches(from low: SIMD3<Float>, to high: SIMD3<Float>) -> Bool {
        let (first, last) = (centre - semiAxes - 1, centre + semiAxes + 1)
        return all(low .<= last) && all(high .>= first)
    }

    func coverage(at place: SIMD3<Float>) -> Float {
        let away = (place - centre) / semiAxes
        let distance = (away * away).sum().squareRoot()
        return min(max(0.5 + (1 - distance) * softness, 0), 1)
    }
}

/// The results in the order of the inputs, computed on all processors.
private func concurrentMap<Input: Sendable, Output: Sendable>(
    _ inputs: [Input], _ body: @Sendable (Input) -> Output
) -> [Output] {
    var results = [Output?](repeating: nil, count: inputs.count)
    results.withUnsafeMutableBufferPointer { results in
        // Each iteration writes its own element only.
        nonisolated(unsafe) let results = results
        DispatchQueue.concurrentPerform(iterations: inputs.count) { results[$0] = body(inputs[$0]) }
    }
    return results.compactMap { $0 }
}

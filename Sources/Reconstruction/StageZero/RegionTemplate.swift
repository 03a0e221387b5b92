import Anatomy
import Glibc
import Imaging

/// The form of one region's uptake, and in which ways the fit may change it.
///
/// `T(v) = M(v) s(1 + t tau(v) + sum over modes of c_j phi_j(v))`, moved as a whole: `M` is the region's coverage, `tau` the
/// texture that the PET shows inside of it, with mean zero, and `phi_j` are Gaussian bells on a lattice that covers the
/// region: uneven uptake on the scale that two views can tell of. `s(u) = u`, but smoothly positive where strong modes would
/// make a part of an organ negative.
///
/// - Shape: boxes of the reconstruction grid.
struct RegionTemplate {
    /// What of its form the fit may change.
    struct Freedom: Equatable {
        var isMovable = false
        /// Standard deviation of where it lies, in millimetres; nil for what moves as organs do.
        var place: SIMD3<Double>?
        var hasTexture = false
        /// Distance between the bells of uneven uptake in millimetres; nil without them.
        var modeSpacing: Double?
    }

    /// The values that change the form: shift in millimetres, weights of texture and modes.
    struct Form: Equatable {
        var shift = SIMD3<Double>(0, 0, 0)
        var texture = 0.0
        var modes: [Double] = []
    }

    let name: String
    let organ: Organ?
    let kind: Region.Kind
    let coverage: VoxelBox
    /// `M tau`, and nil without a texture.
    let texture: VoxelBox?
    /// `M phi_j`
    let modes: [VoxelBox]
    let freedom: Freedom
    let millilitres: Double
    /// Centre of mass, in millimetres.
    let centre: SIMD3<Double>

    /// - Parameter texture: relative deviation of the PET from its mean, on the whole grid; zero where it says nothing.
    init?(_ region: Region, texture: Volume<Float>?, freedom: Freedom) {
        guard let box = VoxelBox(of: region.coverage) else { return nil }
        self.init(
            name: region.name, organ: region.organ, kind: region.kind, coverage: box, grid: region.coverage.grid,
            texture: texture, freedom: freedom)
    }

    init?(
        name: String, organ: Organ?, kind: Region.Kind, coverage: VoxelBox, grid: VoxelGrid,
        texture: Volume<Float>?, freedom: Freedom
    ) {
        let total = coverage.values.reduce(0) { $0 + Double($1) }
        guard total > 0 else { return nil }
        (self.name, self.organ, self.kind) = (name, organ, kind)
        self.coverage = coverage
        self.freedom = freedom
        millilitres = total * grid.voxelMillilitres
        centre = Self.centre(of: coverage, grid: grid)
        self.texture = freedom.hasTexture ? texture.map { Self.centred($0, in: coverage) } : nil
        modes = freedom.modeSpacing.map { UnevenModes(of: coverage, grid: grid, spacing: $0).boxes } ?? []
    }

    /// The form at its unmoved place.
    private func deformed(_ form: Form) -> VoxelBox {
        var box = coverage
        if let texture, form.texture != 0 {
            let weight = Float(form.texture)
            for voxel in box.values.indices { box.values[voxel] += weight * texture.values[voxel] }
        }
        for (mode, weight) in zip(modes, form.modes) where weight != 0 { box.add(mode, factor: Float(weight)) }
        return box
    }

    /// Below this part of the region's mean, uptake falls no longer linearly but as an exponential.
    private static let corner: Float = 0.2

    /// `s(u)` of the form at its unmoved place.
    private func positive(_ form: Form) -> VoxelBox {
        var box = deformed(form)
        for voxel in box.values.indices {
            let start = Self.corner * coverage.values[voxel]
            if box.values[voxel] < start {
                box.values[voxel] = start > 0 ? start * expf(box.values[voxel] / start - 1) : 0
            }
        }
        return box
    }

    /// `s'(u)` of the form at its unmoved place; nil where it is one everywhere.
    func slope(_ form: Form) -> VoxelBox? {
        guard !modes.isEmpty || texture != nil else { return nil }
        var box = deformed(form)
        var isFlat = true
        for voxel in box.values.indices {
            let start = Self.corner * coverage.values[voxel]
            let isLow = start > 0 && box.values[voxel] < start
            if isLow { isFlat = false }
            box.values[voxel] = isLow ? expf(box.values[voxel] / start - 1) : 1
        }
        return isFlat ? nil : box
    }

    func box(_ form: Form, in grid: VoxelGrid) -> VoxelBox {
        freedom.isMovable ? positive(form).moved(by: form.shift / grid.spacing, in: grid) : positive(form)
    }

    /// Coverage alone, moved.
    func coverage(_ form: Form, in grid: VoxelGrid) -> VoxelBox {
        freedom.isMovable ? coverage.moved(by: form.shift / grid.spacing, in: grid) : coverage
    }

    /// Derivative by the shift along an axis, per millimetre.
    func shiftDerivative(_ form: Form, axis: Int, in grid: VoxelGrid) -> VoxelBox {
        let step = Float(-1 / grid.spacing[axis])
        return box(form, in: grid).gradient(axis: axis, in: grid).map { $0 * step }
    }

    /// The same of the coverage alone.
    func coverageDerivative(_ form: Form, axis: Int, in grid: VoxelGrid) -> VoxelBox {
        let step = Float(-1 / grid.spacing[axis])
        return coverage(form, in: grid).gradient(axis: axis, in: grid).map { $0 * step }
    }

    /// - Parameter slope: as ``slope(_:)`` has it.
    func textureDerivative(_ form: Form, slope: VoxelBox?, in grid: VoxelGrid) -> VoxelBox? {
        texture.map { Self.sloped($0, slope).moved(by: form.shift / grid.spacing, in: grid) }
    }

    func modeDerivative(_ form: Form, mode: Int, slope: VoxelBox?, in grid: VoxelGrid) -> VoxelBox {
        Self.sloped(modes[mode], slope).moved(by: form.shift / grid.spacing, in: grid)
    }

    private static func sloped(_ box: VoxelBox, _ slope: VoxelBox?) -> VoxelBox {
        slope.map { box.multiplied(by: $0) } ?? box
    }

    private static func centred(_ texture: Volume<Float>, in coverage: VoxelBox) -> VoxelBox {
        var result = coverage
        var sum = 0.0
        var weight = 0.0
        coverage.forEachRow(of: texture.grid) { inGrid, inBox in
            for x in 0..<coverage.columns.count {
                let part = coverage.values[inBox + x]
                result.values[inBox + x] = part * texture.voxels[inGrid + x]
                sum += Double(result.values[inBox + x])
                weight += Double(part)
            }
        }
        let mean = Float(sum / max(weight, 1e-9))
        for voxel in result.values.indices { result.values[voxel] -= mean * coverage.values[voxel] }
        return result
    }

    private static func centre(of box: VoxelBox, grid: VoxelGrid) -> SIMD3<Double> {
        var weight = 0.0
        var first = SIMD3<Double>(0, 0, 0)
        for z in box.slices {
            for y in box.rows {
                for x in box.columns {
                    let part = Double(box.values[box.offset(x: x, y: y, z: z)])
                    weight += part
                    first += part * SIMD3(Double(x), Double(y), Double(z))
                }
            }
        }
        let index = first / weight
        return grid.position(x: index.x, y: index.y, z: index.z)
    }
}

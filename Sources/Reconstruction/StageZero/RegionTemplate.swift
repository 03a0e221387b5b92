import Anatomy
import Glibc
import Imaging

/// The form of one region's uptake, and in which ways the fit may change it.
///
/// `T(v) = M(v) (1 + t tau(v) + sum over axes of g_a u_a(v))`, moved as a whole: `M` is the region's coverage, `tau` the
/// texture that the PET shows inside of it, `u_a` a slope along an axis. Texture and slopes have mean zero and do not
/// change what the region holds.
///
/// - Shape: boxes of the reconstruction grid.
struct RegionTemplate {
    /// What of its form the fit may change.
    struct Freedom: Equatable {
        var isMovable = false
        var hasTexture = false
        var hasSlopes = false
    }

    /// The values that change the form: shift in millimetres, weights of texture and slopes.
    struct Form: Equatable {
        var shift = SIMD3<Double>(0, 0, 0)
        var texture = 0.0
        var slopes = SIMD3<Double>(0, 0, 0)
    }

    let name: String
    let organ: Organ?
    let kind: Region.Kind
    let coverage: VoxelBox
    /// `M tau`, and nil without a texture.
    let texture: VoxelBox?
    /// `M u_a` for x, y and z; nil without slopes.
    let slopes: [VoxelBox]?
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
        let moments = Moments(coverage, grid: grid)
        centre = moments.centre
        self.texture = freedom.hasTexture ? texture.map { Self.centred($0, in: coverage) } : nil
        slopes =
            freedom.hasSlopes
            ? (0..<3).map { axis in moments.slope(along: axis, of: coverage, grid: grid) } : nil
    }

    /// The form at its unmoved place.
    private func deformed(_ form: Form) -> VoxelBox {
        var box = coverage
        if let texture, form.texture != 0 {
            let weight = Float(form.texture)
            for voxel in box.values.indices { box.values[voxel] += weight * texture.values[voxel] }
        }
        if let slopes {
            for axis in 0..<3 where form.slopes[axis] != 0 {
                let weight = Float(form.slopes[axis])
                for voxel in box.values.indices { box.values[voxel] += weight * slopes[axis].values[voxel] }
            }
        }
        // A steep slope must not make an organ's far end negative.
        for voxel in box.values.indices { box.values[voxel] = max(box.values[voxel], 0) }
        return box
    }

    func box(_ form: Form, in grid: VoxelGrid) -> VoxelBox {
        freedom.isMovable ? deformed(form).moved(by: form.shift / grid.spacing, in: grid) : deformed(form)
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

    func textureDerivative(_ form: Form, in grid: VoxelGrid) -> VoxelBox? {
        texture?.moved(by: form.shift / grid.spacing, in: grid)
    }

    func slopeDerivative(_ form: Form, axis: Int, in grid: VoxelGrid) -> VoxelBox? {
        slopes?[axis].moved(by: form.shift / grid.spacing, in: grid)
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

    /// Centre and widths of a region.
    private struct Moments {
        let centre: SIMD3<Double>
        let deviation: SIMD3<Double>

        init(_ box: VoxelBox, grid: VoxelGrid) {
            var weight = 0.0
            var first = SIMD3<Double>(0, 0, 0)
            var second = SIMD3<Double>(0, 0, 0)
            for z in box.slices {
                for y in box.rows {
                    for x in box.columns {
                        let part = Double(box.values[box.offset(x: x, y: y, z: z)])
                        if part == 0 { continue }
                        let position = grid.position(x: Double(x), y: Double(y), z: Double(z))
                        weight += part
                        first += part * position
                        second += part * position * position
                    }
                }
            }
            centre = first / weight
            let variance = second / weight - centre * centre
            deviation = SIMD3(
                max(variance.x, 1).squareRoot(), max(variance.y, 1).squareRoot(), max(variance.z, 1).squareRoot())
        }

        func slope(along axis: Int, of box: VoxelBox, grid: VoxelGrid) -> VoxelBox {
            var result = box
            for z in box.slices {
                for y in box.rows {
                    for x in box.columns {
                        let position = grid.position(x: Double(x), y: Double(y), z: Double(z))
                        let value = (position[axis] - centre[axis]) / deviation[axis]
                        result.values[box.offset(x: x, y: y, z: z)] *= Float(value)
                    }
                }
            }
            return result
        }
    }
}

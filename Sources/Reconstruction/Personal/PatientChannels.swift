public import Anatomy
import Glibc
public import Imaging
public import Learning

/// What the networks are told of a patient, the same for every scan.
///
/// Nothing of it changes once it is made, and tensors that are only read may be read from any thread.
///
/// - Shape: tensors are `[1, channels, z, y, x]`.
public final class PatientChannels: @unchecked Sendable {
    /// Attenuation, PET, eight kinds of tissue, and the attenuation in front of and behind each voxel.
    public static let count = 12

    public var grid: VoxelGrid { attenuation.grid }
    /// 1/cm at the photon line.
    public let attenuation: Volume<Float>
    /// 1 within.
    public let body: Volume<Float>
    let tensor: Tensor
    let bodyTensor: Tensor
    /// Place in the grid along x, y and z, from -1 to 1: convolutions do not know where they are.
    let placeTensor: Tensor

    private static let tissues: [[Organ]] = [
        [.kidneyLeft, .kidneyRight], [.liver], [.spleen],
        [
            .parotidLeft, .parotidRight, .submandibularLeft, .submandibularRight, .lacrimalLeft, .lacrimalRight,
        ],
        [.bladder, .stomach, .smallIntestine, .pancreas], [.bone], [.lungs],
    ]

    /// - Parameters:
    ///   - regions: disjoint; together they are the body.
    ///   - pet: in any unit of concentration.
    ///   - attenuation: in 1/cm at the photon line.
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public convenience init(
        regions: [Region], pet: Volume<Float>, attenuation: Volume<Float>, on device: Device = .cpu
    ) throws(ReconstructionError) {
        let grid = pet.grid
        var body = [Float](repeating: 0, count: grid.voxelCount)
        var tissues = [[Float]](repeating: body, count: Self.tissues.count + 1)
        for region in regions {
            // A region that is no organ is a lesion or an uptake that nobody has named.
            let own = region.organ.map { organ in Self.tissues.firstIndex { $0.contains(organ) } } ?? Self.tissues.count
            for voxel in body.indices {
                let coverage = region.coverage.voxels[voxel]
                body[voxel] += coverage
                if let own { tissues[own][voxel] += coverage }
            }
        }
        let isBody = body.map { $0 > 0.5 ? Float(1) : 0 }
        let mean = Self.mean(pet.voxels, over: isBody)
        let ramps = Self.depths(attenuation)
        var values = attenuation.voxels.map { $0 * Self.attenuationScale }
        values += pet.voxels.map { compressed(max($0, 0), unit: mean) }
        values += tissues.joined()
        values += ramps.front + ramps.back
        try self.init(values: values, body: isBody, attenuation: attenuation, on: device)
    }

    /// What another process has made of a patient.
    ///
    /// - Parameters:
    ///   - values: all channels, `[channel, z, y, x]`.
    ///   - body: 1 within, `[z, y, x]`.
    /// - Throws: ``ReconstructionError/learning(_:)``, also for values that do not fill the grid.
    public init(
        values: [Float], body: [Float], attenuation: Volume<Float>, on device: Device = .cpu
    ) throws(ReconstructionError) {
        self.attenuation = attenuation
        let grid = attenuation.grid
        do {
            let extents = [grid.slices, grid.rows, grid.columns]
            tensor = try Tensor(values, shape: [1, Self.count] + extents, device: device)
            bodyTensor = try Tensor(body, shape: [1, 1] + extents, device: device)
            placeTensor = try Tensor(Self.places(grid), shape: [1, 3] + extents, device: device)
        } catch { throw .learning(error) }
        self.body = Volume(grid: grid, repeating: 0).replacing(body)
    }

    /// - Shape: `[channel, z, y, x]`
    /// - Throws: ``ReconstructionError/learning(_:)``.
    public func values() throws(ReconstructionError) -> [Float] {
        do { return try tensor.floats() } catch { throw .learning(error) }
    }

    private static func places(_ grid: VoxelGrid) -> [Float] {
        func ramp(_ count: Int, _ index: Int) -> Float { Float(2 * index + 1) / Float(count) - 1 }
        var result: [Float] = []
        for axis in 0..<3 {
            for z in 0..<grid.slices {
                for y in 0..<grid.rows {
                    for x in 0..<grid.columns {
                        result.append(ramp([grid.columns, grid.rows, grid.slices][axis], [x, y, z][axis]))
                    }
                }
            }
        }
        return result
    }

    /// Soft tissue becomes about one.
    private static let attenuationScale: Float = 7

    static func mean(_ values: [Float], over mask: [Float]) -> Float {
        var sum = 0.0
        var weight = 0.0
        for (value, inside) in zip(values, mask) where inside > 0 {
            sum += Double(value)
            weight += 1
        }
        return Float(weight > 0 && sum > 0 ? sum / weight : 1)
    }

    /// Attenuation lengths between each voxel and the front and the back of the grid, of about unit size.
    private static func depths(_ attenuation: Volume<Float>) -> (front: [Float], back: [Float]) {
        let grid = attenuation.grid
        let scale = Float(grid.spacing.y / 10) / 2
        func ramp(_ rows: [Int]) -> [Float] {
            var result = [Float](repeating: 0, count: grid.voxelCount)
            for z in 0..<grid.slices {
                var path = [Float](repeating: 0, count: grid.columns)
                for y in rows {
                    let row = grid.offset(x: 0, y: y, z: z)
                    for x in 0..<grid.columns {
                        result[row + x] = path[x]
                        path[x] += attenuation.voxels[row + x] * scale
                    }
                }
            }
            return result
        }
        return (ramp(Array(0..<grid.rows)), ramp((0..<grid.rows).reversed()))
    }
}

/// A concentration as the networks see it: linear for the body's mean and below, logarithmic for what is hot.
func compressed(_ value: Float, unit: Float) -> Float { logf(1 + value / unit) / 2 }

extension Volume {
    /// Other values on the same grid.
    func replacing(_ voxels: [Element]) -> Volume {
        precondition(voxels.count == self.voxels.count)
        var result = self
        result.voxels = voxels
        return result
    }
}

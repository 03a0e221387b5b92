import Dispatch
import Glibc
public import Imaging

/// Where a patient lies now who lay on a grid before: rotated about the grid's centre, then moved.
///
/// `p = Rz Ry Rx (q - c) + c + t` for a point that was at `q`.
///
/// - Units: degrees about x, y and z; millimetres.
public struct RigidPose: Codable, Equatable, Sendable {
    public var rotationDegrees: SIMD3<Double>
    public var translation: SIMD3<Double>

    public static let identity = RigidPose(rotationDegrees: .zero, translation: .zero)

    public init(rotationDegrees: SIMD3<Double>, translation: SIMD3<Double>) {
        (self.rotationDegrees, self.translation) = (rotationDegrees, translation)
    }

    /// A volume of the patient as he lies now, each voxel pulled from where it was, trilinearly.
    ///
    /// The patient goes on beyond the first and last slice as they are; beside the grid there is `outside`.
    public func moved(_ volume: Volume<Float>, outside: Float = 0) -> Volume<Float> {
        if self == .identity { return volume }
        let grid = volume.grid
        let pull = Pull(self, on: grid)
        var result = Volume(grid: grid, repeating: outside)
        volume.voxels.withUnsafeBufferPointer { source in
            result.voxels.withUnsafeMutableBufferPointer { target in
                // Each iteration writes its own slice only.
                nonisolated(unsafe) let (source, target) = (source, target)
                DispatchQueue.concurrentPerform(iterations: grid.slices) { z in
                    for y in 0..<grid.rows {
                        let row = grid.offset(x: 0, y: y, z: z)
                        var place = pull.start(y: y, z: z)
                        for x in 0..<grid.columns {
                            target[row + x] = Self.value(source, grid, at: place, outside: outside)
                            place += pull.alongX
                        }
                    }
                }
            }
        }
        return result
    }

    @inline(__always)
    private static func value(
        _ source: UnsafeBufferPointer<Float>, _ grid: VoxelGrid, at place: SIMD3<Float>, outside: Float
    ) -> Float {
        let z = min(max(place.z, 0), Float(grid.slices - 1))
        guard place.x > -1, place.y > -1, place.x < Float(grid.columns), place.y < Float(grid.rows) else {
            return outside
        }
        let lower = SIMD3(place.x.rounded(.down), place.y.rounded(.down), z.rounded(.down))
        let part = SIMD3(place.x, place.y, z) - lower
        let first = SIMD3<Int>(lower)
        func line(_ y: Int, _ z: Int) -> Float {
            guard y >= 0, y < grid.rows else { return outside }
            let row = grid.offset(x: 0, y: y, z: z)
            let left = first.x >= 0 ? source[row + first.x] : outside
            let right = first.x + 1 < grid.columns ? source[row + first.x + 1] : outside
            return left + part.x * (right - left)
        }
        let next = min(first.z + 1, grid.slices - 1)
        let near = line(first.y, first.z) * (1 - part.y) + line(first.y + 1, first.z) * part.y
        if part.z == 0 { return near }
        let far = line(first.y, next) * (1 - part.y) + line(first.y + 1, next) * part.y
        return near + part.z * (far - near)
    }

    /// From voxels of the patient as he lies now to fractional indices of where they were.
    struct Pull {
        let alongX, alongY, alongZ, origin: SIMD3<Float>

        init(_ pose: RigidPose, on grid: VoxelGrid) {
            let rotation = pose.rotationMatrix
            let centre = SIMD3(Double(grid.columns - 1), Double(grid.rows - 1), Double(grid.slices - 1)) / 2
            // The inverse of a rotation is its transpose: its columns are the rows.
            func pulled(_ millimetres: SIMD3<Double>) -> SIMD3<Double> {
                SIMD3(
                    (rotation.x * millimetres).sum(), (rotation.y * millimetres).sum(),
                    (rotation.z * millimetres).sum()) / grid.spacing
            }
            alongX = SIMD3<Float>(pulled(SIMD3(grid.spacing.x, 0, 0)))
            alongY = SIMD3<Float>(pulled(SIMD3(0, grid.spacing.y, 0)))
            alongZ = SIMD3<Float>(pulled(SIMD3(0, 0, grid.spacing.z)))
            origin = SIMD3<Float>(centre + pulled(-centre * grid.spacing - pose.translation))
        }

        /// The first voxel of a row; each further one is ``alongX`` away.
        @inline(__always)
        func start(y: Int, z: Int) -> SIMD3<Float> {
            origin + Float(y) * alongY + Float(z) * alongZ
        }
    }

    /// Columns of `Rz Ry Rx`.
    private var rotationMatrix: (x: SIMD3<Double>, y: SIMD3<Double>, z: SIMD3<Double>) {
        let angle = rotationDegrees * .pi / 180
        func rotated(_ vector: SIMD3<Double>) -> SIMD3<Double> {
            let aboutX = SIMD3(
                vector.x, cos(angle.x) * vector.y - sin(angle.x) * vector.z,
                sin(angle.x) * vector.y + cos(angle.x) * vector.z)
            let aboutY = SIMD3(
                cos(angle.y) * aboutX.x + sin(angle.y) * aboutX.z, aboutX.y,
                -sin(angle.y) * aboutX.x + cos(angle.y) * aboutX.z)
            return SIMD3(
                cos(angle.z) * aboutY.x - sin(angle.z) * aboutY.y, sin(angle.z) * aboutY.x + cos(angle.z) * aboutY.y,
                aboutY.z)
        }
        return (rotated(SIMD3(1, 0, 0)), rotated(SIMD3(0, 1, 0)), rotated(SIMD3(0, 0, 1)))
    }
}
